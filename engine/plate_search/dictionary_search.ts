import type { ClickHouseClient } from '@clickhouse/client'
import { loadWasmFile } from '../../wasm/load_node.js'
import { ConfusionModel, Dictionary, MatcherModule, PlateBuilder, type SearchPage } from '../../wasm/mod.js'
import type { SearchPool } from './search_pool.js'
import { STREAMED } from '../store/client.js'
import { checkDatabaseName } from '../store/ddl.js'
import { hourText, type Candidates, type FoundPage, type PlateSearch, type SearchAsk } from './candidates.js'
import { IngestedParts } from './ingested_parts.js'
import { sql, tableOf, value, type Sql } from '../store/sql.js'

type Rows = <Row>(query: Sql, label: string) => Promise<Row[]>

interface Fact {
  text: string
  state: string
  seen: number
  begin: number
  end: number
}

/** Nanoseconds a plate of one thread, the worst patterns; for the planner. */
const NS_A_PLATE = 4
/** Most plates a search gives (the matcher's bound). */
const MOST = 10_000
/**
 * Of a part that merges made larger than this only the plates of the last month are looked at: its small forerunners
 * were seen when they were written.
 */
const LARGE_PART = 300_000
/**
 * How often the dictionary looks for new plates by itself, so that small parts are seen before merges hide them,
 * milliseconds.
 */
const LOOK_EVERY_MS = 2_000
/** New plates that come as one row of arrays: a row for each of them costs store and gateway several times as much. */
const ROWS_IN_ONE = 10_000
/**
 * Times of parts and the store's clock are whole seconds: those of the last ones are looked at again, whether they are
 * known.
 */
const OVERLAP_S = 2

/**
 * The WASM dictionary as the source of plates. It is loaded from the table `plates`, and before each search brought up
 * to what the store has acknowledged by then: parts of that table that were written since the last look are small and
 * few. So a search misses no plate that was stored before it began (but for a plate last seen over a month ago that is
 * uploaded late and merged into a large part within two seconds: the next build has it).
 */
export class DictionarySearch implements PlateSearch {
  readonly name = 'dictionary'
  #seen = 0
  readonly #parts = new IngestedParts()
  #refreshing: Promise<void> | undefined
  #waiting: Promise<void> | undefined

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
        // Rows of one plate that are not merged yet are joined by the builder: no GROUP BY, so that the answer streams.
        query: `SELECT plate, CAST(region, 'String'), toUInt32(least(reads, 65535)), toUInt32(intDiv(toUnixTimestamp(first), 3600)), toUInt32(intDiv(toUnixTimestamp(last), 3600)) FROM ${database}.plates FORMAT RowBinary`,
        clickhouse_settings: STREAMED,
        ...(options.signal && { abort_signal: options.signal }),
      })
      for await (const chunk of result.stream) await builder.addRows(chunk as Buffer)
      return Dictionary.of(module, await builder.build(), model, ++generation)
    }
    const begin = Math.floor(Date.now() / 1_000)
    const search = new DictionarySearch(await build(), database, options.pool, build)
    search.#seen = begin - OVERLAP_S
    return search
  }

  /** Follows the table until the signal fires. */
  follow(rows: Rows, signal: AbortSignal): void {
    const timer = setInterval(() => {
      this.#refresh(rows).catch(() => {
        /* the next look, or the search that needs it, tells */
      })
    }, LOOK_EVERY_MS)
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
    return (this.dictionary.size * NS_A_PLATE) / 1e6 + 10
  }

  async *pages(ask: SearchAsk, rows: Rows): AsyncGenerator<FoundPage> {
    for await (const { matches, matched, scanned, plates, done } of await this.#scan(ask, rows)) {
      const known = await this.#facts(matches, rows)
      yield {
        plates: matches.map(({ plate, region, probability, count, firstHour, lastHour, tolerated }) => {
          const of = known.get(`${plate}@${region}`)
          return {
            plate,
            region,
            probability,
            count: of?.seen ?? count,
            firstSeen: hourText(of?.begin ?? firstHour),
            lastSeen: hourText(of?.end ?? lastHour),
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

  /**
   * What the store knows of plates that are shown: the dictionary, which follows parts that come again, counts roughly.
   */
  async #facts(matches: readonly { plate: string; region: string }[], rows: Rows): Promise<Map<string, Fact>> {
    if (matches.length === 0) return new Map()
    const found = await rows<Fact>(
      sql`
      SELECT plate AS text, CAST(region, 'String') AS state, toUInt32(sum(reads)) AS seen, toUInt32(intDiv(toUnixTimestamp(min(first)), 3600)) AS begin, toUInt32(intDiv(toUnixTimestamp(max(last)), 3600)) AS end
      FROM ${tableOf(this.database, 'plates')} WHERE plate IN ${value('Array(String)', [...new Set(matches.map(({ plate }) => plate))])} GROUP BY plate, region`,
      'plates shown',
    )
    return new Map(found.map((fact) => [`${fact.text}@${fact.state}`, fact]))
  }

  /** What is in the store by now is searched. */
  async #scan(
    { source, lookAlikes, limit, signal }: SearchAsk,
    rows: Rows,
  ): Promise<AsyncGenerator<SearchPage, void, void>> {
    await this.#refresh(rows)
    const options = { limit: Math.min(MOST, limit), lookAlikes, signal }
    return this.pool ? this.pool.search(this.dictionary, source, options) : this.dictionary.search(source, options)
  }

  async search(ask: SearchAsk, rows: Rows): Promise<Candidates> {
    for await (const page of await this.#scan(ask, rows)) {
      if (!page.done) continue
      // One text of several regions is one candidate.
      const plates = new Map<string, { plate: string; probability: number }>()
      for (const { plate, probability } of page.matches) {
        const known = plates.get(plate)?.probability ?? 0
        plates.set(plate, { plate, probability: Math.max(known, probability) })
      }
      return { plates: [...plates.values()], more: page.matched > page.matches.length }
    }
    return { plates: [], more: false }
  }

  /** One at a time; who comes while one runs waits for the next, which begins after they came. */
  #refresh(rows: Rows): Promise<void> {
    if (!this.#refreshing) {
      this.#refreshing = this.#catchUp(rows).finally(() => {
        this.#refreshing = undefined
      })
      return this.#refreshing
    }
    return (this.#waiting ??= this.#refreshing
      .catch(() => {})
      .then(() => {
        this.#waiting = undefined
        return this.#refresh(rows)
      }))
  }

  async #catchUp(rows: Rows): Promise<void> {
    const table = sql`database = ${value('String', this.database)} AND name = 'plates'`
    const parts = sql`system.parts WHERE database = ${value('String', this.database)} AND table = 'plates'`
    const since = sql`toDateTime(${value('UInt32', this.#seen)})`
    const known = sql`arrayExists((low, high) -> min_block_number >= low AND max_block_number <= high, ${value('Array(Int64)', this.#parts.lows)}, ${value('Array(Int64)', this.#parts.highs)})`
    const [now] = await rows<{ at: number; id: string; fresh: number }>(
      sql`
      SELECT toUInt32(now()) AS at, (SELECT toString(any(uuid)) FROM system.tables WHERE ${table}) AS id, toUInt32(countIf(active AND modification_time >= ${since} AND NOT ${known})) AS fresh FROM ${parts}`,
      'parts of plates',
    )
    if (!now) return
    const another = this.#parts.of(now.id)
    if (now.fresh === 0 && !another) return
    // Named by what they are not: a part that is merged away between two questions is found in its successor.
    const fresh = await rows<{ part: string; texts: string[]; states: string[]; hours: number[] }>(
      sql`
      SELECT _part AS part, groupArray(plate) AS texts, groupArray(CAST(region, 'String')) AS states, groupArray(toUInt32(intDiv(toUnixTimestamp(last), 3600))) AS hours FROM ${tableOf(this.database, 'plates')}
      WHERE _part NOT IN (SELECT name FROM ${parts} AND (modification_time < ${since} OR ${another ? sql`0` : known}))
        AND (last >= now() - INTERVAL 30 DAY OR _part NOT IN (SELECT name FROM ${parts} AND rows > ${value('UInt32', LARGE_PART)}))
      GROUP BY part, intDiv(rowNumberInAllBlocks(), ${value('UInt32', ROWS_IN_ONE)})`,
      'new plates',
    )
    if (
      fresh.some(({ texts, states, hours }) =>
        texts.some((text, i) => this.dictionary.add(text, states[i]!, hours[i]!, true) === 'full'),
      )
    ) {
      const old = this.dictionary
      this.dictionary = await this.rebuild()
      this.pool?.release(old)
    }
    for (const { part } of fresh) this.#parts.add(part)
    this.#seen = now.at - OVERLAP_S
  }
}
