import { resolve } from 'node:path'
import type { Command } from 'commander'
import { accessGate, accessOf, withPurpose, type AccessOptions } from '../access.js'
import { bytesText, printJson, printLine, printNote } from '../output.js'
import { productVersion } from '../version.js'
import { loadEngine, withNats, withStore, withSystemOptions } from '../system.js'

export function registerBackup(program: Command): void {
  withPurpose(withSystemOptions(program.command('backup')))
    .description('back up the running system to a folder: streams, buckets, hot lists, tables, pictures')
    .argument('<folder>', 'folder that does not exist yet')
    .option('--json', 'one JSON line at the end')
    .addHelpText(
      'after',
      `
The system keeps running. The backup is complete when it contains manifest.json, which is written last. It contains
plate reads and hot lists: protect it like the system itself. It does not contain the tokens (secrets.json).

Examples:
  platestream backup /mnt/backup/2026-11-28
  NATS_URL=nats://nats:4222 CLICKHOUSE_URL=http://clickhouse:8123 platestream backup /mnt/backup/today`,
    )
    .action(async (folder: string, options: AccessOptions & { json?: boolean }) => {
      const started = performance.now()
      await withNats(options, 'backup', (connection, settings) =>
        withStore(options, async (client) => {
          const { dataPaths, writeBackup } = await loadEngine()
          const [gate, access] = [await accessGate(), await accessOf(options)]
          const say = (text: string) => {
            if (!options.json) printNote(text)
          }
          const system = {
            connection,
            client,
            database: settings.clickhouse.database,
            cropsFolder: dataPaths(settings).crops,
          }
          const { streams, tables, crops } = await writeBackup(
            gate,
            access,
            system,
            resolve(folder),
            productVersion(),
            say,
          )
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
              `${facts.folder}: ${facts.streams} streams (${bytesText(facts.streamBytes)}), ${facts.rows} rows, ` +
                `${bytesText(facts.pictureBytes)} of pictures`,
            )
        }),
      )
    })
}

const sum = (numbers: number[]): number => numbers.reduce((a, b) => a + b, 0)
