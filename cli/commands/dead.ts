import { writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import type { JetStreamManager } from 'nats'
import { type DeadFilter, deadLetter, type DeadLetter, deadLetters, drop, redrive } from '../../engine/mod.js'
import { usage } from '../failure.js'
import { interruption } from '../interrupt.js'
import { bytesText, printJson, printLine, printTable, progressBar } from '../output.js'
import { cameraId, wholeNumber } from '../parse.js'
import { withNats, withSystemOptions, type SystemOptions } from '../system.js'

interface FilterOptions extends SystemOptions, DeadFilter {
  json?: boolean
}

interface ChoiceOptions extends FilterOptions {
  all?: boolean
}

export function registerDead(program: Command): void {
  const dead = program.command('dead').description('frames that could not be processed: stream DEAD, with the reason')

  withFilter(withSystemOptions(dead.command('list')))
    .description('dead letters, oldest first')
    .option('--limit <n>', 'at most so many', wholeNumber(1), 100)
    .option('--from <seq>', 'from this number on', wholeNumber(1), 1)
    .option('--json', 'one JSON line for each')
    .action((options: FilterOptions & { limit: number; from: number }) =>
      withNats(options, 'dead list', async (connection) => {
        const manager = await connection.jetstreamManager()
        const found: DeadLetter[] = []
        for await (const { payload: _, ...letter } of deadLetters(manager, options, options.from)) {
          if (options.json) printJson(letter)
          found.push(letter)
          if (found.length >= options.limit) break
        }
        if (options.json) return
        if (found.length === 0) return printLine('none')
        printTable(
          ['seq', 'arrived', 'camera', 'size', 'reason', 'message'],
          found.map((d) => [d.seq, d.at, d.camera, bytesText(d.bytes), d.reason, d.message]),
        )
        if (found.length === options.limit)
          printLine(`... the first ${options.limit}; go on with --from ${found.at(-1)!.seq + 1}`)
      }),
    )

  withSystemOptions(dead.command('show'))
    .description('one dead letter')
    .argument('<seq>', 'number', wholeNumber(1))
    .option('--out <file>', 'write the payload to this file')
    .option('--json', 'one JSON line')
    .action((seq: number, options: SystemOptions & { out?: string; json?: boolean }) =>
      withNats(options, 'dead show', async (connection) => {
        const { payload, ...letter } = await deadLetter(await connection.jetstreamManager(), seq)
        if (options.out) writeFileSync(options.out, payload)
        printLine(JSON.stringify(letter, null, options.json ? 0 : 2))
      }),
    )

  withFilter(withSystemOptions(dead.command('redrive')))
    .description('send dead letters to the engines once more, after the cause is gone')
    .argument('[seq...]', 'numbers', collectSeq)
    .option('--all', 'all that the filter lets through')
    .option('--json', 'one JSON line')
    .addHelpText(
      'after',
      `
A letter leaves DEAD only after the stream has taken the frame.

Examples:
  platestream camera add gate-1 --lat 37.77 --lon -122.42 && platestream dead redrive --all --reason ALPR_ERR_CAMERA_UNKNOWN
  platestream dead redrive 17 18`,
    )
    .action((seqs: number[], options: ChoiceOptions) =>
      withNats(options, 'dead redrive', async (connection) => {
        const manager = await connection.jetstreamManager()
        const done = await forChosen(manager, seqs, options, (letter) => redrive(connection, manager, letter))
        if (options.json) printJson({ redriven: done })
        else printLine(`${done} sent again`)
      }),
    )

  withFilter(withSystemOptions(dead.command('drop')))
    .description('delete dead letters for good')
    .argument('[seq...]', 'numbers', collectSeq)
    .option('--all', 'all that the filter lets through')
    .option('--json', 'one JSON line')
    .action((seqs: number[], options: ChoiceOptions) =>
      withNats(options, 'dead drop', async (connection) => {
        const manager = await connection.jetstreamManager()
        const done = await forChosen(manager, seqs, options, (letter) => drop(manager, letter.seq))
        if (options.json) printJson({ dropped: done })
        else printLine(`${done} deleted`)
      }),
    )
}

const withFilter = (command: Command): Command =>
  command
    .option('--camera <id>', 'only of this camera', cameraId)
    .option('--reason <code>', 'only with this reason, e.g. ALPR_ERR_CAMERA_UNKNOWN')

const collectSeq = (text: string, before: number[] | undefined): number[] => [...(before ?? []), wholeNumber(1)(text)]

async function forChosen(
  manager: JetStreamManager,
  seqs: number[] | undefined,
  options: ChoiceOptions,
  work: (letter: DeadLetter & { payload: Uint8Array }) => Promise<void>,
): Promise<number> {
  const signal = interruption()
  if (!options.all && !seqs?.length) throw usage('give the numbers of the letters, or --all')
  if (options.all && seqs?.length) throw usage('give numbers or --all, not both')
  const bar = progressBar(seqs?.length ?? 0, 'letters', '', options.json)
  let done = 0
  const letters = options.all ? deadLetters(manager, options) : chosen(manager, seqs!)
  for await (const letter of letters) {
    if (signal.aborted) break
    await work(letter)
    bar.update(++done)
  }
  bar.stop()
  return done
}

async function* chosen(manager: JetStreamManager, seqs: number[]) {
  for (const seq of seqs) yield await deadLetter(manager, seq)
}
