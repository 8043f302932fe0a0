/**
 * Pauses between attempts: doubled each time, with jitter so that many clients of one dead server do not come back
 * in the same instant. All times are milliseconds of wall time.
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

/**
 * Sleeps, and wakes early (without an error) when the signal is aborted. The timer does not keep a process alive by
 * itself if `unref`.
 */
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
 * What `work` gives, if it does within `ms`; it goes on all the same. @throws an error without a code when it takes
 * longer
 */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const over = new AbortController()
  const late = sleep(ms, over.signal).then(() => {
    throw new Error(`no answer within ${ms / 1_000} s`)
  })
  late.catch(() => {})
  try {
    return await Promise.race([work, late])
  } finally {
    over.abort()
  }
}
