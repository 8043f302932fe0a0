import { Type, type Static, type TObject, type TProperties } from '@sinclair/typebox'
import type { PlateSearch } from '../plate_search/candidates.js'
import type { Condition } from './filter.js'
import type { Costs } from './costs.js'
import type { Sql } from '../store/sql.js'

/** Most rows of one page of JSON; larger answers are exported. */
export const MAX_PAGE = 5_000

export const PageFields = {
  limit: Type.Integer({ minimum: 1, maximum: MAX_PAGE, default: 100 }),
  cursor: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 2_000,
      description: 'the `next` of the previous page, with the same question',
    }),
  ),
  explain: Type.Boolean({ default: false, description: 'report how the answer was found, and why' }),
}

/** The strict input schema of a question, with the fields that all questions have. */
export function inputOf<T extends TProperties>(fields: T) {
  const schema = Type.Object({ ...fields, ...PageFields }, { additionalProperties: false })
  // Fields with a default may be omitted, in the schema of the routes too.
  const plain = schema as TObject
  plain.required = (plain.required ?? []).filter((name) => plain.properties[name]!.default === undefined)
  return schema
}

/** What a question may use to find its answer. */
export interface Ask {
  readonly database: string
  readonly signal: AbortSignal
  /** Key of the last row of the previous page. */
  readonly after?: readonly (string | number)[]
  readonly search: PlateSearch
  readonly costs: Costs
  rows: <Row>(query: Sql, label: string) => Promise<Row[]>
  /**
   * Reads that satisfy a condition, including held reads of purged weeks, as a table expression.
   * @param columns the columns that the query needs, by name: the store resolves and plans for each further one.
   * Default: all
   */
  reads: (condition: Partial<Condition>, columns?: Sql) => Sql
  /** Rows that a query would read, as the store estimates from its index; undefined where it has no estimate. */
  estimate: (query: Sql) => Promise<number | undefined>
  /** Plates of a hot list in its current version. @throws ALPR_ERR_NOT_FOUND, ALPR_ERR_NATS_UNAVAILABLE */
  platesOfList: (id: string) => Promise<readonly string[]>
  /** Mondays (ms) of weeks whose rollups are exact. */
  sealedWeeks: () => Promise<ReadonlySet<number>>
  /** Adds a fact to the plan that `explain` returns. */
  note: (name: string, fact: unknown) => void
}

export interface Found<Row> {
  items: Row[]
  /** Key of the last item when there are more. */
  next?: (string | number)[]
  /** Whether rows may be left out, because a search used its budget up; `notes` say how far it came. */
  partial?: boolean
  /** Further rows of an answer that has no pages. */
  left?: number
  /** Remarks for people on the answer as a whole. */
  notes?: Record<string, unknown>
}

export type Cell = string | number | boolean | undefined
export type CsvColumn<Row> = readonly [heading: string, of: (row: Row) => Cell]

/** GeoJSON geometry of a row: a point, or the corners of a polygon. */
export type Shape = { point: [lon: number, lat: number] } | { corners: [lon: number, lat: number][] } | undefined

export interface Question<Schema extends TObject = TObject, Prepared = unknown, Row = unknown> {
  readonly kind: string
  readonly summary: string
  readonly schema: Schema
  /** Validates what the schema cannot express and converts the input. @throws coded errors */
  prepare(input: Static<Schema>): Prepared
  answer(ask: Ask, prepared: Prepared, limit: number): Promise<Found<Row>>
  /** Threads of the store for one query: lookups finish sooner with one than with several that wait for each other. */
  readonly threads?: number
  /**
   * Intermediate answers while the search runs; each replaces the previous one. Only for questions that take long and
   * have something to show meanwhile.
   */
  pages?(ask: Ask, prepared: Prepared, limit: number): AsyncIterable<Found<Row>>
  readonly columns: readonly CsvColumn<Row>[]
  shape(row: Row): Shape
}

/** Infers the type parameters of a question from its parts. */
export const question = <Schema extends TObject, Prepared, Row>(
  of: Question<Schema, Prepared, Row>,
): Question<Schema, Prepared, Row> => of

/** A page from `limit` rows or one more; the further row only tells that there is a next page. */
export function pageOf<Row>(rows: Row[], limit: number, key: (row: Row) => (string | number)[]): Found<Row> {
  const items = rows.slice(0, limit)
  return { items, ...(rows.length > limit && { next: key(items.at(-1)!) }) }
}
