import { Events, type KV, type KvEntry, type NatsConnection } from 'nats'
import { backoffMs, sleep } from '../runtime/backoff.js'
import { natsReason } from './errors.js'

/** What a follower logs: pino's loggers fit. */
export interface WatchLog {
  warn(fields: object, message: string): void
}

export interface WatchOptions {
  /** A key has this value now. Must not throw. */
  put(key: string, entry: KvEntry): void
  /** A key is gone. */
  remove(key: string): void
  log?: WatchLog
}

/**
 * Follows every key of a bucket. Resolves when all that was there has been given to `put`; then goes on for ever.
 *
 * After a reconnect the whole bucket is read anew instead of waiting for the client's missed heartbeats (10 s and
 * more), and keys that vanished meanwhile without a trace (expired, purged) are removed. So `put` may see a value
 * twice; order per key is kept.
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
    // Asked after the watch began: a value that is there now was or will be delivered, and the last of them says that
    // none is pending.
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
        options.log?.warn({ reason: natsReason(error) }, 'following the key-value bucket failed, trying again')
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
