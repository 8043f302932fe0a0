import type { ClickHouseClient } from '@clickhouse/client'
import { loadWasmFile } from '../../wasm/load_node.js'
import { ConfusionModel, MatcherModule, parsePattern, type Dictionary, type SearchPage } from '../../wasm/mod.js'
import { AlprError, logReasonOf } from '../errors.js'
import { backoffMs } from '../runtime/backoff.js'
import { STREAMED, storeError } from '../store/client.js'
import { checkDatabaseName } from '../store/ddl.js'
import {
  allPlatesQuery,
  countPlates,
  newPlates,
  platePartsState,
  platesByText,
  type PlateRow,
} from '../store/plate_queries.js'
import type { Sql } from '../store/sql.js'
import {
  hourText,
  SqlPlateSearch,
  type Candidates,
  type FoundPage,
  type PlateSearch,
  type RunQuery,
  type SearchAsk,
  type SearchCost,
} from './candidates.js'
import { buildDictionary } from './dictionary_build.js'
import { IngestedParts } from './ingested_parts.js'
import type { SearchPool } from './search_pool.js'

/** What a search costs beside its scan, milliseconds. */
const ROUND_TRIP_MS = 10
/** Units of work (wasm/assembly/matcher/work.ts) in a millisecond of one core. */
export const UNITS_PER_MS = 1e6
/** How far the estimate of a search may be above its work. */
const ESTIMATE_FACTOR = 3
/** Most plates that a search returns (the matcher's bound). */
const MAX_RESULTS = 10_000
/**
 * Interval between two updates of the dictionary, so that small parts are read before merges hide them, milliseconds.
 */
const UPDATE_EVERY_MS = 2_000
/** An update that takes longer has failed, milliseconds. */
const UPDATE_WITHIN_MS = 60_000
/** Longest time that adding plates blocks the event loop, milliseconds. */
const SLICE_MS = 8
/**
 * The times of parts and the store's clock are whole seconds: parts of the last ones are checked again, whether they
 * are ingested or not.
 */
const OVERLAP_S = 2
/** New plates after which the dictionary is rebuilt: an eighth of it, within these bounds. */
const REBUILD_AT = { least: 131_072, most: 524_288 }
/** Pauses after a rebuild that failed. */
const REBUILD_BACKOFF = { firstMs: 5_000, maxMs: 300_000 }

export interface DictionarySearchOptions {
  pool?: SearchPool
  /** Ends the loading, and everything later. */
  signal?: AbortSignal
  /** Most work of one search, milliseconds of one core. @default no bound */
  budgetMs?: number
  /** New plates after which the dictionary is rebuilt, for tests. */
  rebuildAt?: number
  /** Hears that a rebuild failed: the dictionary in use goes on. */
  failed?: (reason: string) => void
}

/** Plates of one part of the table, column by column. */
interface NewPlates {
  part: string
  texts: string[]
  states: string[]
  hours: number[]
}

/**
 * The WASM dictionary as the source of plates. It is loaded from the table `plates` and brought up to date before each
 * search: the parts of that table that were written since the last update are small and few. So a search misses no
 * plate that was stored before it began. One exception: a plate last seen over a month ago that is uploaded late and
 * merged into a large part within two seconds is found after the next rebuild only.
 *
 * When many plates are new, the dictionary is rebuilt in a thread beside it. Searches go on in the old one, which takes
 * in what arrives meanwhile; the new one gets that too before it takes over. Should the old one have no room left, the
 * store searches until then.
 */
export class DictionarySearch implements PlateSearch {
  readonly name = 'dictionary'
  readonly #store: SqlPlateSearch
  readonly #stopped: AbortSignal
  /** The store's clock at the last update, less the overlap, Unix seconds. */
  #since = 0
  readonly #parts = new IngestedParts()
  #updating: Promise<void> | undefined
  #nextUpdate: Promise<void> | undefined
  #rebuilding: Promise<void> | undefined
  /** What was taken in since the rebuild that is running began. */
  #journal: NewPlates[] | undefined
  /** Whether the dictionary lacks plates of the store until the next one takes over. */
  #isBehind = false
  #failures = 0
  #rebuildAfter = 0
  #rebuilds = 0

  private constructor(
    private dictionary: Dictionary,
    private readonly client: ClickHouseClient,
    private readonly database: string,
    private readonly build: () => Promise<Dictionary>,
    private readonly options: DictionarySearchOptions,
  ) {
    this.#store = new SqlPlateSearch(database, async () => {
      const [counted] = await this.#rows<{ n: string }>(countPlates(database))
      return Number(counted?.n ?? 0)
    })
    this.#stopped = options.signal ?? new AbortController().signal
  }

  /** Loads all plates. @throws ALPR_ERR_DICTIONARY_MEMORY, or the client's error */
  static async load(
    client: ClickHouseClient,
    database: string,
    options: DictionarySearchOptions = {},
  ): Promise<DictionarySearch> {
    checkDatabaseName(database)
    const module = await MatcherModule.of(await loadWasmFile('matcher.wasm'))
    const model = ConfusionModel.of(JSON.parse(Buffer.from(await loadWasmFile('confusions.json')).toString()))
    const signal = options.signal ?? new AbortController().signal
    let generation = 0
    const build = async () => {
      const result = await client.exec({
        query: allPlatesQuery(database),
        clickhouse_settings: STREAMED,
        abort_signal: signal,
      })
      return buildDictionary(module, model, ++generation, result.stream, signal)
    }
    const { query, params } = platePartsState(database, { since: 0, lows: [], highs: [] }).render()
    const state = await client.query({
      query,
      query_params: params,
      format: 'JSONEachRow',
      abort_signal: signal,
    })
    // The store's clock, not that of this machine.
    const [begin] = await state.json<{ at: number }>()
    const search = new DictionarySearch(await build(), client, database, build, options)
    search.#since = (begin?.at ?? 0) - OVERLAP_S
    return search
  }

  /** Follows the table until the signal fires. */
  follow(signal: AbortSignal): void {
    const timer = setInterval(() => {
      this.#update().catch(() => {
        /* the next update, or the search that needs it, reports the error */
      })
    }, UPDATE_EVERY_MS)
    timer.unref()
    signal.addEventListener('abort', () => clearInterval(timer), { once: true })
  }

  /** Gives the memory back when the last search has ended. The signal of the options must have fired. */
  async close(): Promise<void> {
    await this.#rebuilding
    this.dictionary.close()
  }

  get size(): number {
    return this.dictionary.size
  }
  get bytes(): number {
    return this.dictionary.bytes
  }
  /** Dictionaries that have replaced another one. */
  get rebuilds(): number {
    return this.#rebuilds
  }
  /** Whether a rebuild is running. */
  get rebuilding(): boolean {
    return this.#rebuilding !== undefined
  }
  /** Whether the store searches, because the dictionary has no room for what is new. */
  get isBehind(): boolean {
    return this.#isBehind
  }

  async cost({ source, lookAlikes, limit }: SearchAsk): Promise<SearchCost> {
    const options = { limit: Math.min(MAX_RESULTS, limit), lookAlikes }
    const scanMs = (await this.dictionary.estimate(source, options)) / UNITS_PER_MS
    return { ms: scanMs + ROUND_TRIP_MS, isOverBudget: scanMs > ESTIMATE_FACTOR * (this.options.budgetMs ?? Infinity) }
  }

  async *pages(ask: SearchAsk, rows: RunQuery): AsyncGenerator<FoundPage> {
    if (await this.#storeMustSearch(ask)) {
      yield* this.#store.pages(ask, rows)
      return
    }
    for await (const { matches, matched, scanned, plates, done, partial } of this.#scan(ask, {
      lastOnly: ask.lastOnly ?? false,
    })) {
      const stored = await this.#storedRows(matches, rows)
      yield {
        // A plate that later versions took back from all its reads stays in the dictionary until it is rebuilt.
        plates: matches.flatMap(({ plate, region, probability, count, firstHour, lastHour, tolerated }) => {
          const row = stored.get(`${plate}@${region}`)
          if (row?.seen === 0) return []
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
        partial,
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

  /** Searches the dictionary as it is. */
  #scan(
    { source, lookAlikes, limit, signal }: SearchAsk,
    options: { explained?: boolean; lastOnly?: boolean },
  ): AsyncGenerator<SearchPage, void, void> {
    const { pool, budgetMs = Infinity } = this.options
    const all = {
      limit: Math.min(MAX_RESULTS, limit),
      lookAlikes,
      budget: budgetMs * UNITS_PER_MS,
      ...(signal && { signal }),
      ...options,
    }
    return pool ? pool.search(this.dictionary, source, all) : this.dictionary.search(source, all)
  }

  async search(ask: SearchAsk, rows: RunQuery): Promise<Candidates> {
    if (await this.#storeMustSearch(ask)) return this.#store.search(ask, rows)
    for await (const page of this.#scan(ask, { explained: false, lastOnly: true })) {
      if (!page.done) continue
      // The same text in several regions is one candidate.
      const plates = new Map<string, { plate: string; probability: number }>()
      for (const { plate, probability } of page.matches) {
        const other = plates.get(plate)?.probability ?? 0
        plates.set(plate, { plate, probability: Math.max(other, probability) })
      }
      const { partial, scanned, plates: of } = page
      return { plates: [...plates.values()], more: page.matched > page.matches.length, partial, scanned, of }
    }
    throw new AlprError('ALPR_ERR_SEARCHES_CLOSED')
  }

  /** Takes in what is in the store by now. @returns whether the dictionary had no room for what may match */
  async #storeMustSearch({ signal, source }: SearchAsk): Promise<boolean> {
    this.#throwIfClosed()
    await unless(signal, this.#update())
    this.#throwIfClosed()
    return this.#isBehind || this.dictionary.lacks(parsePattern(source))
  }

  #throwIfClosed(): void {
    if (this.#stopped.aborted) throw new AlprError('ALPR_ERR_SEARCHES_CLOSED')
  }

  /** One update at a time; callers that arrive during one share the next, which begins after they came. */
  #update(): Promise<void> {
    if (!this.#updating) {
      this.#updating = this.#ingest().finally(() => {
        this.#updating = undefined
      })
      return this.#updating
    }
    return (this.#nextUpdate ??= this.#updating
      .catch(() => {})
      .then(() => {
        this.#nextUpdate = undefined
        return this.#update()
      }))
  }

  async #ingest(): Promise<void> {
    const { lows, highs } = this.#parts
    const ingested = { since: this.#since, lows, highs }
    const [now] = await this.#rows<{ at: number; id: string; fresh: number }>(platePartsState(this.database, ingested))
    if (!now) return
    const recreated = this.#parts.follow(now.id)
    if (now.fresh > 0 || recreated) {
      const fresh = await this.#rows<NewPlates>(newPlates(this.database, ingested, recreated))
      for (const plates of fresh) if (!(await this.#takeIn(plates))) return this.#fallBehind()
      for (const { part } of fresh) this.#parts.add(part)
      this.#since = now.at - OVERLAP_S
    }
    const { fresh, size } = this.dictionary
    const { least, most } = REBUILD_AT
    if (fresh >= (this.options.rebuildAt ?? Math.min(most, Math.max(least, size / 8)))) this.#rebuild()
  }

  /** Adds plates to the dictionary, and to the journal of a rebuild. @returns false when there is no room */
  async #takeIn(plates: NewPlates): Promise<boolean> {
    this.#journal?.push(plates)
    return addAll(() => this.dictionary, plates)
  }

  /** Parts that the dictionary has not taken in whole stay new: the next one takes them in. */
  #fallBehind(): void {
    this.#isBehind = true
    this.#rebuild()
  }

  /** Builds another dictionary beside this one and lets it take over. One at a time, with pauses after a failure. */
  #rebuild(): void {
    if (this.#rebuilding || this.#stopped.aborted || performance.now() < this.#rebuildAfter) return
    const journal: NewPlates[] = []
    this.#journal = journal
    this.#rebuilding = this.#takeOver(journal)
      .catch((error: unknown) => {
        this.#rebuildAfter = performance.now() + backoffMs(this.#failures++, REBUILD_BACKOFF)
        if (!this.#stopped.aborted) this.options.failed?.(logReasonOf(error))
      })
      .finally(() => {
        this.#journal = undefined
        this.#rebuilding = undefined
      })
  }

  async #takeOver(journal: NewPlates[]): Promise<void> {
    const next = await this.build()
    try {
      // What is taken in meanwhile comes to the journal, too; behind its end nothing is missing.
      for (let plates = journal.shift(); plates; plates = journal.shift())
        if (!(await addAll(() => next, plates)))
          throw new AlprError('ALPR_ERR_DICTIONARY_MEMORY', { plates: next.size })
      this.#stopped.throwIfAborted()
    } catch (error) {
      next.close()
      throw error
    }
    const old = this.dictionary
    this.dictionary = next
    this.#journal = undefined
    this.#isBehind = false
    this.#failures = 0
    this.#rebuilds += 1
    old.close()
  }

  /** @throws ALPR_ERR_STORE_UNAVAILABLE */
  async #rows<Row>(query: Sql): Promise<Row[]> {
    const { query: text, params } = query.render()
    try {
      const result = await this.client.query({
        query: text,
        query_params: params,
        format: 'JSONEachRow',
        abort_signal: AbortSignal.any([this.#stopped, AbortSignal.timeout(UPDATE_WITHIN_MS)]),
      })
      return await result.json<Row>()
    } catch (error) {
      if (this.#stopped.aborted) throw new AlprError('ALPR_ERR_SEARCHES_CLOSED', {}, { cause: error })
      throw storeError(error, 'the store')
    }
  }
}

/** The result of `work`, which goes on when the signal fires first. @throws its error, the signal's reason */
async function unless<T>(signal: AbortSignal | undefined, work: Promise<T>): Promise<T> {
  if (!signal) return work
  signal.throwIfAborted()
  return new Promise<T>((resolve, reject) => {
    const leave = () => reject(signal.reason)
    signal.addEventListener('abort', leave, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
  })
}

/**
 * Adds plates in slices that yield to the event loop.
 * @param dictionary the one to add to: another may have taken over in between
 * @returns false when there is no room
 */
async function addAll(dictionary: () => Dictionary, { texts, states, hours }: NewPlates): Promise<boolean> {
  let begun = performance.now()
  for (const [i, text] of texts.entries()) {
    if (dictionary().add(text, states[i]!, hours[i]!, true) === 'full') return false
    if ((i & 255) !== 255 || performance.now() - begun < SLICE_MS) continue
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
    begun = performance.now()
  }
  return true
}
