import type { Command } from 'commander'
import { record } from '../../engine/feeds/mod.js'
import { interruption } from '../interrupt.js'
import { bytesText, printJson, printLine, progressBar, tell } from '../output.js'
import { cameraId, collect, decimal, parseSize, wholeNumber, withParent } from '../parse.js'
import { withNats, withSystemOptions, type SystemOptions } from '../system.js'

interface RecordCommandOptions extends SystemOptions {
  out: string
  camera?: string[]
  maxSize?: number
  maxMinutes?: number
  frames?: number
  force?: boolean
  withParent?: boolean
  json?: boolean
}

export function registerRecord(program: Command): void {
  withSystemOptions(program.command('record'))
    .description('record what cameras publish into a feed (MCAP), until Ctrl-C')
    .requiredOption('--out <file>', 'feed to write; with a bound below: feed-0001.mcap, feed-0002.mcap ...')
    .option('--camera <id>', 'only this camera; may be given more than once', collect(cameraId))
    .option('--max-size <size>', 'begin a new file at this size, e.g. 2GB', parseSize)
    .option('--max-minutes <n>', 'begin a new file after so many minutes', decimal(0.01, 100_000))
    .option('--frames <n>', 'end by itself after so many frames', wholeNumber(1))
    .option('--force', 'write over files that exist')
    .addOption(withParent())
    .option('--json', 'one JSON line at the end')
    .addHelpText(
      'after',
      `
It listens beside the engines and takes nothing away from them. A recording that is cut off (power, kill) can be replayed up to the cut.

Examples:
  platestream record --out today.mcap
  platestream record --out gate.mcap --camera gate-in --camera gate-out --max-size 2GB`,
    )
    .action(async (options: RecordCommandOptions) => {
      const signal = interruption(options.withParent)
      await withNats(options, 'record', async (connection) => {
        const bar = progressBar(options.frames ?? 0, 'frames', '{size} in {file}', options.json)
        const summary = await record(connection, {
          out: options.out,
          replace: options.force,
          cameras: options.camera,
          maxBytes: options.maxSize,
          maxMs: options.maxMinutes === undefined ? undefined : options.maxMinutes * 60_000,
          maxFrames: options.frames,
          signal,
          log: { warn: (_, message) => tell(message) },
          onProgress: ({ frames, bytes, file }) => bar.update(frames, { size: bytesText(bytes), file }),
        })
        bar.stop()
        if (options.json) printJson(summary)
        else
          printLine(
            `${summary.frames} frames (${bytesText(summary.bytes)}) of ${summary.cameras} cameras in ${summary.files.join(', ')}${summary.missed ? `; ${summary.missed} missed` : ''}`,
          )
      })
    })
}
