import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client'
import { AlprError } from '../errors.js'
import { DAY_MS } from '../model/time.js'
import { preparePolygons } from '../geo/prepare_areas.js'
import { NO_SEARCH } from '../plate_search/no_search.js'
import { SqlPlateSearch, type PlateSearch } from '../plate_search/candidates.js'
import { CachedValue } from '../runtime/cached_value.js'
import { validate } from '../runtime/validate.js'
import { storeError } from '../store/client.js'
import { isWhole, scopeSettings, type Scope } from '../store/scope.js'
import { sql, tableOf, type Sql } from '../store/sql.js'
import { cursorPlace, cursorText, fingerprintOf } from './cursor.js'
import { COSTS, type Costs } from './costs.js'
import { settingsFor, TOO_LARGE } from './query_settings.js'
import type { Ask, Found, Question } from './question.js'
import { QUESTIONS, type QuestionKind } from './questions.js'
import { readsOf } from './reads_relation.js'

export interface CanvassServiceOptions {
  client: ClickHouseClient
  database: string
  /** Named in errors; no secret in it. */
  url?: string
  search?: PlateSearch
  /** Of this machine, for the planner. */
  costs?: Costs
  /**
   * Plates of a hot list by its id; without it no question can name a list.
   * @throws ALPR_ERR_NOT_FOUND, ALPR_ERR_NATS_UNAVAILABLE
   */
  platesOfList?: (id: string) => Promise<readonly string[]>
  now?: () => number
}

export interface Answer {
  items: unknown[]
  /** For the next page; absent on the last one. */
  next?: string
  /** Whether rows may be left out, because a search used its budget up; `notes` say how far it came. */
  partial?: boolean
  /** Further rows of an answer that has no pages. */
  left?: number
  notes?: Record<string, unknown>
  plan?: Plan
}

/** How far an export has come: with neither field, to the end of the answer. */
export type ExportEnd = Pick<Answer, 'next' | 'left'>

/** How an answer was found. Statements show names of parameters, never their values. */
export interface Plan {
  facts: Record<string, unknown>
  queries: { label: string; statement: string; ms: number; rows: number }[]
}

export interface AskOptions {
  signal?: AbortSignal
}

/** A validated question, ready to be answered. */
export interface AskedQuestion {
  readonly kind: QuestionKind
  readonly question: Question
  /** Validated, with defaults. */
  readonly input: QuestionInput
  /** What the question made of its input. */
  readonly prepared: unknown
  /** Rows at most in the whole answer. */
  readonly maxRows: number
}

interface QuestionInput {
  limit: number
  cursor?: string
  explain: boolean
}

/** Rows of one export, and of one of its pages. */
export const MAX_EXPORT = 1_000_000
const EXPORT_PAGE = 5_000
/**
 * Maximum age of what is cached about purges and seals, milliseconds. The purge job waits longer than that between its
 * announcement and the purge.
 */
export const CACHED_MS = 2_000

/**
 * Answers questions about stored reads. `Records` is its only caller: it passes the gate first and hands the scope of
 * the access in, which becomes part of every statement.
 */
export class CanvassService {
  readonly #options: Required<Omit<CanvassServiceOptions, 'url'>> & { url: string }
  /** Mondays whose reads answer no longer; those whose rollups are exact. */
  readonly #purged: CachedValue<number[]>
  readonly #sealed: CachedValue<number[]>

  constructor(options: CanvassServiceOptions) {
    const { client, database } = options
    const plates = sql`SELECT count() AS n FROM ${tableOf(database, 'plates')}`
    const countPlates = async () => {
      const [row] = await this.#statement<{ n: string }>(plates, AbortSignal.timeout(10_000), {})
      return Number(row?.n ?? 0)
    }
    this.#options = {
      url: 'the store',
      search: new SqlPlateSearch(database, countPlates),
      costs: COSTS,
      now: Date.now,
      platesOfList: noList,
      ...options,
      client,
    }
    this.#purged = new CachedValue(CACHED_MS, this.#options.now, () => this.#weeks('purges'))
    this.#sealed = new CachedValue(CACHED_MS, this.#options.now, () => this.#weeks('rollup_seals'))
  }

  /**
   * Validates a question for `answer`.
   * @throws ALPR_ERR_NOT_FOUND for an unknown kind, ALPR_ERR_REQUEST_INVALID, ALPR_ERR_AREA_INVALID,
   * ALPR_ERR_WINDOW_INVALID, ALPR_ERR_PATTERN_...
   */
  async prepare(kind: QuestionKind, input: unknown): Promise<AskedQuestion> {
    if (!Object.hasOwn(QUESTIONS, kind))
      throw new AlprError('ALPR_ERR_NOT_FOUND', { what: `question ${String(kind).slice(0, 40)}` })
    const question = QUESTIONS[kind] as unknown as Question
    const valid = validate(question.schema, input) as unknown as QuestionInput
    await preparePolygons(valid)
    return { kind, question, input: valid, prepared: question.prepare(valid as never), maxRows: valid.limit }
  }

  /** For `export`: `limit` of the input bounds the whole, up to `MAX_EXPORT`. @throws as `prepare` */
  async prepareExport(kind: QuestionKind, input: unknown): Promise<AskedQuestion> {
    if (input === null || typeof input !== 'object' || !('limit' in input))
      return { ...(await this.prepare(kind, input)), maxRows: MAX_EXPORT }
    const wanted = Number(input.limit)
    const asked = await this.prepare(kind, { ...input, limit: Math.min(wanted || 0, EXPORT_PAGE) })
    return { ...asked, maxRows: Math.min(MAX_EXPORT, wanted) }
  }

  /** For `watch`. @throws as `prepare`, and ALPR_ERR_REQUEST_INVALID for a question whose answer comes in one piece */
  async prepareWatch(kind: QuestionKind, input: unknown): Promise<AskedQuestion> {
    const asked = await this.prepare(kind, input)
    if (asked.question.pages) return asked
    const reason = `the answer to ${kind} comes in one piece`
    throw new AlprError('ALPR_ERR_REQUEST_INVALID', { field: 'format', reason })
  }

  /**
   * One page of an answer.
   * @throws ALPR_ERR_CURSOR_FOREIGN, ALPR_ERR_QUESTION_TOO_LARGE, ALPR_ERR_QUESTION_GIVEN_UP,
   * ALPR_ERR_SCOPE_RESTRICTED, ALPR_ERR_STORE_UNAVAILABLE
   */
  answer(asked: AskedQuestion, scope: Scope, options: AskOptions = {}): Promise<Answer> {
    return this.#page(asked, asked.input, asked.maxRows, scope, options, false)
  }

  /**
   * The whole answer, page by page. Nothing is asked before the first page is wanted.
   * @throws as `answer`, and ALPR_ERR_SEARCH_TOO_COSTLY for a partial answer: a file has no place to say so
   */
  async *export(asked: AskedQuestion, scope: Scope, options: AskOptions = {}): AsyncGenerator<unknown[], ExportEnd> {
    let { cursor } = asked.input
    let end: ExportEnd = {}
    for (let rows = 0; rows < asked.maxRows; ) {
      const limit = Math.min(EXPORT_PAGE, asked.maxRows - rows)
      const page = await this.#page(asked, { ...asked.input, cursor, explain: false }, limit, scope, options, true)
      if (page.partial) {
        const { scanned, plates } = page.notes as { scanned: number; plates: number }
        throw new AlprError('ALPR_ERR_SEARCH_TOO_COSTLY', { reason: `${scanned} of ${plates} plates were searched` })
      }
      rows += page.items.length
      if (page.items.length > 0) yield page.items
      end = { ...(page.next !== undefined && { next: page.next }), ...(page.left !== undefined && { left: page.left }) }
      if (page.next === undefined) break
      cursor = page.next
    }
    return end
  }

  /**
   * What is known so far, while it is found: each answer replaces the previous one, the last has `notes.done`. @throws
   * as `answer`
   */
  async *watch(asked: AskedQuestion, scope: Scope, options: AskOptions = {}): AsyncGenerator<Answer> {
    const { ask, end } = await this.#open(asked, { facts: {}, queries: [] }, undefined, scope, options, false)
    try {
      for await (const { items, partial, notes } of asked.question.pages!(ask, asked.prepared, asked.maxRows))
        yield { items, ...(partial && { partial }), ...(notes && { notes }) }
    } finally {
      end()
    }
  }

  async #page(
    asked: AskedQuestion,
    input: QuestionInput,
    limit: number,
    scope: Scope,
    options: AskOptions,
    exporting: boolean,
  ): Promise<Answer> {
    const fingerprint = fingerprintOf(asked.kind, input)
    const after = input.cursor === undefined ? undefined : cursorPlace(input.cursor, fingerprint)
    const plan: Plan = { facts: {}, queries: [] }
    const { ask, end } = await this.#open(asked, plan, after, scope, options, exporting)
    try {
      const found: Found<unknown> = await asked.question.answer(ask, asked.prepared, limit)
      return {
        items: found.items,
        ...(found.next && { next: cursorText(fingerprint, found.next) }),
        ...(found.partial && { partial: true }),
        ...(found.left !== undefined && { left: found.left }),
        ...(found.notes && { notes: found.notes }),
        ...(input.explain && { plan }),
      }
    } finally {
      end()
    }
  }

  /** What a question may do, until `end`, which kills any statement that still runs (another one failed). */
  async #open(
    { question }: AskedQuestion,
    plan: Plan,
    after: readonly (string | number)[] | undefined,
    scope: Scope,
    options: AskOptions,
    exporting: boolean,
  ): Promise<{ ask: Ask; end: () => void }> {
    const { database, search, costs } = this.#options
    const ended = new AbortController()
    const signal = AbortSignal.any([ended.signal, ...(options.signal ? [options.signal] : [])])
    const settings = { ...settingsFor(exporting, question.threads), ...scopeSettings(scope, database) }
    const purged = await this.#purged.get()
    signal.throwIfAborted()
    const rows = async <Row>(query: Sql, label: string): Promise<Row[]> => {
      const start = performance.now()
      const found = await this.#statement<Row>(query, signal, settings)
      plan.queries.push({
        label,
        statement: query.render().query.replace(/\s+/g, ' ').trim(),
        ms: Math.round((performance.now() - start) * 100) / 100,
        rows: found.length,
      })
      return found
    }
    const ask: Ask = {
      database,
      signal,
      search: isWhole(scope) ? search : NO_SEARCH,
      costs,
      rows,
      ...(after && { after }),
      reads: (condition, columns) => readsOf(database, condition, purged, columns),
      estimate: (query) => estimateOf(rows, query, signal),
      platesOfList: (id) => (sees(scope, id) ? this.#options.platesOfList(id) : noList(id)),
      sealedWeeks: async () => new Set((await this.#sealed.get()).filter((week) => !purged.includes(week))),
      note: (name, fact) => {
        plan.facts[name] = fact
      },
    }
    return { ask, end: () => ended.abort(new AlprError('ALPR_ERR_INTERNAL')) }
  }

  async #statement<Row>(query: Sql, signal: AbortSignal, settings: ClickHouseSettings): Promise<Row[]> {
    const { query: text, params } = query.render()
    try {
      const result = await this.#options.client.query({
        query: text,
        query_params: params,
        format: 'JSONEachRow',
        clickhouse_settings: settings,
        abort_signal: signal,
        // Values that make an address too long (many plates, many cells) travel in a form.
        use_multipart_params_auto: true,
      })
      return await result.json<Row>()
    } catch (error) {
      if (signal.aborted)
        throw signal.reason instanceof AlprError
          ? signal.reason
          : new AlprError('ALPR_ERR_QUESTION_GIVEN_UP', {}, { cause: error })
      const type = (error as { type?: string }).type ?? ''
      if (TOO_LARGE.has(type)) throw new AlprError('ALPR_ERR_QUESTION_TOO_LARGE', { reason: type }, { cause: error })
      throw storeError(error, this.#options.url)
    }
  }

  /** Mondays (ms) in a table of weeks. */
  async #weeks(table: 'purges' | 'rollup_seals'): Promise<number[]> {
    const weeks = sql`SELECT DISTINCT toUInt32(week) AS day FROM ${tableOf(this.#options.database, table)}`
    const found = await this.#statement<{ day: number }>(weeks, AbortSignal.timeout(15_000), {})
    return found.map(({ day }) => day * DAY_MS)
  }
}

/** Rows that the store expects to read for a statement; undefined where it does not say. */
async function estimateOf(rows: Ask['rows'], query: Sql, signal: AbortSignal): Promise<number | undefined> {
  try {
    const [first] = await rows<{ rows?: string }>(sql`EXPLAIN ESTIMATE ${query}`, 'estimate')
    return first?.rows === undefined ? undefined : Number(first.rows)
  } catch (error) {
    if (signal.aborted) throw error
    return undefined
  }
}

/** Whether the scope has this hot list. */
const sees = ({ lists }: Scope, id: string): boolean => lists === 'all' || lists.includes(id)

const noList = async (id: string): Promise<never> => {
  throw new AlprError('ALPR_ERR_NOT_FOUND', { what: `hot list ${id}` })
}
