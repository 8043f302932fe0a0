import type { NatsConnection } from 'nats'
import { Dictionary, PlateBuilder, type Matcher, type Pattern, type SearchOptions, type SearchPage } from '../../wasm/mod.js'
import { reasonOf } from '../errors.js'
import { readsSubject } from '../nats/topology.js'
import type { LiveRead } from '../status.js'
import type { ClickHouseClient } from '../store/client.js'
import { checkName } from '../store/schema.js'
import { SearchPool } from './search_pool.js'

const HOUR_MS = 3_600_000
/** Reads remembered, so that later versions of one are not counted again. */
const MAX_RECENT = 100_000
/** Plates in fresh blocks from which the dictionary is built anew: scanning them costs more than packed ones. */
const MAX_FRESH_PLATES = 131_072

export interface PlateDictionaryOptions {
  /** Threads that search. @default 2 */
  threads?: number
  log?: { warn(fields: object, text: string): void; info(fields: object, text: string): void }
}

/**
 * Every distinct plate ever read, for searching: loaded from ClickHouse, grown by each read as the engine shows it, built anew beside itself when much
 * came new. A search sees one version from its beginning to its end.
 */
export class PlateDictionary {
  private readonly pool: SearchPool
  /** Read ids seen, with the plate they had then. */
  private readonly recent = new Map<string, string>()
  /** Reads that came while the dictionary was being built anew. */
  private meanwhile: { plate: string; region: string; hour: number }[] | undefined
  private generation = 1
  private stopFollowing: () => void = () => {}

  private constructor(
    private readonly matcher: Matcher,
    private readonly client: ClickHouseClient,
    private readonly database: string,
    private dictionary: Dictionary,
    private readonly options: PlateDictionaryOptions,
  ) {
    this.pool = new SearchPool(options.threads ?? 2)
  }

  /** Loads all there is. @throws ALPR_ERR_DICTIONARY_MEMORY, what the store says */
  static async load(matcher: Matcher, client: ClickHouseClient, database: string, options: PlateDictionaryOptions = {}): Promise<PlateDictionary> {
    checkName(database)
    return new PlateDictionary(matcher, client, database, await build(matcher, client, database, 1), options)
  }

  get size(): number {
    return this.dictionary.size
  }

  /** Changes with every read taken. */
  get version(): string {
    return this.dictionary.version
  }

  get bytes(): number {
    return this.dictionary.bytes
  }

  /** Follows the reads that engines store, until `close` or the connection ends. What is lost on the way comes with the next `reload`. */
  follow(connection: NatsConnection): void {
    const subscription = connection.subscribe(readsSubject('*'), {
      callback: (error, message) => {
        if (error) return
        try {
          const read = JSON.parse(message.string()) as LiveRead
          this.take(read.readId, read.plate, read.region, Date.parse(read.tsLast))
        } catch { /* not a read */ }
      },
    })
    this.stopFollowing = () => subscription.unsubscribe()
  }

  /**
   * One stored read; a later version of the same read counts once more only when its text changed.
   * @param ts of its last detection, ms
   */
  take(readId: string, plate: string, region: string, ts: number): void {
    if (typeof readId !== 'string' || typeof plate !== 'string' || plate === '' || !(ts > 0)) return
    const key = `${plate}@${region ?? ''}`
    if (this.recent.get(readId) === key) return
    this.recent.set(readId, key)
    if (this.recent.size > MAX_RECENT) this.recent.delete(this.recent.keys().next().value!)
    const hour = Math.floor(ts / HOUR_MS)
    const taken = this.dictionary.add(plate, region ?? '', hour)
    this.meanwhile?.push({ plate, region: region ?? '', hour })
    if ((taken === 'full' || this.dictionary.fresh > MAX_FRESH_PLATES) && !this.meanwhile) void this.rebuild()
  }

  /** The store's plates anew, beside the present ones, and swapped in one assignment. Searches under way end on the version they began with. */
  async reload(): Promise<void> {
    await this.swap(() => build(this.matcher, this.client, this.database, this.generation + 1))
  }

  /** Pages of a search (Dictionary.search). @throws ALPR_ERR_PATTERN_..., ALPR_ERR_SEARCH_INVALID, ALPR_ERR_SEARCHES_FULL */
  search(pattern: string | Pattern, options: SearchOptions = {}): AsyncGenerator<SearchPage, void, void> {
    return this.pool.search(this.dictionary, pattern, options)
  }

  async close(): Promise<void> {
    this.stopFollowing()
    await this.pool.close()
  }

  private async rebuild(): Promise<void> {
    const { dictionary } = this
    await this.swap(async () => {
      const builder = new PlateBuilder(this.matcher.module)
      const drained = dictionary.drain()
      await builder.addDrained(drained)
      for (const row of drained.long) builder.addRow(row)
      return Dictionary.of(this.matcher.module, await builder.build(), this.matcher.confusions, this.generation + 1)
    }).catch((error: unknown) => this.options.log?.warn({ reason: reasonOf(error) }, 'the dictionary could not be built anew, the one before stays'))
  }

  private async swap(make: () => Promise<Dictionary>): Promise<void> {
    if (this.meanwhile) return
    this.meanwhile = []
    try {
      const next = await make()
      for (const { plate, region, hour } of this.meanwhile) next.add(plate, region, hour)
      const before = this.dictionary
      this.dictionary = next
      this.generation += 1
      this.pool.release(before)
      this.options.log?.info({ plates: next.size, bytes: next.bytes, version: next.version }, 'dictionary of plates in place')
    } finally {
      this.meanwhile = undefined
    }
  }
}

/**
 * Week by week, as reads are partitioned: each week's plates leave the store grouped, as RowBinary, and the builder joins them. So the
 * store never groups more than a week.
 */
async function build(matcher: Matcher, client: ClickHouseClient, database: string, generation: number): Promise<Dictionary> {
  const builder = new PlateBuilder(matcher.module)
  const weeks = await client.query({ query: `SELECT toString(toMonday(ts)) AS week FROM ${database}.reads GROUP BY week ORDER BY week`, format: 'JSONEachRow' })
  for (const { week } of await weeks.json<{ week: string }>()) {
    const { stream } = await client.exec({
      query: `SELECT plate, toString(region), toUInt32(count()), toUInt32(intDiv(toUnixTimestamp(min(ts)), 3600)), toUInt32(intDiv(toUnixTimestamp(max(ts_last)), 3600))
        FROM ${database}.reads FINAL WHERE toMonday(ts) = toDate({week:String}) AND plate != '' GROUP BY plate, region FORMAT RowBinary`,
      query_params: { week },
    })
    for await (const piece of stream) await builder.addRows(piece as Buffer)
  }
  return Dictionary.of(matcher.module, await builder.build(), matcher.confusions, generation)
}
