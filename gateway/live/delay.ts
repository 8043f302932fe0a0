/** Hits older than this say nothing about the present delay, ms. */
const RECENT_MS = 60_000
const KEEP = 32

/**
 * Median time from capture to this gateway over the newest hits, milliseconds. A replay of past frames shows its true,
 * long delay.
 */
export class DelayMeter {
  #samples: { at: number; delay: number }[] = []

  /** @param capturedAt wall clock, ms; NaN is ignored */
  add(capturedAt: number, now = Date.now()): void {
    if (!Number.isFinite(capturedAt)) return
    this.#samples.push({ at: now, delay: Math.max(0, now - capturedAt) })
    if (this.#samples.length > KEEP) this.#samples.shift()
  }

  /** Undefined without a recent hit. */
  median(now = Date.now()): number | undefined {
    const delays = this.#samples
      .filter((sample) => now - sample.at < RECENT_MS)
      .map((sample) => sample.delay)
      .sort((a, b) => a - b)
    return delays[delays.length >> 1]
  }
}
