import { parentPort } from 'node:worker_threads'
import { loadMatcher } from '../../wasm/load_node.js'
import type { SharedList } from '../../wasm/mod.js'
import { reasonOf } from '../errors.js'
import { contentVersion } from '../runtime/content_version.js'
import { EntryTable } from './entry_table.js'

/** To the thread; the text is transferred. */
export interface CompileTask {
  id: number
  /** Version that the content must have. */
  version: string
  text: Uint8Array<ArrayBuffer>
  /** The memory of a list that is no longer in force, to be used again. */
  memory?: WebAssembly.Memory
}

/**
 * From the thread: `ready` once, when it listens; then for each task `progress` any number of times, and the result
 * (text and starts are transferred) or `failed`.
 */
export type CompileReport = { ready: true } | TaskReport
export type TaskReport = { id: number } & (
  | { progress: true }
  | { text: Uint8Array<ArrayBuffer>; starts: Uint32Array<ArrayBuffer>; list: SharedList }
  | { failed: string }
)

/** Parses and compiles hot lists, so that the engine's main thread is free for reads. */
const port = parentPort!
const matcher = await loadMatcher()

port.on('message', ({ id, version, text, memory }: CompileTask) => {
  if (memory) matcher.module.keepIdle(memory)
  void compile(id, version, text)
})
port.postMessage({ ready: true } satisfies CompileReport)

async function compile(id: number, version: string, text: Uint8Array<ArrayBuffer>): Promise<void> {
  const report = (message: TaskReport, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer)
  const progress = () => report({ id, progress: true })
  try {
    const found = contentVersion([text])
    if (found !== version) throw new Error(`its content has version ${found}, the record says ${version}`)
    progress()
    const entries = EntryTable.of(text)
    progress()
    const list = matcher.shareList(await matcher.compileList(entries, progress))
    const { starts } = entries
    report({ id, text, starts, list }, [text.buffer, starts.buffer])
  } catch (error) {
    report({ id, failed: reasonOf(error) })
  }
}
