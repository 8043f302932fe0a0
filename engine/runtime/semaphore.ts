export interface SemaphoreOptions {
  /**
   * How many callers may wait for a permit; `acquire` rejects the next one with the error of `full`. @default no bound
   */
  maxWaiting?: number
  /** The error for a caller that may not even wait. */
  full?: () => Error
}

interface Waiter {
  resolve(release: () => void): void
  reject(error: unknown): void
}

/**
 * A counting semaphore. First come, first served: a released permit goes straight to the caller that has waited
 * longest and never back to the pool while somebody waits, so a newcomer cannot slip in between.
 *
 *     acquire ──► a permit is free ──► work ──► release ──► somebody waits: the permit is theirs
 *        │                                         └──────► nobody waits: the permit is free
 *        └──────► all are taken: wait ──► a permit | the signal's reason | the error of close
 */
export class Semaphore {
  #taken = 0
  /** In the order of their calls. */
  readonly #waiters = new Set<Waiter>()
  readonly #maxWaiting: number
  readonly #full: () => Error
  #closed: Error | undefined

  /** @param permits how many callers may hold one at the same time, 1 or more */
  constructor(
    readonly permits: number,
    { maxWaiting = Infinity, full = () => new Error(`${maxWaiting} callers wait already`) }: SemaphoreOptions = {},
  ) {
    if (!Number.isInteger(permits) || permits < 1) throw new RangeError(`${permits} is not a number of permits`)
    this.#maxWaiting = maxWaiting
    this.#full = full
  }

  /** Permits that nobody holds. While it is above 0, nobody waits. */
  get free(): number {
    return this.permits - this.#taken
  }

  /** Callers that wait for a permit. */
  get waiting(): number {
    return this.#waiters.size
  }

  /**
   * Waits for a permit.
   * @returns a function that gives the permit back; a second call does nothing
   * @throws the signal's reason when it aborts before there is a permit, the error of `full`, the error of `close`
   */
  async acquire({ signal }: { signal?: AbortSignal } = {}): Promise<() => void> {
    signal?.throwIfAborted()
    if (this.#closed) throw this.#closed
    if (this.#taken < this.permits) {
      this.#taken += 1
      return this.#permit()
    }
    if (this.#waiters.size >= this.#maxWaiting) throw this.#full()
    return this.#wait(signal)
  }

  /** Runs `work` with a permit. @throws what `acquire` and `work` throw */
  async run<T>(work: () => T | Promise<T>, options?: { signal?: AbortSignal }): Promise<T> {
    const release = await this.acquire(options)
    try {
      return await work()
    } finally {
      release()
    }
  }

  /**
   * Rejects all who wait, and every later `acquire`, with `error`. Permits in use stay valid until they are released.
   */
  close(error: Error): void {
    this.#closed ??= error
    for (const { reject } of this.#waiters) reject(this.#closed)
    this.#waiters.clear()
  }

  #wait(signal: AbortSignal | undefined): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiters.delete(waiter)
        reject(signal!.reason)
      }
      const settle = () => signal?.removeEventListener('abort', leave)
      const waiter: Waiter = {
        resolve: (release) => {
          settle()
          resolve(release)
        },
        reject: (error) => {
          settle()
          reject(error)
        },
      }
      this.#waiters.add(waiter)
      signal?.addEventListener('abort', leave, { once: true })
    })
  }

  /** The release function of one permit. A permit that is handed over stays taken: only its holder changes. */
  #permit(): () => void {
    let held = true
    return () => {
      if (!held) return
      held = false
      const [next] = this.#waiters
      if (next) {
        this.#waiters.delete(next)
        next.resolve(this.#permit())
      } else this.#taken -= 1
    }
  }
}
