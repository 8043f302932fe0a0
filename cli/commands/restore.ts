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
import { printJson, printLine, printNote } from '../output.js'
import { giveFolder, ownerFor } from '../own_folder.js'
import { lockRunFolder } from '../run_file.js'
import { settingsFor, withSystemOptions, type SystemOptions } from '../system.js'

export function registerRestore(program: Command): void {
  withSystemOptions(program.command('restore'))
    .description('restore a backup to a new data folder or to empty servers')
    .argument('<folder>', 'folder written by "platestream backup"')
    .option('--json', 'print one JSON line at the end')
    .addHelpText(
      'after',
      `
The data folder must be new; afterwards "platestream up" continues from the state of the backup. With NATS_URL or
CLICKHOUSE_URL it restores to those servers, which must not hold Platestream data yet.

Examples:
  platestream restore /mnt/backup/2026-11-28 --data /var/lib/platestream
  platestream up --data /var/lib/platestream`,
    )
    .action(async (folder: string, options: SystemOptions & { json?: boolean }) => {
      const settings = await settingsFor(options)
      // Reports an invalid folder before anything starts.
      await readManifest(resolve(folder))
      const owner = ownerFor(settings.dataFolder)
      const { streams, tables } = await withEmptySystem(settings, (system) =>
        restore(system, resolve(folder), (text) => {
          if (!options.json) printNote(text)
        }),
      )
      const facts = {
        dataFolder: settings.dataFolder,
        streams: streams.length,
        rows: tables.reduce((sum, { rows }) => sum + rows, 0),
      }
      if (owner) {
        giveFolder(settings.dataFolder, owner)
        if (!options.json) printNote(`its files belong to user ${owner.uid} and group ${owner.gid}, as the folder does`)
      }
      if (options.json) printJson(facts)
      else
        printLine(
          `restored ${facts.streams} streams and ${facts.rows} rows to ${facts.dataFolder}; ` +
            `start with: platestream up --data ${facts.dataFolder}`,
        )
    })
}

/**
 * Starts private servers on a new data folder, or connects to the servers of the settings; stops what it started
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
        reason: 'it already exists; choose a new data folder',
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
