import { parentPort } from 'node:worker_threads'
import { openSearchInstance, resultBytes, SCAN_PIECE, type SharedDictionary } from '../../wasm/mod.js'

/** What the pool asks of a worker. */
export type SearchTask =
  | { kind: 'open'; dictionary: number; shared: SharedDictionary; counter: number }
  | { kind: 'close'; dictionary: number }
  | { kind: 'search'; dictionary: number; search: number; program: Uint8Array; blocks: number }
  | { kind: 'stop'; search: number }

/**
 * What a worker says: its best so far, or that it has nothing left to do. `results` is what lies in its memory: 16
 * bytes each.
 */
export interface SearchReport {
  search: number
  results: Uint8Array
  matched: number
  blocks: number
  done: boolean
}

/**
 * Behind the counter of pieces lies the floor that the threads have in common (wasm/assembly/matcher/results.ts),
 * bytes.
 */
const FLOOR_AT = 4

/** Time between two reports, milliseconds. */
const REPORT_MS = 25

/**
 * One thread of a search pool. Threads take the next piece of blocks from a counter in the dictionary's memory, from
 * the end (newest) to the beginning, so that none waits for another.
 */
const instances = new Map<number, { instance: ReturnType<typeof openSearchInstance>; counter: number }>()
const stopped = new Set<number>()

parentPort!.on('message', (task: SearchTask) => {
  if (task.kind === 'open') open(task)
  else if (task.kind === 'close') instances.delete(task.dictionary)
  else if (task.kind === 'stop') stopped.add(task.search)
  else void scan(task)
})

function open({ dictionary, shared, counter }: SearchTask & { kind: 'open' }): void {
  const instance = openSearchInstance(shared)
  instance.memory.exports.shareFloor(counter + FLOOR_AT)
  instances.set(dictionary, { instance, counter })
}

async function scan({ dictionary, search, program, blocks }: SearchTask & { kind: 'search' }): Promise<void> {
  const { instance, counter } = instances.get(dictionary)!
  const { exports, memory } = instance.memory
  const pieces = new Int32Array(memory.buffer, counter, 1)
  const report = (done: boolean, seen: number) =>
    parentPort!.postMessage({
      search,
      results: resultBytes(instance.memory, done).slice(),
      matched: exports.matchedPlates() >>> 0,
      blocks: seen,
      done,
    } satisfies SearchReport)
  instance.memory.bytes(instance.pattern, program.length).set(program)
  exports.beginScan(instance.pattern)
  let seen = 0
  let last = performance.now()
  for (;;) {
    const piece = Atomics.add(pieces, 0, 1)
    const end = blocks - piece * SCAN_PIECE
    if (end <= 0 || stopped.has(search)) break
    const from = Math.max(0, end - SCAN_PIECE)
    exports.scanBlocks(from, end)
    seen += end - from
    if (performance.now() - last >= REPORT_MS) {
      report(false, seen)
      last = performance.now()
      // a stop may be waiting
      await new Promise((resolve) => {
        setImmediate(resolve)
      })
    }
  }
  stopped.delete(search)
  report(true, seen)
}
