import { parentPort, workerData } from 'node:worker_threads'
import { loadWasmFile } from '../../wasm/load_node.js'
import {
  MatcherMemory,
  MatcherModule,
  PlateBuilder,
  WasmError,
  writeDictionary,
  type DictionaryImage,
  type HandedMemory,
} from '../../wasm/mod.js'
import type { ErrorCode, ErrorDetails } from '../errors.js'

/** What the thread starts with: a memory to write the dictionary into, if there is one to reuse. */
export interface BuildData {
  memory: WebAssembly.Memory | undefined
}

/** Messages to the thread: rows in RowBinary, then their end. */
export type BuildTask = { kind: 'rows'; bytes: Uint8Array } | { kind: 'end' }

/** Messages of the thread: it has taken rows in; the dictionary; or why there is none. */
export type BuildReport =
  | { kind: 'taken' }
  | { kind: 'built'; memory: HandedMemory; image: DictionaryImage }
  | { kind: 'failed'; code: ErrorCode; details: ErrorDetails; text: string }

/**
 * Builds one dictionary, in a thread of its own, so that the process that searches is not held up, and the memory of
 * the build is free as soon as the thread has ended.
 */
const report = (message: BuildReport) => parentPort!.postMessage(message)
const building = (async () => {
  const module = await MatcherModule.of(await loadWasmFile('matcher.wasm'))
  return { module, builder: new PlateBuilder(module) }
})()
let queue: Promise<void> = Promise.resolve()

parentPort!.on('message', (task: BuildTask) => {
  queue = queue.then(() => take(task)).catch(fail)
})

async function take(task: BuildTask): Promise<void> {
  const { module, builder } = await building
  if (task.kind === 'rows') {
    await builder.addRows(task.bytes)
    report({ kind: 'taken' })
    return
  }
  const built = await builder.build()
  const memory = MatcherMemory.create(module.module, (workerData as BuildData).memory)
  const image = writeDictionary(module, memory, built)
  report({ kind: 'built', memory: memory.handOver(), image })
}

function fail(error: unknown): void {
  const { code, details } = error instanceof WasmError ? error : { code: 'ALPR_ERR_INTERNAL' as const, details: {} }
  report({ kind: 'failed', code, details, text: String(error) })
}
