import type { ClickHouseClient } from '@clickhouse/client'
import { reasonOf } from '../errors.js'
import { sleep } from '../runtime/backoff.js'
import type { Sql } from '../store/sql.js'
import { SqlPlateSearch, type PlateSearch, type SearchAsk } from './candidates.js'
import { DictionarySearch } from './dictionary_search.js'
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
  #loading: Promise<void> | undefined
  #pool: SearchPool | undefined
  readonly #stopped = new AbortController()

  constructor(
    private readonly client: ClickHouseClient,
    private readonly database: string,
    private readonly log: SearchLog,
  ) {
    this.#search = new SqlPlateSearch(database, async () => {
      const result = await client.query({ query: `SELECT count() AS n FROM ${database}.plates`, format: 'JSONEachRow' })
      return Number((await result.json<{ n: string }>())[0]?.n ?? 0)
    })
  }

  get name(): PlateSearch['name'] {
    return this.#search.name
  }
  expectedMs(): Promise<number> {
    return this.#search.expectedMs()
  }
  pages(ask: SearchAsk, rows: Parameters<PlateSearch['pages']>[1]): ReturnType<PlateSearch['pages']> {
    return this.#search.pages(ask, rows)
  }
  search(ask: SearchAsk, rows: Parameters<PlateSearch['search']>[1]): ReturnType<PlateSearch['search']> {
    return this.#search.search(ask, rows)
  }

  /** Loads the dictionary in the background, and tries again while the store is away. */
  start(): void {
    this.#pool ??= new SearchPool(SEARCH_THREADS)
    this.#loading ??= this.#load(this.#pool)
  }

  async close(): Promise<void> {
    this.#stopped.abort()
    await this.#loading
    await this.#pool?.close()
  }

  async #load(pool: SearchPool): Promise<void> {
    const { signal } = this.#stopped
    for (let failures = 0; !signal.aborted; ) {
      try {
        const dictionary = await DictionarySearch.load(this.client, this.database, { signal, pool })
        dictionary.follow((query) => this.#rows(query), signal)
        this.#search = dictionary
        return
      } catch (error) {
        failures += 1
        // At the very first start the engine is still creating the tables: one failure is not worth a line.
        if (!signal.aborted && failures === 2)
          this.log.warn(
            { reason: reasonOf(error) },
            'the plate dictionary is not loaded yet; the store searches until then',
          )
        await sleep(RETRY_MS, signal)
      }
    }
  }

  async #rows<Row>(query: Sql): Promise<Row[]> {
    const { query: text, params } = query.render()
    const result = await this.client.query({
      query: text,
      query_params: params,
      format: 'JSONEachRow',
      abort_signal: this.#stopped.signal,
    })
    return result.json<Row>()
  }
}
