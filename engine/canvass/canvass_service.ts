import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client'
import { AlprError, codeOf } from '../errors.js'
import { storeError } from '../store/client.js'
import { SqlPlateSearch, type PlateSearch } from '../plate_search/candidates.js'
import { validate } from '../runtime/validate.js'
import { cursorPlace, cursorText, fingerprintOf } from './cursor.js'
import { CachedValue } from '../runtime/cached_value.js'
import { openGate, type Gate, type Look } from './access_gate.js'
import type { Condition } from './filter.js'
import type { Ask, Found, Question } from './question.js'
import { COSTS, type Costs } from './costs.js'
import { QUESTIONS, type QuestionKind } from './questions.js'
import { and, sql, tableOf, value, type Sql } from '../store/sql.js'

export interface CanvassServiceOptions {
  client: ClickHouseClient
  database: string
  /** Told in errors; no secret in it. */
  url?: string
  gate?: Gate
  search?: PlateSearch
  /** Of this machine, for the planner. */
  costs?: Costs
  /**
   * Plates of a hot list by its id; without it no question knows lists. @throws ALPR_ERR_NOT_FOUND,
   * ALPR_ERR_NATS_UNAVAILABLE
   */
  platesOfList?: (id: string) => Promise<readonly string[]>
  now?: () => number
}

export interface Answer {
  items: unknown[]
  next?: string
  notes?: Record<string, unknown>
  plan?: Plan
}

/** How an answer was found. The statements show names of parameters, never their values. */
export interface Plan {
  facts: Record<string, unknown>
  queries: { label: string; statement: string; ms: number; rows: number }[]
}

export interface AskOptions {
  signal?: AbortSignal
  /** A file: pages of 5,000 one after the other, at a lower priority than people who wait. */
  export?: boolean
}

/** A person waits this long, an export longer; seconds. The store ends the query then. */
const PAGE_SECONDS = 30
const EXPORT_SECONDS = 300
/** Rows of one export. */
export const MAX_EXPORT = 1_000_000
const EXPORT_PAGE = 5_000
/**
 * What is known of purges and seals may be so old, milliseconds; the purge job waits longer between its announcement
 * and its deed.
 */
export const CACHED_MS = 2_000

/**
 * Names of the columns that answers are made of, those that the index by plate has and all: also the order in which
 * held rows are united with the others.
 */
const SHOWN = sql`cell, ts, read_id, version, plate, confidence, region, camera, ts_last, lat, lon, heading, direction, crop_segment, crop_offset, crop_length`
const READ = sql`${SHOWN}, height_px, sharpness, contrast, glare, alternate_plates, alternate_confidences`

/**
 * The one door to the questions. Each look goes through the gate first (`look.ts`), then through the checks of its
 * question, then to the store; this class is the only thing of this folder that others can ask.
 */
export class CanvassService {
  readonly #options: Required<Omit<CanvassServiceOptions, 'url'>> & { url: string }
  /** Mondays whose reads answer no more; those whose rollups are exact. */
  readonly #purged: CachedValue<number[]>
  readonly #sealed: CachedValue<number[]>

  constructor(options: CanvassServiceOptions) {
    const { client, database } = options
    const count = async () =>
      Number(
        (
          await this.#raw<{ n: string }>(
            sql`SELECT count() AS n FROM ${tableOf(database, 'plates')}`,
            AbortSignal.timeout(10_000),
            {},
          )
        )[0]?.n ?? 0,
      )
    this.#options = {
      url: 'the store',
      gate: openGate,
      search: new SqlPlateSearch(database, count),
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
   * One page of an answer.
   * @throws ALPR_ERR_REQUEST_INVALID, ALPR_ERR_AREA_INVALID, ALPR_ERR_WINDOW_INVALID, ALPR_ERR_CURSOR_FOREIGN,
   * ALPR_ERR_QUESTION_TOO_LARGE, ALPR_ERR_STORE_UNAVAILABLE, or what the gate throws
   */
  async ask(look: Look, kind: QuestionKind, input: unknown, options: AskOptions = {}): Promise<Answer> {
    const { question, checkedInput, prepared } = this.#understand(kind, input)
    const done = await this.#options.gate(look, {
      kind,
      input: checkedInput,
      form: checkedInput.explain ? 'explain' : 'page',
    })
    let rows = 0
    let failed: string | undefined
    try {
      const answer = await this.#page(question, kind, checkedInput, prepared, checkedInput.limit, options)
      rows = answer.items.length
      return answer
    } catch (error) {
      failed = codeOf(error)
      throw error
    } finally {
      await done({ rows, ...(failed !== undefined && { failed }) })
    }
  }

  /**
   * The whole answer, page by page, at most 1,000,000 rows. Nothing is asked before the first page is wanted, nothing
   * more when the reader stops. `limit` of the input bounds the whole.
   */
  async *export(
    look: Look,
    kind: QuestionKind,
    input: unknown,
    options: { signal?: AbortSignal } = {},
  ): AsyncGenerator<unknown[]> {
    const whole = input !== null && typeof input === 'object' && 'limit' in input
    const { question, checkedInput, prepared } = this.#understand(
      kind,
      whole ? { ...input, limit: Math.min(Number((input as { limit: unknown }).limit) || 0, EXPORT_PAGE) } : input,
    )
    const most = whole ? Math.min(MAX_EXPORT, Number((input as { limit: unknown }).limit)) : MAX_EXPORT
    const done = await this.#options.gate(look, { kind, input: checkedInput, form: 'export' })
    let rows = 0
    let failed: string | undefined
    try {
      let cursor = checkedInput.cursor
      while (rows < most) {
        const page = await this.#page(
          question,
          kind,
          { ...checkedInput, cursor, explain: false },
          prepared,
          Math.min(EXPORT_PAGE, most - rows),
          { ...options, export: true },
        )
        rows += page.items.length
        if (page.items.length > 0) yield page.items
        if (page.next === undefined) return
        cursor = page.next
      }
    } catch (error) {
      failed = codeOf(error)
      throw error
    } finally {
      await done({ rows, ...(failed !== undefined && { failed }) })
    }
  }

  /**
   * What is known so far, while it is found: each answer stands in place of the one before, the last has `notes.done`.
   * @throws as `ask`, and ALPR_ERR_REQUEST_INVALID for a question that cannot be shown so
   */
  async *watch(
    look: Look,
    kind: QuestionKind,
    input: unknown,
    options: { signal?: AbortSignal } = {},
  ): AsyncGenerator<Answer> {
    const { question, checkedInput, prepared } = this.#understand(kind, input)
    if (!question.pages)
      throw new AlprError('ALPR_ERR_REQUEST_INVALID', {
        field: 'format',
        reason: `the answer to ${kind} comes in one piece`,
      })
    const done = await this.#options.gate(look, { kind, input: checkedInput, form: 'page' })
    let rows = 0
    let failed: string | undefined
    let end = () => {}
    try {
      const opened = await this.#opened(question, { facts: {}, queries: [] }, undefined, options)
      end = opened.end
      for await (const { items, notes } of question.pages(opened.ask, prepared, checkedInput.limit)) {
        rows = items.length
        yield { items, ...(notes && { notes }) }
      }
    } catch (error) {
      failed = codeOf(error)
      throw error
    } finally {
      end()
      await done({ rows, ...(failed !== undefined && { failed }) })
    }
  }

  /** @throws ALPR_ERR_NOT_FOUND for a question there is none of, and what its checks throw */
  #understand(kind: QuestionKind, input: unknown): { question: Question; checkedInput: Input; prepared: unknown } {
    if (!Object.hasOwn(QUESTIONS, kind))
      throw new AlprError('ALPR_ERR_NOT_FOUND', { what: `question ${String(kind).slice(0, 40)}` })
    const question = QUESTIONS[kind] as unknown as Question
    const checkedInput = validate(question.schema, input) as unknown as Input
    return { question, checkedInput, prepared: question.prepare(checkedInput as never) }
  }

  async #page(
    question: Question,
    kind: string,
    input: Input,
    prepared: unknown,
    limit: number,
    options: AskOptions,
  ): Promise<Answer> {
    const fingerprint = fingerprintOf(kind, input)
    const place = input.cursor === undefined ? undefined : cursorPlace(input.cursor, fingerprint)
    const plan: Plan = { facts: {}, queries: [] }
    const { ask, end } = await this.#opened(question, plan, place, options)
    try {
      const found: Found<unknown> = await question.answer(ask, prepared, limit)
      return {
        items: found.items,
        ...(found.next && { next: cursorText(fingerprint, found.next) }),
        ...(found.notes && { notes: found.notes }),
        ...(input.explain && { plan }),
      }
    } finally {
      end()
    }
  }

  /** What a question may do, until `end`: whatever still runs then (one of several queries failed) is killed. */
  async #opened(
    { threads }: Question,
    plan: Plan,
    place: readonly (string | number)[] | undefined,
    options: AskOptions,
  ): Promise<{ ask: Ask; end: () => void }> {
    const { database, search, costs } = this.#options
    const ended = new AbortController()
    const signal = AbortSignal.any([ended.signal, ...(options.signal ? [options.signal] : [])])
    const settings = settingsFor(options.export === true, threads)
    const purged = await this.#purged.get()
    signal.throwIfAborted()
    const rows = async <Row>(query: Sql, label: string): Promise<Row[]> => {
      const start = performance.now()
      const found = await this.#raw<Row>(query, signal, settings)
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
      search,
      costs,
      rows,
      ...(place && { after: place }),
      reads: (condition, columns) => readsOf(database, condition, purged, columns),
      estimate: async (query) => {
        const [first] = await rows<{ rows?: string }>(sql`EXPLAIN ESTIMATE ${query}`, 'estimate').catch(
          (error: unknown) => {
            if (signal.aborted) throw error
            return []
          },
        )
        return first?.rows === undefined ? undefined : Number(first.rows)
      },
      platesOfList: this.#options.platesOfList,
      sealedWeeks: async () => new Set((await this.#sealed.get()).filter((week) => !purged.includes(week))),
      note: (name, fact) => {
        plan.facts[name] = fact
      },
    }
    return { ask, end: () => ended.abort(new AlprError('ALPR_ERR_INTERNAL')) }
  }

  async #raw<Row>(query: Sql, signal: AbortSignal, settings: ClickHouseSettings): Promise<Row[]> {
    const { query: text, params } = query.render()
    try {
      // Values that make an address too long (many plates, many cells) travel in a form.
      const result = await this.#options.client.query({
        query: text,
        query_params: params,
        format: 'JSONEachRow',
        clickhouse_settings: settings,
        abort_signal: signal,
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

  /** Mondays (ms) that a table of weeks names. */
  async #weeks(table: 'purges' | 'rollup_seals'): Promise<number[]> {
    const found = await this.#raw<{ day: number }>(
      sql`SELECT DISTINCT toUInt32(week) AS day FROM ${tableOf(this.#options.database, table)}`,
      AbortSignal.timeout(15_000),
      {},
    )
    return found.map(({ day }) => day * 86_400_000)
  }
}

const noList = async (id: string): Promise<never> => {
  throw new AlprError('ALPR_ERR_NOT_FOUND', { what: `hot list ${id}` })
}

interface Input {
  limit: number
  cursor?: string
  explain: boolean
}

/** The store gave up because the question is too large, not because something is broken. */
const TOO_LARGE = new Set([
  'TIMEOUT_EXCEEDED',
  'MEMORY_LIMIT_EXCEEDED',
  'TOO_MANY_ROWS',
  'TOO_MANY_BYTES',
  'TOO_MANY_ROWS_OR_BYTES',
  'SET_SIZE_LIMIT_EXCEEDED',
  'TOO_SLOW',
])

/**
 * All versions of a read lie in one partition, because no version changes the time of the first: FINAL need not look
 * across them.
 */
export const settingsFor = (exporting: boolean, threads?: number): ClickHouseSettings => ({
  do_not_merge_across_partitions_select_final: 1,
  max_execution_time: exporting ? EXPORT_SECONDS : PAGE_SECONDS,
  // Compiling an expression takes longer than most questions run, and each question has expressions of its own.
  compile_expressions: 0,
  compile_aggregate_expressions: 0,
  compile_sort_description: 0,
  // Sums of many vehicles go to disk rather than to the limit of memory.
  max_bytes_before_external_group_by: '500000000',
  ...(threads !== undefined && { max_threads: threads }),
  ...(exporting && { max_threads: 1, priority: '10' }),
})

/**
 * Reads under a condition, from `reads` or, where plates are named, from the index by plate. Weeks that were purged
 * answer from the held rows, and only from these: no read is told twice.
 */
function readsOf(
  database: string,
  { fixed = sql`1`, rest = sql`1`, plates, whole = false }: Partial<Condition>,
  purged: readonly number[],
  columns = plates && !whole ? SHOWN : READ,
): Sql {
  const from = (table: 'reads' | 'reads_held' | 'reads_by_plate', before: readonly Sql[], after: readonly Sql[]) =>
    sql`SELECT ${columns} FROM ${tableOf(database, table)} FINAL PREWHERE ${and(before)} WHERE ${and(after)}`
  const ofPlates = plates ? [sql`plate IN ${textsOf(plates)}`] : []
  const located = () =>
    sql`(cell, ts, read_id) IN (SELECT cell, ts, read_id FROM ${tableOf(database, 'reads_by_plate')} FINAL PREWHERE ${and(ofPlates)} WHERE NOT gone)`
  const stored = (where: Sql) =>
    !plates
      ? from('reads', [where], [rest])
      : whole
        ? from('reads', [located(), where], [...ofPlates, rest])
        : // A row that takes back another has its key and nothing else: only the key may be asked for before the latest is picked.
          from('reads_by_plate', ofPlates, [sql`NOT gone`, where, rest])
  if (purged.length === 0) return sql`(${stored(fixed)})`
  const weeks = sql`(SELECT toDate(arrayJoin(${value(
    'Array(UInt32)',
    purged.map((ms) => ms / 86_400_000),
  )})))`
  return sql`(${stored(and([fixed, sql`toMonday(ts) NOT IN ${weeks}`]))} UNION ALL ${from('reads_held', [fixed, sql`toMonday(ts) IN ${weeks}`], [...ofPlates, rest])})`
}

/**
 * Plates as a value; the same plates are the same value, so that a list of 200,000 travels once however often a
 * statement names it.
 */
function textsOf(plates: readonly string[]): Sql {
  const known = TEXTS.get(plates) ?? value('Array(String)', plates)
  TEXTS.set(plates, known)
  return known
}
const TEXTS = new WeakMap<readonly string[], Sql>()
