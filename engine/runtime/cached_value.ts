/**
 * Something small that every question needs to know of the store, at most `maxAgeMs` old. It is asked for anew when
 * half of that is over, so that a desk in use never waits for it.
 */
export class CachedValue<T> {
  #held: { at: number; value: T } | undefined
  #coming: Promise<T> | undefined

  constructor(
    private readonly maxAgeMs: number,
    private readonly now: () => number,
    private readonly load: () => Promise<T>,
  ) {}

  /** @throws what `load` throws; the next call tries again */
  async get(): Promise<T> {
    const age = this.#held === undefined ? Infinity : this.now() - this.#held.at
    if (age > this.maxAgeMs) return this.#fresh()
    if (age > this.maxAgeMs / 2)
      this.#fresh().catch(() => {
        /* what is held is good for a while, then the caller hears it */
      })
    return this.#held!.value
  }

  /** As old as its question is, not as its answer: what changed meanwhile may be missing in it. */
  #fresh(): Promise<T> {
    if (this.#coming) return this.#coming
    const at = this.now()
    this.#coming = this.load().finally(() => {
      this.#coming = undefined
    })
    return this.#coming.then((value) => {
      this.#held = { at, value }
      return value
    })
  }
}
