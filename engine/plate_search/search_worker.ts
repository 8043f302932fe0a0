import { parentPort } from 'node:worker_threads'
import { openSearchInstance, resultBytes, SCAN_PIECE } from '../../wasm/mod.js'
import { FLOOR_OFFSET, WORK_INDEX, WORK_UNITS, type SearchReport, type SearchTask } from './search_messages.js'

/** Interval between two reports, milliseconds. */
const REPORT_MS = 25
/** Work of one call, units: short beside REPORT_MS, so that a thread hears of a stop in time. */
const SLICE_UNITS = 5e6

/**
 * One thread of a search pool. Threads take the next piece of blocks from a counter in the dictionary's memory, from
 * the end (newest) to the beginning, so that none waits for another. The first piece is the long plates.
 */
const matchers = new Map<number, { matcher: ReturnType<typeof openSearchInstance>; counters: number }>()
/** Searches to end early. */
const stopped = new Set<number>()

parentPort!.on('message', (task: SearchTask) => {
  if (task.kind === 'open') open(task)
  else if (task.kind === 'close') matchers.delete(task.dictionary)
  else if (task.kind === 'stop') stopped.add(task.search)
  else void scan(task)
})

function open({ dictionary, shared, counters }: SearchTask & { kind: 'open' }): void {
  const matcher = openSearchInstance(shared)
  matcher.memory.exports.shareFloor(counters + FLOOR_OFFSET)
  matchers.set(dictionary, { matcher, counters })
}

async function scan(task: SearchTask & { kind: 'search' }): Promise<void> {
  const { search, program } = task
  // of searches that were over when they were stopped
  for (const other of stopped) if (other < search) stopped.delete(other)
  const { matcher, counters } = matchers.get(task.dictionary)!
  const { exports, memory } = matcher.memory
  const shared = new Int32Array(memory.buffer, counters, 3)
  const scanned = { blocks: 0, longs: 0 }
  let partial = false
  let charged = 0
  const report = (done: boolean) =>
    parentPort!.postMessage({
      search,
      results: resultBytes(matcher.memory, done).slice(),
      matched: exports.matchedPlates() >>> 0,
      ...scanned,
      work: exports.workDone(),
      done,
      partial,
    } satisfies SearchReport)
  /** Adds the work since the last call to that of all threads. @returns whether the budget is used up */
  const isSpent = (): boolean => {
    const work = Math.floor(exports.workDone() / WORK_UNITS)
    const all = Atomics.add(shared, WORK_INDEX, work - charged) + work - charged
    charged = work
    return all >= task.budget
  }
  let last = performance.now()
  /** Reports and lets a stop message in, from time to time. @returns whether the search goes on */
  const goesOn = async (): Promise<boolean> => {
    if (performance.now() - last < REPORT_MS) return !stopped.has(search)
    report(false)
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
    last = performance.now()
    return !stopped.has(search)
  }
  matcher.memory.bytes(matcher.pattern, program.length).set(program)
  exports.beginScan(matcher.pattern)
  let going = true
  while (going) {
    const piece = Atomics.add(shared, 0, 1)
    const isLong = piece === 0
    let end = isLong ? task.longs : task.blocks - (piece - 1) * SCAN_PIECE
    if (end <= 0 && !isLong) break
    const from = isLong ? 0 : Math.max(0, end - SCAN_PIECE)
    while (going && end > from) {
      if (isSpent()) {
        partial = true
        going = false
        break
      }
      const reached =
        (isLong ? exports.scanLongs(from, end, SLICE_UNITS) : exports.scanBlocks(from, end, SLICE_UNITS)) >>> 0
      scanned[isLong ? 'longs' : 'blocks'] += end - reached
      end = reached
      going = await goesOn()
    }
  }
  // what waits is weighed however the scan ended, except when nobody wants the results
  while (!stopped.has(search) && !exports.settleResults(SLICE_UNITS)) await goesOn()
  if (stopped.delete(search)) exports.beginScan(matcher.pattern)
  report(true)
}
