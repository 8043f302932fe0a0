import { isMainThread, parentPort } from 'node:worker_threads'
import type { SearchTask } from '../../../engine/plate_search/search_messages.js'
import { matcherLayout } from '../../../wasm/internal_mod.js'

/** Numbers of results wanted at which the thread fails, and at which it ends by itself. */
export const THROWS = 7
export const EXITS = 8

/** A search thread that ends in the middle of certain searches. */
if (!isMainThread) {
  // First: the port gives its messages to those who listen by then.
  await import('../../../engine/plate_search/search_worker.js')
  parentPort!.on('message', (task: SearchTask) => {
    if (task.kind !== 'search') return
    const { buffer, byteOffset } = task.program
    const wanted = new DataView(buffer, byteOffset).getUint32(matcherLayout.PATTERN_LIMIT, true)
    if (wanted === THROWS) throw new Error('as asked')
    if (wanted === EXITS) process.exit(0)
  })
}
