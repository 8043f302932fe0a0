/**
 * A value that is asked for often, such as one of the store that every query needs: at most `maxAgeMs` old. It is
 * loaded again after half of that time, so that a service in regular use never waits for it.
 */
export class CachedValue<T> {
  #cached: { at: number; value: T } | undefined
  #loading: Promise<T> | undefined

  constructor(
    private readonly maxAgeMs: number,
    private readonly now: () => number,
    private readonly load: () => Promise<T>,
  ) {}

  /** @throws what `load` throws; the next call retries */
  async get(): Promise<T> {
    const age = this.#cached === undefined ? Infinity : this.now() - this.#cached.at
    if (age > this.maxAgeMs) return this.#load()
    if (age > this.maxAgeMs / 2)
      this.#load().catch(() => {
        /* the cached value is still good; after `maxAgeMs` the caller gets the error */
      })
    return this.#cached!.value
  }

  /** The age counts from the request, not from the answer: a change in between may be missing. */
  #load(): Promise<T> {
    if (this.#loading) return this.#loading
    const at = this.now()
    this.#loading = this.load().finally(() => {
      this.#loading = undefined
    })
    return this.#loading.then((value) => {
      this.#cached = { at, value }
      return value
    })
  }
}
