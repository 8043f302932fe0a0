/**
 * Counters and gauges of one process by name, as plain numbers: cheap on the frame path. The names are listed in
 * docs/metrics.md. A bound that acts is counted under `bound_<name>_total` and remembered for the next status
 * (backpressure is never silent).
 */
export class Metrics {
  readonly counters: Record<string, number> = {}
  readonly gauges: Record<string, number> = {}
  private acted = new Set<string>()

  count(name: string, by = 1): void {
    this.counters[name] = (this.counters[name] ?? 0) + by
  }

  gauge(name: string, value: number): void {
    this.gauges[name] = value
  }

  bound(name: string): void {
    this.count(`bound_${name}_total`)
    this.acted.add(name)
  }

  /** Bounds that acted since the last call. */
  takeBounds(): string[] {
    const names = [...this.acted]
    this.acted = new Set()
    return names
  }
}
