import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import {
  connectNats,
  createClient,
  dataPaths,
  readManifest,
  restore,
  type Settings,
  startPrivateServer,
} from '../../engine/mod.js'
import { AlprError, loadSecrets } from '../../engine/runtime/mod.js'
import { launchStore } from '../../engine/chdb/mod.js'
import { printJson, printLine, tell } from '../output.js'
import { lockRunFolder } from '../run_file.js'
import { settingsFor, withSystemOptions, type SystemOptions } from '../system.js'

export function registerRestore(program: Command): void {
  withSystemOptions(program.command('restore'))
    .description('make a system from a backup, on a new data folder or on empty servers')
    .argument('<folder>', 'what "platestream backup" wrote')
    .option('--json', 'one JSON line at the end')
    .addHelpText(
      'after',
      `
Nothing may run on the data folder yet; afterwards "platestream up" goes on where the backup was made. With NATS_URL or CLICKHOUSE_URL it fills those servers,
which must hold nothing of ours.

Examples:
  platestream restore /mnt/backup/2026-11-28 --data /var/lib/platestream
  platestream up --data /var/lib/platestream`,
    )
    .action(async (folder: string, options: SystemOptions & { json?: boolean }) => {
      const settings = settingsFor(options)
      // A wrong folder should say so before anything is started.
      await readManifest(resolve(folder))
      const { streams, tables } = await withEmptySystem(settings, (system) =>
        restore(system, resolve(folder), (text) => {
          if (!options.json) tell(text)
        }),
      )
      const facts = {
        dataFolder: settings.dataFolder,
        streams: streams.length,
        rows: tables.reduce((sum, { rows }) => sum + rows, 0),
      }
      if (options.json) printJson(facts)
      else
        printLine(
          `${facts.streams} streams and ${facts.rows} rows are in ${facts.dataFolder}; start with: platestream up --data ${facts.dataFolder}`,
        )
    })
}

/**
 * Starts the private servers on a folder that has none yet, or connects to those of the settings; they end again
 * afterwards.
 */
async function withEmptySystem<T>(
  settings: Settings,
  work: (system: Parameters<typeof restore>[0]) => Promise<T>,
): Promise<T> {
  const paths = dataPaths(settings)
  for (const [path, isPrivate] of [
    [paths.nats, !settings.nats.url],
    [paths.store, !settings.clickhouse.url],
  ] as const) {
    if (isPrivate && existsSync(path))
      throw new AlprError('ALPR_ERR_BACKUP_FAILED', {
        what: path,
        reason: 'it is there already; give a new data folder',
      })
  }
  const unlock = await lockRunFolder(paths.run)
  const secrets = loadSecrets(paths.secrets)
  const ends: (() => Promise<unknown>)[] = [async () => unlock()]
  try {
    let nats = { url: settings.nats.url, token: settings.nats.token }
    if (!nats.url) {
      const server = await startPrivateServer({
        folder: paths.nats,
        token: secrets.nats,
        partitions: settings.nats.partitions,
      })
      ends.push(() => server.stop())
      nats = { url: server.url, token: secrets.nats }
    }
    let store: { url: string; token: string } | undefined
    if (!settings.clickhouse.url) {
      const launched = await launchStore({ path: paths.store, token: secrets.store })
      ends.push(() => launched.stop())
      store = { url: launched.url, token: secrets.store }
    }
    const connection = await connectNats({ ...nats, name: 'cli restore' })
    ends.push(() => connection.close())
    const client = createClient(settings, store, { requestTimeoutMs: 3_600_000 })
    ends.push(() => client.close())
    return await work({ connection, client, database: settings.clickhouse.database, cropsFolder: paths.crops })
  } finally {
    for (const end of ends.reverse()) await end().catch(() => {})
  }
}
