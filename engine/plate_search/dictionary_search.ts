import type { ClickHouseClient } from '@clickhouse/client'
import { loadWasmFile } from '../../wasm/load_node.js'
import { ConfusionModel, Dictionary, MatcherModule, PlateBuilder, type SearchPage } from '../../wasm/mod.js'
import { STREAMED } from '../store/client.js'
import { checkDatabaseName } from '../store/ddl.js'
import { allPlatesQuery, newPlates, platePartsState, platesByText, type PlateRow } from '../store/plate_queries.js'
import {
  hourText,
  type Candidates,
  type FoundPage,
  type PlateSearch,
  type RunQuery,
  type SearchAsk,
} from './candidates.js'
import { IngestedParts } from './ingested_parts.js'
import type { SearchPool } from './search_pool.js'

/** Nanoseconds that one thread needs a plate, for the worst patterns; for the planner. */
const NS_PER_PLATE = 4
/** Most plates that a search returns (the matcher's bound). */
const MAX_RESULTS = 10_000
/**
 * Interval between two updates of the dictionary, so that small parts are read before merges hide them, milliseconds.
 */
const UPDATE_EVERY_MS = 2_000
/**
 * The times of parts and the store's clock are whole seconds: parts of the last ones are checked again, whether they
 * are ingested or not.
 */
const OVERLAP_S = 2

/**
 * The WASM dictionary as the source of plates. It is loaded from the table `plates` and brought up to date before each
 * search: the parts of that table that were written since the last update are small and few. So a search misses no
 * plate that was stored before it began. One exception: a plate last seen over a month ago that is uploaded late and
 * merged into a large part within two seconds is found after the next rebuild only.
 */
export class DictionarySearch implements PlateSearch {
  readonly name = 'dictionary'
  /** The store's clock at the last update, less the overlap, Unix seconds. */
  #since = 0
  readonly #parts = new IngestedParts()
  #updating: Promise<void> | undefined
  #nextUpdate: Promise<void> | undefined

  private constructor(
    private dictionary: Dictionary,
    private readonly database: string,
    private readonly pool: SearchPool | undefined,
    private readonly rebuild: () => Promise<Dictionary>,
  ) {}

  /** Loads all plates. @throws ALPR_ERR_DICTIONARY_MEMORY, or the client's error */
  static async load(
    client: ClickHouseClient,
    database: string,
    options: { pool?: SearchPool; signal?: AbortSignal } = {},
  ): Promise<DictionarySearch> {
    checkDatabaseName(database)
    const module = await MatcherModule.of(await loadWasmFile('matcher.wasm'))
    const model = ConfusionModel.of(JSON.parse(Buffer.from(await loadWasmFile('confusions.json')).toString()))
    let generation = 0
    const build = async () => {
      const builder = new PlateBuilder(module)
      const result = await client.exec({
        query: allPlatesQuery(database),
        clickhouse_settings: STREAMED,
        ...(options.signal && { abort_signal: options.signal }),
      })
      for await (const chunk of result.stream) await builder.addRows(chunk as Buffer)
      return Dictionary.of(module, await builder.build(), model, ++generation)
    }
    const begin = Math.floor(Date.now() / 1_000)
    const search = new DictionarySearch(await build(), database, options.pool, build)
    search.#since = begin - OVERLAP_S
    return search
  }

  /** Follows the table until the signal fires. */
  follow(rows: RunQuery, signal: AbortSignal): void {
    const timer = setInterval(() => {
      this.#update(rows).catch(() => {
        /* the next update, or the search that needs it, reports the error */
      })
    }, UPDATE_EVERY_MS)
    timer.unref()
    signal.addEventListener('abort', () => clearInterval(timer), { once: true })
  }

  get size(): number {
    return this.dictionary.size
  }
  get bytes(): number {
    return this.dictionary.bytes
  }

  async expectedMs(): Promise<number> {
    return (this.dictionary.size * NS_PER_PLATE) / 1e6 + 10
  }

  async *pages(ask: SearchAsk, rows: RunQuery): AsyncGenerator<FoundPage> {
    for await (const { matches, matched, scanned, plates, done } of await this.#scan(ask, rows)) {
      const stored = await this.#storedRows(matches, rows)
      yield {
        plates: matches.map(({ plate, region, probability, count, firstHour, lastHour, tolerated }) => {
          const row = stored.get(`${plate}@${region}`)
          return {
            plate,
            region,
            probability,
            count: row?.seen ?? count,
            firstSeen: hourText(row?.begin ?? firstHour),
            lastSeen: hourText(row?.end ?? lastHour),
            tolerated,
          }
        }),
        matched,
        scanned,
        of: plates,
        done,
      }
    }
  }

  /** The store's exact counts and times: the dictionary reads some parts twice and counts only approximately. */
  async #storedRows(
    matches: readonly { plate: string; region: string }[],
    rows: RunQuery,
  ): Promise<Map<string, PlateRow>> {
    if (matches.length === 0) return new Map()
    const texts = [...new Set(matches.map(({ plate }) => plate))]
    const found = await rows<PlateRow>(platesByText(this.database, texts), 'plates shown')
    return new Map(found.map((row) => [`${row.text}@${row.state}`, row]))
  }

  /** Searches all plates that are in the store by now. */
  async #scan(
    { source, lookAlikes, limit, signal }: SearchAsk,
    rows: RunQuery,
  ): Promise<AsyncGenerator<SearchPage, void, void>> {
    await this.#update(rows)
    const options = { limit: Math.min(MAX_RESULTS, limit), lookAlikes, signal }
    return this.pool ? this.pool.search(this.dictionary, source, options) : this.dictionary.search(source, options)
  }

  async search(ask: SearchAsk, rows: RunQuery): Promise<Candidates> {
    for await (const page of await this.#scan(ask, rows)) {
      if (!page.done) continue
      // The same text in several regions is one candidate.
      const plates = new Map<string, { plate: string; probability: number }>()
      for (const { plate, probability } of page.matches) {
        const other = plates.get(plate)?.probability ?? 0
        plates.set(plate, { plate, probability: Math.max(other, probability) })
      }
      return { plates: [...plates.values()], more: page.matched > page.matches.length }
    }
    return { plates: [], more: false }
  }

  /** One update at a time; callers that arrive during one share the next, which begins after they came. */
  #update(rows: RunQuery): Promise<void> {
    if (!this.#updating) {
      this.#updating = this.#ingest(rows).finally(() => {
        this.#updating = undefined
      })
      return this.#updating
    }
    return (this.#nextUpdate ??= this.#updating
      .catch(() => {})
      .then(() => {
        this.#nextUpdate = undefined
        return this.#update(rows)
      }))
  }

  async #ingest(rows: RunQuery): Promise<void> {
    const { lows, highs } = this.#parts
    const ingested = { since: this.#since, lows, highs }
    const [now] = await rows<{ at: number; id: string; fresh: number }>(
      platePartsState(this.database, ingested),
      'parts of plates',
    )
    if (!now) return
    const recreated = this.#parts.follow(now.id)
    if (now.fresh === 0 && !recreated) return
    const fresh = await rows<{ part: string; texts: string[]; states: string[]; hours: number[] }>(
      newPlates(this.database, ingested, recreated),
      'new plates',
    )
    const isFull = fresh.some(({ texts, states, hours }) =>
      texts.some((text, i) => this.dictionary.add(text, states[i]!, hours[i]!, true) === 'full'),
    )
    if (isFull) {
      const old = this.dictionary
      this.dictionary = await this.rebuild()
      this.pool?.release(old)
    }
    for (const { part } of fresh) this.#parts.add(part)
    this.#since = now.at - OVERLAP_S
  }
}
