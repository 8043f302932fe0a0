/** Counts what happens, and says how often it did over the last whole seconds. */
export class RateMeter {
  readonly #seconds: number[] = []
  #second = -1
  #count = 0

  /** @param now monotonic, ms */
  add(now: number): void {
    this.#advance(now)
    this.#count++
  }

  /** Per second over the last up to five whole seconds; undefined before the first. */
  rate(now: number): number | undefined {
    this.#advance(now)
    if (this.#seconds.length === 0) return undefined
    return this.#seconds.reduce((sum, count) => sum + count, 0) / this.#seconds.length
  }

  #advance(now: number): void {
    const second = Math.floor(now / 1_000)
    if (this.#second < 0) this.#second = second
    for (let missing = Math.min(6, second - this.#second); missing > 0; missing--) {
      this.#seconds.push(this.#count)
      if (this.#seconds.length > 5) this.#seconds.shift()
      this.#count = 0
    }
    this.#second = second
  }
}
