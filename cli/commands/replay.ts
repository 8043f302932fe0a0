import { basename } from 'node:path'
import { Option, type Command } from 'commander'
import { inspectFeed, replay } from '../../engine/feeds/mod.js'
import { ReportedFailure } from '../failure.js'
import { interruptSignal } from '../interrupt.js'
import { bytesText, isWatched, printJson, printLine, progressBar, secondsText, printNote } from '../output.js'
import { decimal, oneOf, wholeNumber, withParent } from '../parse.js'
import { withNats, withSystemOptions, type SystemOptions } from '../system.js'

interface ReplayCommandOptions extends SystemOptions {
  speed: number
  rate?: number
  loop: number
  shiftTime: 'keep' | 'now'
  register: boolean
  withParent?: boolean
  json?: boolean
}

/** Parses `original`, `max` or a factor. */
function parseSpeed(text: string): number {
  if (text === 'original') return 1
  return text === 'max' ? Infinity : decimal(0.01, 10_000)(text)
}

export function registerReplay(program: Command): void {
  withSystemOptions(program.command('replay'))
    .description('publish recorded feeds as if their cameras were sending now')
    .argument('<file...>', 'feeds (MCAP); several are merged by time')
    .addOption(
      new Option('--speed <speed>', 'original, max, or a factor such as 10')
        .argParser(parseSpeed)
        .default(1, 'original'),
    )
    .option(
      '--rate <fps>',
      'frames per second over all cameras, instead of the recorded times',
      decimal(0.001, 1_000_000),
    )
    .option(
      '--loop <n>',
      'number of times to play the feed, with consecutive event times',
      wholeNumber(1, 1_000_000),
      1,
    )
    .option(
      '--shift-time <how>',
      'now: shift capture times so that the feed happens now; keep: as recorded',
      oneOf('now', 'keep'),
      'now' as const,
    )
    .option('--no-register', 'do not register unknown cameras of the feed')
    .addOption(withParent())
    .option('--json', 'print one JSON line at the end')
    .addHelpText(
      'after',
      `
No frame is skipped: replay waits while the stream is half full or the server is unavailable. The frames of each camera
keep their order.

Examples:
  platestream replay bench/feeds/sample.mcap
  platestream replay yesterday.mcap --speed 10 --shift-time keep
  platestream replay garage.mcap street.mcap --speed max --loop 3 --json`,
    )
    .action(async (files: string[], options: ReplayCommandOptions) => {
      const signal = interruptSignal(options.withParent)
      // A feed is looked through before it is played, and each loop reads it again: what is wrong is said once.
      const said = new Set<string>()
      const log = {
        warn: (fields: object, message: string) => {
          const note = `${basename(String((fields as { file?: string }).file ?? 'feed'))}: ${message}`
          if (!said.has(note)) printNote(note)
          said.add(note)
        },
      }
      // Reports an invalid file before connecting to a server.
      for (const file of files) await inspectFeed(file)
      await withNats(options, 'replay', async (connection) => {
        const bar = progressBar(1, 'frames', '{rate} frames/s  {late} late  ETA {eta_formatted}  {note}', options.json)
        const started = performance.now()
        let shown = { sent: 0, total: 0, late: 0, note: '', at: 0 }
        const show = (change: Partial<typeof shown>) => {
          shown = { ...shown, ...change, at: performance.now() }
          const rate = (shown.sent / ((shown.at - started) / 1_000)).toFixed(0)
          bar.update(shown.sent, { rate, late: secondsText(shown.late), note: shown.note }, shown.total)
        }
        const summary = await replay(connection, {
          files,
          speed: options.speed,
          rate: options.rate,
          loops: options.loop,
          shiftTime: options.shiftTime,
          register: options.register,
          signal,
          log,
          onWaiting: (reason) => {
            const note = reason ? `waiting: ${reason}` : ''
            if (note === shown.note) return
            show({ note })
            if (note && !isWatched()) printNote(note)
          },
          onProgress: ({ sent, total, lateMs }) => {
            if (performance.now() - shown.at >= 200 || sent === total) show({ sent, total, late: lateMs })
          },
        })
        bar.stop()
        if (options.json) printJson(summary)
        else {
          const { frames, published, duplicates, refused, bytes, ms, cameras, registered } = summary
          printLine(
            `${published} frames (${bytesText(bytes)}) of ${cameras} cameras in ${secondsText(ms)}, ` +
              `${((published * 1_000) / Math.max(1, ms)).toFixed(0)} frames/s`,
          )
          if (registered > 0) printLine(`${registered} new cameras registered`)
          if (duplicates > 0)
            printLine(`${duplicates} of ${frames} frames were already on the stream (same feed within 2 minutes)`)
          if (refused > 0) printLine(`${refused} frames exceed the size limit of the stream`)
        }
        if (summary.refused > 0) throw new ReportedFailure(1)
      })
    })
}
