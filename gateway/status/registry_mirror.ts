import type { KvEntry, NatsConnection } from 'nats'
import { BUCKET, type Camera, followKeys, type HotList, parseCamera, parseHotList } from '../../engine/mod.js'
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
    const put = (key: string, entry: KvEntry) => {
      try {
        into.set(key, parse(entry.json()))
      } catch {
        // The engine refuses and reports a record that does not parse.
        into.delete(key)
      }
    }
    const changes = { put, remove: (key: string) => void into.delete(key) }
    try {
      const store = await nats.jetstream({ timeout: 3_000 }).views.kv(bucket, { bindOnly: true })
      const ending = AbortSignal.any([signal, AbortSignal.timeout(REFRESH_MS)])
      await followKeys(store, new Set(into.keys()), changes, () => this.#problems.delete(bucket), ending)
    } catch (error) {
      this.#problems.set(bucket, reasonOf(error))
      throw error
    }
  }
}

function sorted<T extends { id: string }>(map: Map<string, T>): T[] {
  return [...map.values()].sort((a, b) => a.id.localeCompare(b.id))
}
