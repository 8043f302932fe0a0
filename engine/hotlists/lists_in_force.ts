import { createHash } from 'node:crypto'
import type { NatsConnection } from 'nats'
import { LEAST_THRESHOLD, type CompiledList, type Matcher } from '../../wasm/mod.js'
import { reasonOf } from '../errors.js'
import type { Tolerated } from '../model/hit.js'
import type { Metrics } from '../runtime/metrics.js'
import { watchKeys, type WatchLog } from '../nats/kv_watch.js'
import { BUCKET } from '../nats/topology.js'
import { parseHotList, type HotList, type HotListEntry } from './hotlist.js'
import { loadHotListEntries } from './hotlist_store.js'
import { PartialsInForce } from './partials_in_force.js'

/** One entry that a read may be, with the reason why. */
export interface ListMatch {
  list: HotList
  entry: HotListEntry
  /** Probability that the plate on the road is the listed one. */
  probability: number
  exact: boolean
  tolerated: Tolerated[]
}

interface LoadedList {
  record: HotList
  entries: readonly HotListEntry[]
  compiled: CompiledList
}

/**
 * The hot lists that the engine matches against, followed live. A new version is compiled beside the old one and
 * swapped in one assignment, so no read is ever matched against a half-loaded list; a version that cannot be loaded
 * leaves the old one in force and says so (HOT-2).
 */
export class ListsInForce {
  private readonly lists = new Map<string, LoadedList>()
  private loading: Promise<void> = Promise.resolve()
  private digest = digestOf([])
  private stopFollowing: () => void = () => {}
  private readonly standing: PartialsInForce

  constructor(
    private readonly matcher: Matcher,
    private readonly metrics: Metrics,
    private readonly log: WatchLog & { info(fields: object, text: string): void },
  ) {
    this.standing = new PartialsInForce(matcher.confusions, log)
  }

  /** Resolves when every list there is has been loaded (or has failed to); follows from then on until `stop`. */
  async follow(connection: NatsConnection): Promise<void> {
    const kv = await connection.jetstream().views.kv(BUCKET.hotlists, { bindOnly: true })
    const followed = await watchKeys(connection, kv, {
      put: (key, entry) => this.queue(connection, key, entry.string()),
      remove: (key) => this.queue(connection, key, undefined),
      log: this.log,
    })
    this.stopFollowing = followed.stop
    await this.standing.follow(connection)
    await this.loading
  }

  stop(): void {
    this.stopFollowing()
    this.standing.stop()
    for (const list of this.lists.values()) this.matcher.release(list.compiled)
    this.lists.clear()
  }

  /** One id for all lists in force: first 16 hex digits of the SHA-256 over their names and versions. */
  get version(): string {
    const standing = this.standing.versions
    return standing.length === 0 ? this.digest : digestOf(this.records, standing)
  }

  get records(): HotList[] {
    return [...this.lists.values()].map((list) => list.record)
  }

  /**
   * Every entry, of all lists in force at `ts`, that the distribution may be. Lists with tolerance `exact` only give
   * exact matches; standing partials count as lists.
   * @param positions probabilities by position (37 each)
   * @param plate the voted text: decides what is exact
   * @param region of issue as read, empty when it could not be told
   */
  check(positions: readonly Float32Array[], plate: string, ts: number, region = ''): ListMatch[] {
    const found = this.standing.check(positions, region, ts)
    for (const { record, entries, compiled } of this.lists.values()) {
      // Looser than the list's own threshold, so that a hit that falls below it can be told from one that is gone.
      for (const match of this.matcher.match(
        positions,
        compiled,
        Math.max(LEAST_THRESHOLD, record.threshold * 0.5),
        region === '' ? undefined : region,
        true,
      )) {
        const entry = entries[match.entry]!
        const exact = entry.plate === plate
        if (record.tolerance === 'exact' && !exact) continue
        if ((entry.from !== undefined && ts < entry.from) || (entry.until !== undefined && ts >= entry.until)) continue
        found.push({ list: record, entry, probability: match.probability, exact, tolerated: match.tolerated })
      }
    }
    return found
  }

  /** One change after the other, so that the last one written is the last one in force. */
  private queue(connection: NatsConnection, id: string, record: string | undefined): void {
    this.loading = this.loading.then(() => this.apply(connection, id, record))
  }

  private async apply(connection: NatsConnection, id: string, value: string | undefined): Promise<void> {
    const old = this.lists.get(id)
    try {
      if (value === undefined) {
        this.lists.delete(id)
      } else {
        const record = parseHotList(JSON.parse(value))
        if (old?.record.version === record.version) {
          this.lists.set(id, { ...old, record })
          return
        }
        const entries = await loadHotListEntries(connection.jetstream(), record)
        const compiled = await this.matcher.compileList(entries.map((entry) => entry.plate))
        this.lists.set(id, { record, entries, compiled })
        this.log.info({ list: id, version: record.version, entries: entries.length }, 'hot list in force')
      }
      if (old) this.matcher.release(old.compiled)
      this.digest = digestOf(this.records)
      this.metrics.gauge(
        'hot_list_entries',
        [...this.lists.values()].reduce((sum, list) => sum + list.entries.length, 0),
      )
    } catch (error) {
      this.metrics.count('hot_list_failures_total')
      this.log.warn(
        { list: id, reason: reasonOf(error) },
        'hot list version not loaded, the version before stays in force',
      )
    }
  }
}

function digestOf(records: readonly HotList[], standing: readonly string[] = []): string {
  const text = [
    ...records.map((record) => `${record.id}:${record.version}`),
    ...standing.map((version) => `?${version}`),
  ]
    .sort()
    .join('\n')
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
