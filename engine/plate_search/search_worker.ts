import { parentPort } from 'node:worker_threads'
import { openSearchInstance, resultBytes, SCAN_PIECE, type SharedDictionary } from '../../wasm/mod.js'

/** Messages of the pool to a thread. */
export type SearchTask =
  | { kind: 'open'; dictionary: number; shared: SharedDictionary; counter: number }
  | { kind: 'close'; dictionary: number }
  | { kind: 'search'; dictionary: number; search: number; program: Uint8Array; blocks: number }
  | { kind: 'stop'; search: number }

/** Messages of a thread to the pool: its best results so far. */
export interface SearchReport {
  search: number
  /** As in the thread's memory: 16 bytes each. */
  results: Uint8Array
  /** Plates that match, of the blocks scanned. */
  matched: number
  /** Blocks scanned. */
  blocks: number
  /** The thread has no more blocks to scan, or was stopped. */
  done: boolean
}

/**
 * Offset from the counter of pieces to the threads' shared lower bound for results (wasm/assembly/matcher/results.ts),
 * bytes.
 */
const SHARED_FLOOR_OFFSET = 4

/** Interval between two reports, milliseconds. */
const REPORT_MS = 25

/**
 * One thread of a search pool. Threads take the next piece of blocks from a counter in the dictionary's memory, from
 * the end (newest) to the beginning, so that none waits for another.
 */
const matchers = new Map<number, { matcher: ReturnType<typeof openSearchInstance>; counter: number }>()
/** Searches to end early. */
const stopped = new Set<number>()

parentPort!.on('message', (task: SearchTask) => {
  if (task.kind === 'open') open(task)
  else if (task.kind === 'close') matchers.delete(task.dictionary)
  else if (task.kind === 'stop') stopped.add(task.search)
  else void scan(task)
})

function open({ dictionary, shared, counter }: SearchTask & { kind: 'open' }): void {
  const matcher = openSearchInstance(shared)
  matcher.memory.exports.shareFloor(counter + SHARED_FLOOR_OFFSET)
  matchers.set(dictionary, { matcher, counter })
}

async function scan({ dictionary, search, program, blocks }: SearchTask & { kind: 'search' }): Promise<void> {
  const { matcher, counter } = matchers.get(dictionary)!
  const { exports, memory } = matcher.memory
  const pieces = new Int32Array(memory.buffer, counter, 1)
  const report = (done: boolean, scanned: number) =>
    parentPort!.postMessage({
      search,
      results: resultBytes(matcher.memory, done).slice(),
      matched: exports.matchedPlates() >>> 0,
      blocks: scanned,
      done,
    } satisfies SearchReport)
  matcher.memory.bytes(matcher.pattern, program.length).set(program)
  exports.beginScan(matcher.pattern)
  let scanned = 0
  let last = performance.now()
  for (;;) {
    const piece = Atomics.add(pieces, 0, 1)
    const end = blocks - piece * SCAN_PIECE
    if (end <= 0 || stopped.has(search)) break
    const from = Math.max(0, end - SCAN_PIECE)
    exports.scanBlocks(from, end)
    scanned += end - from
    if (performance.now() - last >= REPORT_MS) {
      report(false, scanned)
      last = performance.now()
      // Let a stop message in.
      await new Promise((resolve) => {
        setImmediate(resolve)
      })
    }
  }
  stopped.delete(search)
  report(true, scanned)
}
