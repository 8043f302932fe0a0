import { Worker } from 'node:worker_threads'
import { Dictionary, type ConfusionModel, type MatcherModule } from '../../wasm/mod.js'
import { AlprError } from '../errors.js'
import { Condition } from '../runtime/condition.js'
import type { BuildData, BuildReport, BuildTask } from './build_worker.js'

/** Pieces of rows that the building thread may have before it: each is at most a few hundred kilobytes. */
const MAX_AHEAD = 8

/**
 * Builds a dictionary from rows in RowBinary, in a thread of its own. The dictionary's memory comes from the module,
 * which keeps those that are given back; that of the build ends with the thread.
 * @param rows pieces, cut anywhere
 * @throws ALPR_ERR_DICTIONARY_MEMORY, the error of `rows`, the signal's reason
 */
export async function buildDictionary(
  module: MatcherModule,
  model: ConfusionModel,
  generation: number,
  rows: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<Dictionary> {
  signal.throwIfAborted()
  const reused = module.takeIdle(Infinity)
  const thread = new Worker(new URL('./build_worker.js', import.meta.url), {
    execArgv: [],
    workerData: { memory: reused } satisfies BuildData,
  })
  let ahead = 0
  let adopted = false
  const reported = new Condition()
  let built: (BuildReport & { kind: 'built' }) | undefined
  let fail: (error: unknown) => void = () => {}
  const failed = new Promise<never>((_, reject) => {
    fail = reject
  })
  failed.catch(() => {})
  const abort = () => fail(signal.reason)
  thread.on('message', (report: BuildReport) => {
    if (report.kind === 'taken') ahead -= 1
    else if (report.kind === 'built') built = report
    else fail(new AlprError(report.code, report.details, { cause: new Error(report.text) }))
    reported.changed()
  })
  thread.on('error', fail)
  thread.on('exit', () => fail(new AlprError('ALPR_ERR_INTERNAL', {}, { cause: new Error('the build thread ended') })))
  signal.addEventListener('abort', abort)
  const until = (reached: () => boolean) => Promise.race([reported.wait(reached), failed])
  const tell = (task: BuildTask) => thread.postMessage(task)
  const pieces = rows[Symbol.asyncIterator]()
  try {
    for (;;) {
      const { done, value: bytes } = await Promise.race([pieces.next(), failed])
      if (done) break
      await until(() => ahead < MAX_AHEAD)
      ahead += 1
      tell({ kind: 'rows', bytes })
    }
    tell({ kind: 'end' })
    await until(() => built !== undefined)
    const dictionary = Dictionary.adopt(module, built!, model, generation)
    adopted = true
    return dictionary
  } finally {
    signal.removeEventListener('abort', abort)
    // not waited for: a piece that never comes must not hold up the end
    if (!adopted) void pieces.return?.()?.catch(() => {})
    await thread.terminate()
    if (reused && !adopted) module.keepIdle(reused)
  }
}
