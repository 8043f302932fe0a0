import type { CompiledList, Matcher } from '../../wasm/mod.js'
import { Plates, STATE_SHAPES } from '../random/plates.js'
import { quantile, timed } from '../report/statistics.js'
import { TablePrinter } from '../report/table.js'
import { turn, turnsIn } from './empty_loop.js'

const THRESHOLDS = [0.5, 0.1, 0.01, 0.001]
const CERTAINTIES = [0.98, 0.9, 0.7]
/** Times that a read is repeated, to separate its own work from what interrupts the machine. */
const REPEATS = 3
export const kHotListP99Goal = 20

export const HOT_LIST_GOALS = [`read against the list, p99: at most ${kHotListP99Goal} us`]

/** Times in microseconds. */
export interface HotListRow {
  threshold: number
  certainty: number
  p50: number
  p99: number
  /** p99 of the fastest of the repeats of each read. */
  ownP99: number
  emptyP50: number
  emptyP99: number
  /** Per read. */
  matches: number
}

/**
 * Matches reads against a list of `entries` plates. Beside each read, an empty loop runs for as long as the median read
 * took: when it takes longer, the machine is the cause. The fastest of `REPEATS` repeats of a read is the read's own
 * work, with its memory in the cache.
 */
export async function measureHotList(
  matcher: Matcher,
  entries: number,
  reads: number,
): Promise<{ rows: HotListRow[]; listed: string[] }> {
  const random = new Plates(42)
  const listed = Array.from({ length: entries }, () => random.text(random.pick(STATE_SHAPES)))
  const start = performance.now()
  const list = await matcher.compileList(listed)
  console.log(`hot list of ${entries} entries compiled in ${(performance.now() - start).toFixed(0)} ms`)
  const table = new TablePrinter([
    { title: 'us a read: p >=', width: 15 },
    { title: 'certainty', width: 10 },
    { title: 'p50', width: 8 },
    { title: 'p99', width: 8 },
    { title: 'own p99', width: 9 },
    { title: 'empty loop p50', width: 15 },
    { title: 'p99', width: 8 },
    { title: 'matches', width: 8 },
  ]).header()
  const rows: HotListRow[] = []
  for (const threshold of THRESHOLDS) {
    for (const certainty of CERTAINTIES) {
      const samples = Array.from({ length: reads }, () =>
        random.read(random.next() < 0.5 ? random.pick(listed) : random.text(random.pick(STATE_SHAPES)), certainty),
      )
      const row = { threshold, certainty, ...timesOf(matcher, list, threshold, samples) }
      rows.push(row)
      const times = [row.p50, row.p99, row.ownP99, row.emptyP50, row.emptyP99].map((us) => us.toFixed(1))
      table.row(threshold, certainty, ...times, row.matches.toFixed(2))
    }
  }
  matcher.release(list)
  return { rows, listed }
}

function timesOf(
  matcher: Matcher,
  list: CompiledList,
  threshold: number,
  samples: readonly Float32Array[][],
): Omit<HotListRow, 'threshold' | 'certainty'> {
  const match = (sample: Float32Array[]) => matcher.match(sample, list, threshold)
  const warm = samples.slice(0, 500).map((sample) => timed(() => match(sample)))
  const turns = turnsIn(quantile(warm, 0.5))
  const times: number[] = []
  const empty: number[] = []
  let matches = 0
  for (const sample of samples) {
    times.push(
      timed(() => {
        matches += match(sample).length
      }),
    )
    empty.push(timed(() => void turn(turns)))
  }
  const own = samples.map((sample) => Math.min(...Array.from({ length: REPEATS }, () => timed(() => match(sample)))))
  const us = (ms: readonly number[], share: number) => quantile(ms, share) * 1_000
  return {
    p50: us(times, 0.5),
    p99: us(times, 0.99),
    ownP99: us(own, 0.99),
    emptyP50: us(empty, 0.5),
    emptyP99: us(empty, 0.99),
    matches: matches / samples.length,
  }
}
