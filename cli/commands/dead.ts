import { writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import type { JetStreamManager } from 'nats'
import type { DeadFilter, DeadLetter } from '../../engine/mod.js'
import { accessGate, accessOf, withPurpose, type AccessOptions } from '../access.js'
import { confirmed } from '../confirm.js'
import { usage } from '../failure.js'
import { interruptSignal } from '../interrupt.js'
import { bytesText, printJson, printLine, printTable, progressBar } from '../output.js'
import { cameraId, wholeNumber } from '../parse.js'
import { loadEngine, withNats, withSystemOptions, type SystemOptions } from '../system.js'

interface FilterOptions extends SystemOptions, DeadFilter {
  json?: boolean
}

interface ChoiceOptions extends FilterOptions {
  all?: boolean
}

export function registerDead(program: Command): void {
  const dead = program
    .command('dead')
    .description('inspect, redrive or delete dead letters: messages that could not be processed (stream DEAD)')

  withFilter(withSystemOptions(dead.command('list')))
    .description('list dead letters, oldest first')
    .option('--limit <n>', 'maximum number of dead letters', wholeNumber(1), 100)
    .option('--from <seq>', 'first sequence number', wholeNumber(1), 1)
    .option('--json', 'print one JSON line per dead letter')
    .action((options: FilterOptions & { limit: number; from: number }) =>
      withNats(options, 'dead list', async (connection) => {
        const manager = await connection.jetstreamManager()
        const { deadLetters } = await loadEngine()
        const found: DeadLetter[] = []
        for await (const letter of deadLetters(manager, options, options.from)) {
          if (options.json) printJson(letter)
          found.push(letter)
          if (found.length >= options.limit) break
        }
        if (options.json) return
        if (found.length === 0) return printLine('none')
        printTable(
          ['seq', 'arrived', 'camera', 'size', 'reason', 'message'],
          found.map((d) => [
            d.seq,
            d.at,
            d.camera,
            d.kept ? bytesText(d.bytes) : `${bytesText(d.bytes)}, not kept`,
            d.reason,
            d.message,
          ]),
        )
        if (found.length === options.limit)
          printLine(`... the first ${options.limit}; continue with --from ${found.at(-1)!.seq + 1}`)
      }),
    )

  withPurpose(withSystemOptions(dead.command('show')))
    .description('print one dead letter')
    .argument('<seq>', 'sequence number', wholeNumber(1))
    .option('--out <file>', 'write the payload to this file')
    .option('--json', 'print one JSON line')
    .action((seq: number, options: AccessOptions & { out?: string; json?: boolean }) =>
      withNats(options, 'dead show', async (connection) => {
        const { readDeadLetter } = await loadEngine()
        const [gate, access] = [await accessGate(), await accessOf(options)]
        const manager = await connection.jetstreamManager()
        const { payload, ...letter } = await readDeadLetter(gate, access, manager, seq)
        if (options.out) writeFileSync(options.out, payload, { mode: 0o600 })
        printLine(JSON.stringify(letter, null, options.json ? 0 : 2))
      }),
    )

  withFilter(withSystemOptions(dead.command('redrive')))
    .description('publish dead letters to the engines again, once the cause is fixed')
    .argument('[seq...]', 'sequence numbers', collectSeq)
    .option('--all', 'all dead letters that match the filter')
    .option('--json', 'print one JSON line')
    .addHelpText(
      'after',
      `
A dead letter is removed from DEAD only after the stream has acknowledged the frame.

Examples:
  platestream camera add gate-1 --lat 37.77 --lon -122.42
  platestream dead redrive --all --reason ALPR_ERR_CAMERA_UNKNOWN
  platestream dead redrive 17 18`,
    )
    .action((seqs: number[], options: ChoiceOptions) =>
      withNats(options, 'dead redrive', async (connection) => {
        const manager = await connection.jetstreamManager()
        const { redrive } = await loadEngine()
        let skipped = 0
        const done = await forChosen(manager, seqs, options, async ({ seq, kept }) => {
          // Of those that are named, the error says it.
          if (options.all && !kept) return void skipped++
          await redrive(connection, manager, seq)
        })
        const redriven = done - skipped
        if (options.json) printJson({ redriven, skipped })
        else
          printLine(
            skipped === 0
              ? `${redriven} redriven`
              : `${redriven} redriven; ${skipped} cannot be, their payloads were not kept ("dead drop" deletes them)`,
          )
      }),
    )

  withFilter(withSystemOptions(dead.command('drop')))
    .description('delete dead letters permanently')
    .argument('[seq...]', 'sequence numbers', collectSeq)
    .option('--all', 'all dead letters that match the filter')
    .option('--yes', 'with --all: delete without asking; needed where no terminal can answer')
    .option('--json', 'print one JSON line')
    .action(async (seqs: number[], options: ChoiceOptions & { yes?: boolean }) => {
      if (options.all && !seqs?.length) await confirmed('delete all dead letters that match the filter', options.yes)
      await withNats(options, 'dead drop', async (connection) => {
        const manager = await connection.jetstreamManager()
        const { drop } = await loadEngine()
        const done = await forChosen(manager, seqs, options, (letter) => drop(manager, letter.seq))
        if (options.json) printJson({ dropped: done })
        else printLine(`${done} deleted`)
      })
    })
}

const withFilter = (command: Command): Command =>
  command
    .option('--camera <id>', 'only this camera', cameraId)
    .option('--reason <code>', 'only this reason, e.g. ALPR_ERR_CAMERA_UNKNOWN')

const collectSeq = (text: string, before: number[] | undefined): number[] => [...(before ?? []), wholeNumber(1)(text)]

async function forChosen(
  manager: JetStreamManager,
  seqs: number[] | undefined,
  options: ChoiceOptions,
  work: (letter: DeadLetter) => Promise<void>,
): Promise<number> {
  const signal = interruptSignal()
  if (!options.all && !seqs?.length) throw usage('give sequence numbers, or --all')
  if (options.all && seqs?.length) throw usage('give sequence numbers or --all, not both')
  const bar = progressBar(seqs?.length ?? 0, 'dead letters', '', options.json)
  let done = 0
  const { deadLetters } = await loadEngine()
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
  const { findDeadLetter } = await loadEngine()
  for (const seq of seqs) yield await findDeadLetter(manager, seq)
}
