/** Callers that wait until something is so; whoever changes what they wait for says `changed`. */
export class Condition {
  readonly #waits = new Set<{ until: () => boolean; wake: () => void }>()
  #closed = false

  get isClosed(): boolean {
    return this.#closed
  }

  /** Waits until `until` holds. After `close` nobody waits. */
  async wait(until: () => boolean): Promise<void> {
    if (!this.#closed && !until()) await new Promise<void>((wake) => this.#waits.add({ until, wake }))
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
