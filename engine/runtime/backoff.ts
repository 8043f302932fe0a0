/**
 * Pauses between attempts: doubled each time, with jitter so that the clients of a dead server do not all return at the
 * same instant. All times are milliseconds.
 */
export interface BackoffOptions {
  /** First pause. */
  firstMs?: number
  /** No pause is longer than this (before jitter). */
  maxMs?: number
}

/** The pause before attempt `attempt` (0, 1, 2 ...): `first * 2^attempt`, at most `max`, jittered by -25 % to +25 %. */
export function backoffMs(attempt: number, { firstMs = 100, maxMs = 5_000 }: BackoffOptions = {}): number {
  const pause = Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 30))
  return Math.round(pause * (0.75 + Math.random() * 0.5))
}

/** Sleeps; wakes early, without an error, when the signal aborts. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const done = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal?.addEventListener('abort', done, { once: true })
  })
}

/**
 * The result of `work` if it comes within `ms`. A slow `work` is not stopped.
 * @throws what `work` throws; an error without a code when it takes longer
 */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const done = new AbortController()
  const late = sleep(ms, done.signal).then(() => {
    throw new Error(`no answer within ${ms / 1_000} s`)
  })
  late.catch(() => {})
  try {
    return await Promise.race([work, late])
  } finally {
    done.abort()
  }
}
