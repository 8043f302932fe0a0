import { sleep } from '../runtime/backoff.js'
import { Lease } from './lease.js'

/**
 * Waits for a lease, runs `work` while holding it, and releases it. Losing the lease meanwhile (this process or NATS
 * stalled for seconds) does not end the work.
 * @throws the signal's reason when it aborts before the lease is held, what `work` throws, and when NATS does not
 * answer
 */
export async function withLease<T>(lease: Lease, work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  while (!(await lease.acquire())) {
    await sleep(Lease.POLL_MS, signal)
    signal.throwIfAborted()
  }
  const done = new AbortController()
  const renewing = renewUntil(lease, done)
  try {
    return await work()
  } finally {
    done.abort()
    await renewing
    await lease.release()
  }
}

/** Renews a lease until `over` aborts; aborts `over` when the lease is lost. */
export async function renewUntil(lease: Lease, over: AbortController): Promise<void> {
  while (!over.signal.aborted) {
    await sleep(Lease.RENEW_MS, over.signal)
    if (!over.signal.aborted && !(await lease.renew())) over.abort()
  }
}
