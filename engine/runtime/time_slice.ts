/**
 * For long work without waits: after `ms` it should let the event loop read its sockets and run its timers, or leases
 * expire and answers count as missing.
 *
 *     for (...) {
 *       if (slice.isOver) await slice.next()
 */
export class TimeSlice {
  private began = performance.now()

  constructor(private readonly ms = 20) {}

  get isOver(): boolean {
    return performance.now() - this.began > this.ms
  }

  /** Resolves when everything else that is due has had its turn. */
  async next(): Promise<void> {
    await new Promise(setImmediate)
    this.began = performance.now()
  }
}
