import type { Command } from 'commander'
import { accessGate, accessOf, withPurpose, type AccessOptions } from '../access.js'
import { interruptSignal } from '../interrupt.js'
import { bytesText, printJson, printLine, progressBar, printNote } from '../output.js'
import { cameraId, collect, decimal, parseSize, wholeNumber, withParent } from '../parse.js'
import { loadEngine, withNats, withSystemOptions } from '../system.js'

interface RecordCommandOptions extends AccessOptions {
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
  withPurpose(withSystemOptions(program.command('record')))
    .description('record the frames that cameras publish into a feed (MCAP), until Ctrl-C')
    .requiredOption(
      '--out <file>',
      'feed to write; with --max-size or --max-minutes: feed-0001.mcap, feed-0002.mcap ...',
    )
    .option('--camera <id>', 'only this camera; repeatable', collect(cameraId))
    .option('--max-size <size>', 'start a new file at this size, e.g. 2GB', parseSize)
    .option('--max-minutes <n>', 'start a new file after this many minutes', decimal(0.01, 100_000))
    .option('--frames <n>', 'stop after this many frames', wholeNumber(1))
    .option('--force', 'overwrite existing files')
    .addOption(withParent())
    .option('--json', 'print one JSON line at the end')
    .addHelpText(
      'after',
      `
It reads the stream beside the engines and takes nothing from them. A recording that is cut off (power
failure, kill) can be replayed up to that point.

Examples:
  platestream record --out today.mcap
  platestream record --out gate.mcap --camera gate-in --camera gate-out --max-size 2GB`,
    )
    .action(async (options: RecordCommandOptions) => {
      const signal = interruptSignal(options.withParent)
      await withNats(options, 'record', async (connection) => {
        const bar = progressBar(options.frames ?? 0, 'frames', '{size} in {file}', options.json)
        const { recordFeed } = await loadEngine()
        const summary = await recordFeed(await accessGate(), await accessOf(options), connection, {
          out: options.out,
          replace: options.force,
          cameras: options.camera,
          maxBytes: options.maxSize,
          maxMs: options.maxMinutes === undefined ? undefined : options.maxMinutes * 60_000,
          maxFrames: options.frames,
          signal,
          log: { warn: (_, message) => printNote(message) },
          onProgress: ({ frames, bytes, file }) => bar.update(frames, { size: bytesText(bytes), file }),
        })
        bar.stop()
        if (options.json) printJson(summary)
        else
          printLine(
            `${summary.frames} frames (${bytesText(summary.bytes)}) of ${summary.cameras} cameras in ` +
              `${summary.files.join(', ')}${summary.missed ? `; ${summary.missed} missed` : ''}`,
          )
      })
    })
}
