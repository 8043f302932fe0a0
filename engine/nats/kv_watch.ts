import { Events, type KV, type KvEntry, type NatsConnection } from 'nats'
import { backoffMs, sleep } from '../runtime/backoff.js'
import { natsLogReason } from './errors.js'

/** The logger of a watch; pino's loggers fit. */
export interface WatchLog {
  warn(fields: object, message: string): void
}

/** What is done with the keys of a bucket. */
export interface KeyChanges {
  /** A key has this value now. Must not throw. */
  put(key: string, entry: KvEntry): void
  /** A key was deleted, purged or has expired. */
  remove(key: string): void
}

export interface WatchOptions extends KeyChanges {
  log?: WatchLog
}

/**
 * Watches a bucket once: every present key, then each change, until `signal` aborts or the watch ends.
 * @param known keys that the caller has; it is kept up to date. Those that are gone without a trace (expired, purged,
 *   deleted before the watch began) are removed as soon as all present keys are read
 * @param isRead called at that moment
 */
export async function followKeys(
  bucket: KV,
  known: Set<string>,
  { put, remove }: KeyChanges,
  isRead: () => void,
  signal: AbortSignal,
): Promise<void> {
  const seen = new Set<string>()
  const forget = (key: string) => {
    if (known.delete(key)) remove(key)
  }
  const changes = await bucket.watch()
  let completed = false
  const complete = () => {
    if (completed) return
    completed = true
    for (const key of known) if (!seen.has(key)) forget(key)
    isRead()
  }
  const stop = () => changes.stop()
  if (signal.aborted) return stop()
  signal.addEventListener('abort', stop, { once: true })
  try {
    // Asked after the watch began: every value present now was or will be delivered, and the last one says that none is
    // pending.
    if ((await bucket.status()).values === 0) complete()
    for await (const entry of changes) {
      seen.add(entry.key)
      if (entry.operation === 'PUT') {
        known.add(entry.key)
        put(entry.key, entry)
      } else forget(entry.key)
      if (entry.delta === 0) complete()
    }
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/**
 * Mirrors a bucket. Resolves when `put` has received every present key; then keeps watching until `stop`.
 *
 * After a reconnect it reads the whole bucket again instead of waiting for the client's missed heartbeats (10 s and
 * more), and removes keys that disappeared meanwhile without a trace (expired, purged). So `put` may receive a value
 * twice; the order per key is kept.
 */
export async function watchKeys(
  connection: NatsConnection,
  bucket: KV,
  options: WatchOptions,
): Promise<{ stop(): void }> {
  const known = new Set<string>()
  let stopped = false
  let round = new AbortController()
  let firstRound = true

  const follow = async (isRead: () => void) => {
    for (let attempt = 0; !stopped && !connection.isClosed(); attempt++) {
      try {
        round = new AbortController()
        if (stopped) return
        const read = () => {
          attempt = 0
          isRead()
        }
        await followKeys(bucket, known, options, read, round.signal)
      } catch (error) {
        if (firstRound) throw error
        options.log?.warn({ reason: natsLogReason(error) }, 'watching the key-value bucket failed, retrying')
      }
      if (!stopped) await sleep(backoffMs(attempt))
    }
  }
  await new Promise<void>((resolve, reject) => {
    follow(() => {
      firstRound = false
      resolve()
    }).catch(reject)
  })
  void (async () => {
    for await (const status of connection.status()) {
      if (stopped) return
      if (status.type === Events.Reconnect) round.abort()
    }
  })()
  return {
    stop: () => {
      stopped = true
      round.abort()
    },
  }
}
