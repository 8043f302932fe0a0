import type { ClickHouseClient } from '@clickhouse/client'
import { AlprError, logReasonOf } from '../errors.js'
import { sleep } from '../runtime/backoff.js'
import { SqlPlateSearch, type FoundPage, type PlateSearch, type RunQuery, type SearchAsk } from './candidates.js'
import { DictionarySearch, UNITS_PER_MS } from './dictionary_search.js'
import { SearchPool } from './search_pool.js'

const RETRY_MS = 5_000
/** Threads that scan the dictionary, so that consoles and other questions do not wait for a scan. */
const SEARCH_THREADS = 2

/** What is logged. */
export interface SearchLog {
  warn(facts: object, text: string): void
}

/**
 * Searches plates in the dictionary once it is loaded; until then, and while it cannot be loaded, the store searches.
 * The answers are the same.
 */
export class LoadingSearch implements PlateSearch {
  #search: PlateSearch
  #dictionary: DictionarySearch | undefined
  #loading: Promise<void> | undefined
  #pool: SearchPool | undefined
  readonly #stopped = new AbortController()

  /** @param budgetMs most work of one search in the dictionary, milliseconds of one core */
  constructor(
    private readonly client: ClickHouseClient,
    private readonly database: string,
    private readonly log: SearchLog,
    private readonly budgetMs = Infinity,
  ) {
    this.#search = new SqlPlateSearch(database, async () => {
      const result = await client.query({ query: `SELECT count() AS n FROM ${database}.plates`, format: 'JSONEachRow' })
      return Number((await result.json<{ n: string }>())[0]?.n ?? 0)
    })
  }

  get name(): PlateSearch['name'] {
    return this.#search.name
  }
  async cost(ask: SearchAsk): ReturnType<PlateSearch['cost']> {
    return this.#open.cost(ask)
  }
  async *pages(ask: SearchAsk, rows: RunQuery): AsyncGenerator<FoundPage> {
    yield* this.#open.pages(ask, rows)
  }
  async search(ask: SearchAsk, rows: RunQuery): ReturnType<PlateSearch['search']> {
    return this.#open.search(ask, rows)
  }

  /** Loads the dictionary in the background, and tries again while the store is away. */
  start(): void {
    if (this.#stopped.signal.aborted) return
    this.#pool ??= new SearchPool(SEARCH_THREADS, { budget: this.budgetMs * UNITS_PER_MS })
    this.#loading ??= this.#load(this.#pool)
  }

  /** Every search, running, waiting or later, ends with ALPR_ERR_SEARCHES_CLOSED. */
  async close(): Promise<void> {
    this.#stopped.abort(closedError())
    await this.#pool?.close()
    await this.#loading
    await this.#dictionary?.close()
  }

  get #open(): PlateSearch {
    if (this.#stopped.signal.aborted) throw closedError()
    return this.#search
  }

  async #load(pool: SearchPool): Promise<void> {
    const { signal } = this.#stopped
    for (let failures = 0; !signal.aborted; ) {
      try {
        const dictionary = await DictionarySearch.load(this.client, this.database, {
          signal,
          pool,
          budgetMs: this.budgetMs,
          failed: (reason) =>
            this.log.warn({ reason }, 'the plate dictionary was not rebuilt; the present one is used until it is'),
        })
        dictionary.follow(signal)
        this.#dictionary = dictionary
        this.#search = dictionary
        return
      } catch (error) {
        failures += 1
        // At the very first start the engine is still creating the tables: one failure is not worth a line.
        if (!signal.aborted && failures === 2)
          this.log.warn(
            { reason: logReasonOf(error) },
            'the plate dictionary is not loaded yet; the store searches until then',
          )
        await sleep(RETRY_MS, signal)
      }
    }
  }
}

const closedError = () => new AlprError('ALPR_ERR_SEARCHES_CLOSED')
