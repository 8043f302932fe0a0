import { Events, type KV, type KvEntry, type NatsConnection } from 'nats'
import { backoffMs, sleep } from '../runtime/backoff.js'
import { natsReason } from './errors.js'

/** The logger of a watch; pino's loggers fit. */
export interface WatchLog {
  warn(fields: object, message: string): void
}

export interface WatchOptions {
  /** A key has this value now. Must not throw. */
  put(key: string, entry: KvEntry): void
  /** A key was deleted, purged or has expired. */
  remove(key: string): void
  log?: WatchLog
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
  let endRound = () => {}
  let firstRound = true

  const round = async (isRead: () => void) => {
    const seen = new Set<string>()
    const changes = await bucket.watch()
    let completed = false
    const complete = () => {
      if (completed) return
      completed = true
      for (const key of known) if (!seen.has(key)) forget(key)
      isRead()
    }
    endRound = () => changes.stop()
    if (stopped) return changes.stop()
    // Asked after the watch began: every value present now was or will be delivered, and the last one says that none is
    // pending.
    if ((await bucket.status()).values === 0) complete()
    for await (const entry of changes) {
      seen.add(entry.key)
      if (entry.operation === 'PUT') {
        known.add(entry.key)
        options.put(entry.key, entry)
      } else forget(entry.key)
      if (entry.delta === 0) complete()
    }
  }
  const forget = (key: string) => {
    if (known.delete(key)) options.remove(key)
  }

  const follow = async (isRead: () => void) => {
    for (let attempt = 0; !stopped && !connection.isClosed(); attempt++) {
      try {
        await round(() => {
          attempt = 0
          isRead()
        })
      } catch (error) {
        if (firstRound) throw error
        options.log?.warn({ reason: natsReason(error) }, 'watching the key-value bucket failed, retrying')
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
      if (status.type === Events.Reconnect) endRound()
    }
  })()
  return {
    stop: () => {
      stopped = true
      endRound()
    },
  }
}
