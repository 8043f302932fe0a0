import type { NatsConnection } from 'nats'
import { BUCKET, type Camera, type HotList, parseCamera, parseHotList } from '../../engine/mod.js'
import { HOUR_MS, reasonOf } from '../../engine/runtime/mod.js'
import type { NatsTask } from '../live/nats_link.js'

/** A hot list whose last load is older than this is stale, ms: downloads are due twice a day (HOT-1). */
const STALE_MS = 12 * HOUR_MS
/** How often a watch is restarted, ms. The client revives a watch that lost its consumer, but updates can be missed. */
const REFRESH_MS = 300_000

/**
 * The current cameras and hot lists of the registry, followed live from their buckets. The last known state stays
 * available while NATS is unreachable.
 */
export class RegistryMirror {
  readonly #cameras = new Map<string, Camera>()
  readonly #lists = new Map<string, HotList>()
  readonly #problems = new Map<string, string>()

  /** Sorted by id. */
  cameras(): Camera[] {
    return sorted(this.#cameras)
  }
  /** Sorted by id. */
  lists(): HotList[] {
    return sorted(this.#lists)
  }
  camera(id: string): Camera | undefined {
    return this.#cameras.get(id)
  }

  /** Why a bucket is not being followed; empty when both are. */
  problem(): string {
    return [...this.#problems].map(([bucket, reason]) => `${bucket}: ${reason}`).join('; ')
  }

  staleLists(now = Date.now()): HotList[] {
    return this.lists().filter((list) => now - Date.parse(list.loadedAt) > STALE_MS)
  }

  readonly camerasTask: NatsTask = (nats, signal) =>
    this.#follow(nats, signal, BUCKET.cameras, this.#cameras, parseCamera)
  readonly listsTask: NatsTask = (nats, signal) =>
    this.#follow(nats, signal, BUCKET.hotlists, this.#lists, parseHotList)

  async #follow<T>(
    nats: NatsConnection,
    signal: AbortSignal,
    bucket: string,
    into: Map<string, T>,
    parse: (value: unknown) => T,
  ): Promise<void> {
    try {
      await mirror(nats, signal, bucket, into, parse, () => this.#problems.delete(bucket))
    } catch (error) {
      this.#problems.set(bucket, reasonOf(error))
      throw error
    }
  }
}

/** Mirrors a bucket into a map. Skips records that do not parse: the engine refuses and reports them. */
async function mirror<T>(
  nats: NatsConnection,
  signal: AbortSignal,
  bucket: string,
  into: Map<string, T>,
  parse: (value: unknown) => T,
  onComplete: () => void,
): Promise<void> {
  const store = await nats.jetstream({ timeout: 3_000 }).views.kv(bucket, { bindOnly: true })
  const watch = await store.watch()
  const stop = () => watch.stop()
  signal.addEventListener('abort', stop, { once: true })
  const refresh = setTimeout(stop, REFRESH_MS)
  // A new watch does not report keys deleted before it, so its initial values say what exists.
  const first = new Set<string>()
  let complete = false
  const check = () => {
    if (complete || watch.getPending() > 0) return
    complete = true
    for (const key of into.keys()) if (!first.has(key)) into.delete(key)
    onComplete()
  }
  check()
  try {
    for await (const entry of watch) {
      if (entry.operation === 'PUT') {
        try {
          into.set(entry.key, parse(entry.json()))
          first.add(entry.key)
        } catch {
          into.delete(entry.key)
        }
      } else into.delete(entry.key)
      check()
    }
  } finally {
    clearTimeout(refresh)
    signal.removeEventListener('abort', stop)
  }
}

function sorted<T extends { id: string }>(map: Map<string, T>): T[] {
  return [...map.values()].sort((a, b) => a.id.localeCompare(b.id))
}
