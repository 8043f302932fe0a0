import { sleep } from '../runtime/backoff.js'
import { Lease } from './lease.js'

/**
 * Does what one engine at a time may do, when its turn comes. A lease that is lost on the way (this process or NATS
 * stood still for seconds) does not end the work.
 * @throws the signal's reason when it aborts before the turn comes, what `work` throws, and when NATS does not answer
 */
export async function withLease<T>(lease: Lease, work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  while (!(await lease.acquire())) {
    await sleep(Lease.LOOK_MS, signal)
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

/** Keeps a lease until `over` aborts; aborts it itself when the lease is lost. */
export async function renewUntil(lease: Lease, over: AbortController): Promise<void> {
  while (!over.signal.aborted) {
    await sleep(Lease.RENEW_MS, over.signal)
    if (!over.signal.aborted && !(await lease.renew())) over.abort()
  }
}
