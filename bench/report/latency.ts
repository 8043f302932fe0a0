import { build, type Histogram } from 'hdr-histogram-js'
import type { Figure } from './result.js'
import type { LinePanel } from './plot.js'

/**
 * Delays from the time at which something was *meant* to be sent, ms: a sender that is held up does not make the system
 * look faster (no coordinated omission). Three digits, to ten minutes, in steps of 10 us.
 */
export class Latency {
  private readonly histogram: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 60_000_000,
    numberOfSignificantValueDigits: 3,
  })

  add(ms: number): void {
    this.histogram.recordValue(Math.max(1, Math.min(60_000_000, Math.round(ms * 100))))
  }

  /** Adds what another process measured, as `encode` gave it. */
  addAll(counts: readonly [ms: number, count: number][]): void {
    for (const [ms, count] of counts) this.histogram.recordValueWithCount(Math.max(1, Math.round(ms * 100)), count)
  }

  /** Distinct delays with how often each came, to be sent to another process. */
  get counts(): [ms: number, count: number][] {
    const seen = new Map<number, number>()
    let before = 0
    for (let p = 0; p <= 100; p = p < 99 ? p + 0.5 : p < 99.99 ? p + 0.01 : 100.1) {
      const value = this.histogram.getValueAtPercentile(Math.min(100, p)) / 100
      const upTo = Math.round((Math.min(100, p) / 100) * this.count)
      if (upTo > before) seen.set(value, (seen.get(value) ?? 0) + upTo - before)
      before = Math.max(before, upTo)
    }
    return [...seen]
  }

  get count(): number {
    return this.histogram.totalCount
  }

  at(percentile: number): number {
    return this.histogram.getValueAtPercentile(percentile) / 100
  }

  get most(): number {
    return this.histogram.maxValue / 100
  }

  /** p50 to the longest as figures. @param goals by percentile */
  figures(name: string, goals: Record<string, number> = {}): Figure[] {
    return [
      ['p50', this.at(50)],
      ['p90', this.at(90)],
      ['p99', this.at(99)],
      ['p99.9', this.at(99.9)],
      ['max', this.most],
    ].map(([at, value]) => ({
      name: `${name} ${at}`,
      value: value as number,
      unit: 'ms',
      better: 'lower',
      ...(goals[at as string] !== undefined && { goal: goals[at as string] }),
    }))
  }

  /** Delay over the share of events that waited at least so long. */
  panel(title: string, goal?: number): LinePanel {
    return percentilePanel(title, [{ name: `${this.count} events`, latency: this }], goal)
  }
}

/** Percentiles on an axis that gives each nine the same room. */
export function percentilePanel(
  title: string,
  lines: readonly { name: string; latency: Latency }[],
  goal?: number,
): LinePanel {
  const percentiles = [0, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.95, 99.99, 100]
  const place = (p: number, count = 20_000) => 1 / Math.max(1 / count, 1 - p / 100)
  return {
    kind: 'lines',
    title,
    goal,
    y: { label: 'ms', log: true },
    x: { label: 'percentile', log: true, ticks: [0, 90, 99, 99.9, 99.99].map((p) => [place(p), `${p} %`]) },
    lines: lines.map(({ name, latency }) => ({
      name,
      points: percentiles
        .filter((p) => p === 100 || latency.count * (1 - p / 100) >= 1)
        .map((p) => [place(p, Math.max(2, latency.count)), Math.max(0.01, p === 100 ? latency.most : latency.at(p))]),
    })),
  }
}
