import { build, type Histogram } from 'hdr-histogram-js'
import type { LinePanel } from './plot.js'
import { lower, type Figure } from './result.js'

/** Units of the histogram in a millisecond. */
const kUnitsPerMs = 100
/** Ten minutes. */
const kMostUnits = 60_000_000

/**
 * Delays in milliseconds, counted from the *intended* send time: a sender that is held up does not make the system look
 * faster (no coordinated omission). Three digits, up to ten minutes, in steps of 10 us.
 */
export class Latency {
  private readonly histogram: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: kMostUnits,
    numberOfSignificantValueDigits: 3,
  })

  add(ms: number): void {
    this.histogram.recordValue(Math.max(1, Math.min(kMostUnits, Math.round(ms * kUnitsPerMs))))
  }

  /** Adds the `counts` of another process. */
  addAll(counts: readonly [ms: number, count: number][]): void {
    for (const [ms, count] of counts)
      this.histogram.recordValueWithCount(Math.max(1, Math.round(ms * kUnitsPerMs)), count)
  }

  /** Distinct delays and how often each occurred, to send to another process. */
  get counts(): [ms: number, count: number][] {
    const seen = new Map<number, number>()
    let before = 0
    for (let p = 0; p <= 100; p = p < 99 ? p + 0.5 : p < 99.99 ? p + 0.01 : 100.1) {
      const value = this.histogram.getValueAtPercentile(Math.min(100, p)) / kUnitsPerMs
      const upTo = Math.round((Math.min(100, p) / 100) * this.count)
      if (upTo > before) seen.set(value, (seen.get(value) ?? 0) + upTo - before)
      before = Math.max(before, upTo)
    }
    return [...seen]
  }

  get count(): number {
    return this.histogram.totalCount
  }

  /** The delay at a percentile (0..100), ms. */
  at(percentile: number): number {
    return this.histogram.getValueAtPercentile(percentile) / kUnitsPerMs
  }

  /** The longest delay, ms. */
  get most(): number {
    return this.histogram.maxValue / kUnitsPerMs
  }

  /** Figures from p50 to the longest delay. @param goals ms by percentile, e.g. `{ p99: 400 }` */
  figures(name: string, goals: Readonly<Record<string, number>> = {}): Figure[] {
    const delays: [percentile: string, ms: number][] = [
      ['p50', this.at(50)],
      ['p90', this.at(90)],
      ['p99', this.at(99)],
      ['p99.9', this.at(99.9)],
      ['max', this.most],
    ]
    return delays.map(([percentile, ms]) => lower(`${name} ${percentile}`, ms, 'ms', goals[percentile]))
  }

  /** Delay by percentile. @param goal ms */
  panel(title: string, goal?: number): LinePanel {
    return percentilePanel(title, [{ name: `${this.count} events`, latency: this }], goal)
  }
}

const kPercentiles = [0, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.95, 99.99, 100]

/** Delays by percentile, on an axis that gives each further nine the same width. @param goal ms */
export function percentilePanel(
  title: string,
  lines: readonly { name: string; latency: Latency }[],
  goal?: number,
): LinePanel {
  const across = (p: number, count = 20_000) => 1 / Math.max(1 / count, 1 - p / 100)
  return {
    kind: 'lines',
    title,
    goal,
    y: { label: 'ms', log: true },
    x: { label: 'percentile', log: true, ticks: [0, 90, 99, 99.9, 99.99].map((p) => [across(p), `${p} %`]) },
    lines: lines.map(({ name, latency }) => ({
      name,
      points: kPercentiles
        .filter((p) => p === 100 || latency.count * (1 - p / 100) >= 1)
        .map((p) => [across(p, Math.max(2, latency.count)), Math.max(0.01, p === 100 ? latency.most : latency.at(p))]),
    })),
  }
}
