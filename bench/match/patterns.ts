import { SearchPool } from '../../engine/internal_mod.js'
import type { Dictionary, Matcher } from '../../wasm/mod.js'
import { REGION_SHAPES } from '../random/plates.js'
import { mean, timed } from '../report/statistics.js'
import { TablePrinter } from '../report/table.js'
import { loadDictionary } from './dictionary.js'

/** Patterns by kind; `limit`: the multiple of a memory scan that they may take. */
export const PATTERNS: readonly [kind: string, limit: number, pattern: string][] = [
  ['wildcards', 2, '7?B*4'],
  ['wildcards', 2, '7?B*'],
  ['wildcards', 2, '?8?B?4?'],
  ['wildcards', 2, '[8B]??1*7'],
  ['wildcards', 2, '*8BC1*'],
  ['wildcards', 2, '*7?B'],
  ['fragments', 2, '8BC&12'],
  ['one error', 4, '7ABC123~1'],
  ['one error', 4, 'AB12CDE~1'],
  ['one error', 4, '7?BC12?~1'],
  ['one error', 4, '*8BC123*~1'],
  ['one error', 4, '*8BC1*~1'],
  ['two errors', 6, '7ABC123~2'],
  ['two errors', 6, 'ABC1234567~2'],
  ['two errors', 6, '*8ABC123*~2'],
  ['two errors', 6, '*8BC12*~2'],
]
const ROUNDS = 9
/** The gain by threads is taken over the patterns that cost more than this, ms. */
const kHeavyMs = 5
export const kThreadGainGoal = 1.8

export const PATTERN_GOALS = [
  'a pattern, as a multiple of a memory scan: 2 with wildcards or fragments, 4 with one error, 6 with two',
  `gain by threads: at least ${kThreadGainGoal} times`,
]

export interface PatternRow {
  kind: string
  pattern: string
  matched: number
  /** One thread. */
  ms: number
  /** Of the memory scan, and of a scan of the stored text alone. */
  multiple: number
  ofText: number
  limit: number
  /** Several threads: gain over one, and time to the last page. */
  threads: number
  pooledMs: number
}

export interface PatternResult {
  plates: number
  loadMs: number
  bytesAPlate: number
  /** Time of the memory scan. */
  memoryMs: number
  rows: PatternRow[]
  threadGain: number
}

export async function measurePatterns(matcher: Matcher, count: number, threads: number): Promise<PatternResult> {
  const { dictionary, ms: loadMs, planesBytes } = await loadDictionary(matcher, count, REGION_SHAPES)
  const bytesAPlate = dictionary.bytes / dictionary.size
  console.log(`${dictionary.size} plates of 5 to 10 characters loaded in ${(loadMs / 1_000).toFixed(2)} s`)
  console.log(`  ${bytesAPlate.toFixed(2)} bytes a plate, ${(planesBytes / dictionary.size).toFixed(2)} of them text`)
  const { memoryMs, searches } = await searchOnOneThread(dictionary)
  printScan(dictionary, planesBytes, memoryMs)
  const pooled = await searchByThreads(dictionary, searches, threads)
  const textMs = (memoryMs * planesBytes) / dictionary.bytes
  const rows = searches.map(({ kind, limit, pattern, ms, matched }, i): PatternRow => {
    const { oneMs, allMs } = pooled[i]!
    return {
      kind,
      pattern,
      matched,
      ms,
      multiple: ms / memoryMs,
      ofText: ms / textMs,
      limit,
      threads: oneMs / allMs,
      pooledMs: allMs,
    }
  })
  printRows(rows, threads)
  const heavy = rows.filter(({ ms }) => ms > kHeavyMs)
  const threadGain = mean(heavy.map(({ threads: gain }) => gain))
  console.log(
    `${threads} threads, mean gain over the ${heavy.length} patterns of more than ${kHeavyMs} ms: ` +
      `${threadGain.toFixed(2)}x`,
  )
  return { plates: dictionary.size, loadMs, bytesAPlate, memoryMs, rows, threadGain }
}

interface Search {
  kind: string
  limit: number
  pattern: string
  ms: number
  matched: number
}

/** Best of `ROUNDS`; each round scans the memory first and then runs every pattern, so that all meet the same load. */
async function searchOnOneThread(dictionary: Dictionary): Promise<{ memoryMs: number; searches: Search[] }> {
  const instance = await dictionary.acquireInstance()
  const { exports } = instance.memory
  const from = Math.ceil(dictionary.memoryRange.from / 64) * 64
  const end = from + Math.floor(dictionary.bytes / 64) * 64
  const scanMemory = () => {
    for (let at = from; at < end; at += 1 << 20) exports.memoryScan(at, Math.min(at + (1 << 20), end))
  }
  const run = (program: Uint8Array) => {
    instance.memory.bytes(instance.pattern, program.length).set(program)
    exports.beginScan(instance.pattern)
    for (let block = exports.blocksNow(); block > 0; block -= 256)
      exports.scanBlocks(Math.max(0, block - 256), block, Infinity)
    // Completes what the scan deferred: it is part of the answer.
    exports.resultsHeld()
  }
  const searches = PATTERNS.map(([kind, limit, pattern]) => ({
    kind,
    limit,
    pattern,
    program: dictionary.prepare(pattern).program,
    ms: Infinity,
    matched: 0,
  }))
  let memoryMs = Infinity
  for (let round = 0; round < ROUNDS; round++) {
    memoryMs = Math.min(memoryMs, timed(scanMemory))
    for (const search of searches) {
      search.ms = Math.min(
        search.ms,
        timed(() => run(search.program)),
      )
      search.matched = exports.matchedPlates() >>> 0
    }
    await new Promise((resolve) => {
      setTimeout(resolve)
    })
  }
  return { memoryMs, searches }
}

/**
 * Runs each pattern to its last page by a pool of one and a pool of `threads`; best of `ROUNDS`.
 * @throws when a pool finds another number of plates than the single thread
 */
async function searchByThreads(
  dictionary: Dictionary,
  searches: readonly Search[],
  threads: number,
): Promise<{ oneMs: number; allMs: number }[]> {
  const pools = [new SearchPool(1), new SearchPool(threads)]
  const matchedBy = async (pool: SearchPool, pattern: string) => {
    for await (const page of pool.search(dictionary, pattern)) if (page.done) return page.matched
    return -1
  }
  const best = searches.map(() => pools.map(() => Infinity))
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, { pattern, matched }] of searches.entries()) {
      for (const [p, pool] of pools.entries()) {
        const start = performance.now()
        const found = await matchedBy(pool, pattern)
        best[i]![p] = Math.min(best[i]![p]!, performance.now() - start)
        if (found !== matched) throw new Error(`${pattern}: ${found} matches by threads, ${matched} by one`)
      }
    }
  }
  for (const pool of pools) await pool.close()
  return best.map(([oneMs, allMs]) => ({ oneMs: oneMs!, allMs: allMs! }))
}

function printScan({ bytes, size }: Dictionary, planesBytes: number, memoryMs: number): void {
  const msOf = (scanned: number) => ((memoryMs * scanned) / bytes).toFixed(2)
  const rate = (bytes / memoryMs / 1e6).toFixed(1)
  console.log(`memory-bound scan of its ${(bytes / 1e6).toFixed(0)} MB: ${memoryMs.toFixed(2)} ms (${rate} GB/s)`)
  console.log(`  of ten plain 6-bit characters a plate: ${msOf(((10 * 6) / 8) * size)} ms`)
  console.log(`  of the text as stored: ${msOf(planesBytes)} ms`)
}

function printRows(rows: readonly PatternRow[], threads: number): void {
  const table = new TablePrinter([
    { title: 'kind', width: 10, align: 'left' },
    { title: 'pattern', width: 14, align: 'left' },
    { title: 'ms', width: 8 },
    { title: 'of scan', width: 8 },
    { title: 'limit', width: 6 },
    { title: 'of text', width: 8 },
    { title: 'matches', width: 9 },
    { title: `${threads} threads`, width: 10 },
    { title: 'ms to page', width: 11 },
  ]).header()
  const times = (value: number) => `${value.toFixed(2)}x`
  for (const row of rows)
    table.row(
      row.kind,
      row.pattern,
      row.ms.toFixed(2),
      times(row.multiple),
      `${row.limit}x`,
      times(row.ofText),
      row.matched,
      times(row.threads),
      row.pooledMs.toFixed(2),
    )
}
