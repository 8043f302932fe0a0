import type { NatsConnection } from 'nats'
import { LEAST_THRESHOLD, type CompiledList, type Matcher } from '../../wasm/mod.js'
import { reasonOf } from '../errors.js'
import { watchKeys, type WatchLog } from '../nats/kv_watch.js'
import { BUCKET } from '../nats/topology.js'
import { contentVersion } from '../runtime/content_version.js'
import type { Metrics } from '../runtime/metrics.js'
import { parseHotList, type HotList, type HotListEntry } from './hotlist.js'
import { loadHotListEntries } from './hotlist_store.js'
import type { ListMatch } from './list_match.js'
import { PartialsInForce } from './partials_in_force.js'

interface LoadedList {
  record: HotList
  entries: readonly HotListEntry[]
  compiled: CompiledList
}

/**
 * The hot lists that the engine matches reads against, followed live. A new version is compiled beside the old one and
 * swapped in by one assignment, so no read is ever matched against a half-loaded list. When a version cannot be loaded,
 * the old one stays in force and the log says why (HOT-2).
 */
export class ListsInForce {
  private readonly lists = new Map<string, LoadedList>()
  private loading: Promise<void> = Promise.resolve()
  /** Version of the hot lists alone. */
  private listsVersion = versionOf([])
  private stopFollowing: () => void = () => {}
  private readonly partials: PartialsInForce

  constructor(
    private readonly matcher: Matcher,
    private readonly metrics: Metrics,
    private readonly log: WatchLog & { info(fields: object, text: string): void },
  ) {
    this.partials = new PartialsInForce(matcher.confusions, log)
  }

  /** Resolves when every stored list was loaded or failed to load; follows changes from then on until `stop`. */
  async follow(connection: NatsConnection): Promise<void> {
    const kv = await connection.jetstream().views.kv(BUCKET.hotlists, { bindOnly: true })
    const followed = await watchKeys(connection, kv, {
      put: (key, entry) => this.queue(connection, key, entry.string()),
      remove: (key) => this.queue(connection, key, undefined),
      log: this.log,
    })
    this.stopFollowing = followed.stop
    await this.partials.follow(connection)
    await this.loading
  }

  stop(): void {
    this.stopFollowing()
    this.partials.stop()
    for (const list of this.lists.values()) this.matcher.release(list.compiled)
    this.lists.clear()
  }

  /** One version for all lists in force: the content version of their ids and versions. */
  get version(): string {
    const partials = this.partials.versions
    return partials.length === 0 ? this.listsVersion : versionOf(this.records, partials)
  }

  get records(): HotList[] {
    return [...this.lists.values()].map((list) => list.record)
  }

  /**
   * Every entry, of all lists in force at `ts`, that the distribution may be. Lists with tolerance `exact` give exact
   * matches only; standing partials count as lists.
   * @param positions probabilities by position (37 each)
   * @param plate the voted text: decides which matches are exact
   * @param ts event time, ms
   * @param region region of issue as read; empty when unknown
   */
  check(positions: readonly Float32Array[], plate: string, ts: number, region = ''): ListMatch[] {
    const matches = this.partials.check(positions, region, ts)
    for (const { record, entries, compiled } of this.lists.values()) {
      // Half the list's own threshold: a hit that falls below the threshold stays distinct from one that is gone.
      const threshold = Math.max(LEAST_THRESHOLD, record.threshold * 0.5)
      const candidates = this.matcher.match(positions, compiled, threshold, region === '' ? undefined : region, true)
      for (const { entry: index, probability, tolerated } of candidates) {
        const entry = entries[index]!
        const exact = entry.plate === plate
        if (record.tolerance === 'exact' && !exact) continue
        if ((entry.from !== undefined && ts < entry.from) || (entry.until !== undefined && ts >= entry.until)) continue
        matches.push({ list: record, entry, probability, exact, tolerated })
      }
    }
    return matches
  }

  /** Applies changes one after the other, so that the last one written is the last one in force. */
  private queue(connection: NatsConnection, id: string, record: string | undefined): void {
    this.loading = this.loading.then(() => this.apply(connection, id, record))
  }

  /** @param json the stored record; undefined when it was deleted */
  private async apply(connection: NatsConnection, id: string, json: string | undefined): Promise<void> {
    const old = this.lists.get(id)
    try {
      if (json === undefined) {
        this.lists.delete(id)
      } else {
        const record = parseHotList(JSON.parse(json))
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
      this.listsVersion = versionOf(this.records)
      this.metrics.gauge(
        'hot_list_entries',
        [...this.lists.values()].reduce((sum, list) => sum + list.entries.length, 0),
      )
    } catch (error) {
      this.metrics.count('hot_list_failures_total')
      this.log.warn(
        { list: id, reason: reasonOf(error) },
        'hot list version not loaded, the previous version stays in force',
      )
    }
  }
}

/** @param partials versions of the standing partials */
function versionOf(records: readonly HotList[], partials: readonly string[] = []): string {
  const names = [...records.map(({ id, version }) => `${id}:${version}`), ...partials.map((version) => `?${version}`)]
  return contentVersion([names.sort().join('\n')])
}
