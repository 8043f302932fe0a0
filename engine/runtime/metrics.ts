/**
 * Counters and gauges of one process by name, as plain numbers: cheap on the frame path. docs/metrics.md lists the
 * names. Each time a bound takes effect it is counted under `bound_<name>_total` and reported with the next status, so
 * backpressure is never silent.
 */
export class Metrics {
  readonly counters: Record<string, number> = {}
  readonly gauges: Record<string, number> = {}
  private activeBounds = new Set<string>()

  count(name: string, by = 1): void {
    this.counters[name] = (this.counters[name] ?? 0) + by
  }

  gauge(name: string, value: number): void {
    this.gauges[name] = value
  }

  /** Drops the gauges whose names begin with `prefix`: what they measured may be gone. */
  forget(prefix: string): void {
    for (const name of Object.keys(this.gauges)) if (name.startsWith(prefix)) delete this.gauges[name]
  }

  /** Counts that the bound `name` took effect. */
  bound(name: string): void {
    this.count(`bound_${name}_total`)
    this.activeBounds.add(name)
  }

  /** Bounds that took effect since the last call. */
  takeBounds(): string[] {
    const names = [...this.activeBounds]
    this.activeBounds = new Set()
    return names
  }
}
