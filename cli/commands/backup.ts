import { resolve } from 'node:path'
import type { Command } from 'commander'
import { backUp, dataPaths } from '../../engine/mod.js'
import { bytesText, printJson, printLine, tell } from '../output.js'
import { productVersion } from '../program.js'
import { withNats, withStore, withSystemOptions, type SystemOptions } from '../system.js'

export function registerBackup(program: Command): void {
  withSystemOptions(program.command('backup'))
    .description('write everything of the running system to a folder: streams, buckets, lists, tables, pictures')
    .argument('<folder>', 'a new folder')
    .option('--json', 'one JSON line at the end')
    .addHelpText(
      'after',
      `
The system goes on meanwhile. The folder is whole when manifest.json is in it, which is written last. It holds what was read and looked for: keep it as
safe as the system. Tokens (secrets.json) are not in it.

Examples:
  platestream backup /mnt/backup/2026-11-28
  NATS_URL=nats://nats:4222 CLICKHOUSE_URL=http://clickhouse:8123 platestream backup /mnt/backup/today`,
    )
    .action(async (folder: string, options: SystemOptions & { json?: boolean }) => {
      const started = performance.now()
      await withNats(options, 'backup', (connection, settings) =>
        withStore(options, async (client) => {
          const say = (text: string) => {
            if (!options.json) tell(text)
          }
          const system = {
            connection,
            client,
            database: settings.clickhouse.database,
            cropsFolder: dataPaths(settings).crops,
          }
          const { streams, tables, crops } = await backUp(system, resolve(folder), productVersion(), say)
          const facts = {
            folder: resolve(folder),
            streams: streams.length,
            streamBytes: sum(streams.map(({ bytes }) => bytes)),
            rows: sum(tables.map(({ rows }) => rows)),
            pictureBytes: sum(crops.map(({ bytes }) => bytes)),
            ms: Math.round(performance.now() - started),
          }
          if (options.json) printJson(facts)
          else
            printLine(
              `${facts.folder}: ${facts.streams} streams (${bytesText(facts.streamBytes)}), ${facts.rows} rows, ${bytesText(facts.pictureBytes)} of pictures`,
            )
        }),
      )
    })
}

const sum = (numbers: number[]): number => numbers.reduce((a, b) => a + b, 0)
