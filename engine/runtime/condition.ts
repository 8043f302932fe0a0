/** Callers that wait until something is so. The code that changes what they wait for calls `changed`. */
export class Condition {
  readonly #waits = new Set<{ until: () => boolean; wake: () => void }>()
  #closed = false

  get isClosed(): boolean {
    return this.#closed
  }

  /** Waits until `until` holds, or for `ms`. After `close` nobody waits. */
  async wait(until: () => boolean, ms = Infinity): Promise<void> {
    if (this.#closed || until()) return
    await new Promise<void>((wake) => {
      const wait = { until, wake }
      this.#waits.add(wait)
      if (ms === Infinity) return
      // A wait that is over must not stay: a caller may look every few milliseconds for hours.
      const timer = setTimeout(() => {
        this.#waits.delete(wait)
        wake()
      }, ms)
      wait.wake = () => {
        clearTimeout(timer)
        wake()
      }
    })
  }

  /** Ends the waits of those for whom it is so now. */
  changed(): void {
    for (const wait of this.#waits) {
      if (!this.#closed && !wait.until()) continue
      this.#waits.delete(wait)
      wait.wake()
    }
  }

  /** Ends all waits, and those of later calls. */
  close(): void {
    this.#closed = true
    this.changed()
  }
}
