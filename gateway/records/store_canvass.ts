import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import type { JetStreamClient } from 'nats'
import {
  createClient,
  CanvassService,
  DictionarySearch,
  type Gate,
  type PlateSearch,
  platesOfList,
  type SearchAsk,
  SearchPool,
  type Settings,
  type Sql,
  SqlPlateSearch,
} from '../../engine/mod.js'
import { AlprError, reasonOf } from '../../engine/runtime/mod.js'
import type { NatsLink } from '../live/nats_link.js'

/**
 * The store ends a question after 30 s and a page of an export after 300 s, so it answers within this. Milliseconds.
 */
const REQUEST_TIMEOUT_MS = 310_000
const RETRY_MS = 5_000
/** Threads that scan the dictionary, so that a scan delays neither consoles nor other questions. */
const SEARCH_THREADS = 2

/**
 * The canvass service over the store. The dictionary of plates loads in the background; until it is loaded, the store
 * searches plates itself.
 */
export class StoreCanvass {
  readonly canvass: CanvassService
  readonly #client
  readonly #database: string
  readonly #log: FastifyBaseLogger
  readonly #stopped = new AbortController()
  readonly #search: DictionaryOrStoreSearch
  #loading: Promise<void> | undefined
  #pool: SearchPool | undefined

  constructor(
    settings: Settings,
    store: { url: string; password?: string },
    { gate, natsLink, log }: { gate?: Gate; natsLink: NatsLink; log: FastifyBaseLogger },
  ) {
    // More connections than the store runs questions at the same time: excess questions queue in the store, by class.
    this.#client = createClient(
      settings,
      { url: store.url, token: store.password },
      { requestTimeoutMs: REQUEST_TIMEOUT_MS, maxConnections: 64 },
    )
    this.#database = settings.clickhouse.database
    this.#log = log
    this.#search = new DictionaryOrStoreSearch(
      new SqlPlateSearch(this.#database, async () => {
        const result = await this.#client.query({
          query: `SELECT count() AS n FROM ${this.#database}.plates`,
          format: 'JSONEachRow',
        })
        return Number((await result.json<{ n: string }>())[0]?.n ?? 0)
      }),
    )
    this.canvass = new CanvassService({
      client: this.#client,
      database: this.#database,
      url: settings.clickhouse.url || store.url,
      search: this.#search,
      platesOfList: platesByList(natsLink),
      ...(gate && { gate }),
    })
  }

  /** Loads the dictionary in the background, and retries while the store is unreachable. */
  start(): void {
    this.#pool ??= new SearchPool(SEARCH_THREADS)
    this.#loading ??= this.#load(this.#pool)
  }

  async close(): Promise<void> {
    this.#stopped.abort()
    await this.#loading
    await this.#pool?.close()
    await this.#client.close()
  }

  async #load(pool: SearchPool): Promise<void> {
    const { signal } = this.#stopped
    for (let failures = 0; !signal.aborted; ) {
      try {
        const dictionary = await DictionarySearch.load(this.#client, this.#database, { signal, pool })
        dictionary.follow((query, label) => this.#rows(query, label), signal)
        this.#search.dictionary = dictionary
        return
      } catch (error) {
        failures += 1
        // At the very first start the engine is still creating the tables, so one failure is normal.
        if (!signal.aborted && failures === 2)
          this.#log.warn(
            { reason: reasonOf(error) },
            'the dictionary of plates is not loaded yet; the store searches plates until it is',
          )
        await pause(RETRY_MS, undefined, { signal }).catch(() => {})
      }
    }
  }

  async #rows<Row>(query: Sql, _label: string): Promise<Row[]> {
    const { query: text, params } = query.render()
    const result = await this.#client.query({
      query: text,
      query_params: params,
      format: 'JSONEachRow',
      abort_signal: this.#stopped.signal,
    })
    return result.json<Row>()
  }
}

/** Reads the current plates of a hot list over the gateway's connection to NATS. */
const platesByList =
  (natsLink: NatsLink) =>
  async (id: string): Promise<string[]> => {
    let client: JetStreamClient
    try {
      client = natsLink.nats.jetstream()
    } catch (error) {
      throw new AlprError(
        'ALPR_ERR_NATS_UNAVAILABLE',
        { url: 'the gateway', reason: reasonOf(error) },
        { cause: error },
      )
    }
    return platesOfList(client, id)
  }

/** Searches in the dictionary once it is loaded, before that in the store. */
class DictionaryOrStoreSearch implements PlateSearch {
  dictionary: PlateSearch | undefined

  constructor(private readonly store: PlateSearch) {}

  get name() {
    return (this.dictionary ?? this.store).name
  }
  expectedMs(): Promise<number> {
    return (this.dictionary ?? this.store).expectedMs()
  }
  pages(ask: SearchAsk, rows: Parameters<PlateSearch['pages']>[1]) {
    return (this.dictionary ?? this.store).pages(ask, rows)
  }
  search(ask: SearchAsk, rows: Parameters<PlateSearch['search']>[1]) {
    return (this.dictionary ?? this.store).search(ask, rows)
  }
}
