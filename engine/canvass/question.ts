import { Type, type Static, type TObject, type TProperties } from '@sinclair/typebox'
import type { PlateSearch } from '../plate_search/candidates.js'
import type { Condition } from './filter.js'
import type { Costs } from './planner.js'
import type { Sql } from '../store/sql.js'

/** Rows of one page of JSON; more belong to an export. */
export const MAX_PAGE = 5_000

export const PageFields = {
  limit: Type.Integer({ minimum: 1, maximum: MAX_PAGE, default: 100 }),
  cursor: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 2_000,
      description: 'the `next` of the page before, with the same question',
    }),
  ),
  explain: Type.Boolean({ default: false, description: 'say how the answer was found, and why so' }),
}

/** The input of a question, strict, with the fields that all have. */
export function inputOf<T extends TProperties>(fields: T) {
  const schema = Type.Object({ ...fields, ...PageFields }, { additionalProperties: false })
  // What has a default may be left out; the schema of the routes says so too.
  const plain = schema as TObject
  plain.required = (plain.required ?? []).filter((name) => plain.properties[name]!.default === undefined)
  return schema
}

/** What a question may do: ask the store, and say how. */
export interface Ask {
  readonly database: string
  readonly signal: AbortSignal
  /** Key of the last row of the page before. */
  readonly after?: readonly (string | number)[]
  readonly search: PlateSearch
  readonly costs: Costs
  rows: <Row>(query: Sql, label: string) => Promise<Row[]>
  /**
   * Reads that satisfy a condition, held ones of purged weeks among them: stands where a table stands.
   * @param columns those that are asked for, by name: each column more is one that the store resolves and plans for.
   * @default all
   */
  reads: (condition: Partial<Condition>, columns?: Sql) => Sql
  /** Rows that a query would read, as the store estimates from its index; undefined where it does not tell. */
  estimate: (query: Sql) => Promise<number | undefined>
  /** Plates of a hot list as it stands now. @throws ALPR_ERR_NOT_FOUND, ALPR_ERR_NATS_UNAVAILABLE */
  platesOfList: (id: string) => Promise<readonly string[]>
  /** Mondays (ms) of weeks whose rollups are exact. */
  sealedWeeks: () => Promise<ReadonlySet<number>>
  /** Goes into the answer of `explain`. */
  note: (name: string, fact: unknown) => void
}

export interface Found<Row> {
  items: Row[]
  /** Key of the last item when there are more. */
  next?: (string | number)[]
  /** What a person should know about the answer as a whole. */
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
  /** Checks what the schema cannot say and gives it in numbers. @throws coded errors */
  prepare(input: Static<Schema>): Prepared
  answer(ask: Ask, prepared: Prepared, limit: number): Promise<Found<Row>>
  /** Threads of the store for one query: lookups are done sooner by one than by several that wait for each other. */
  readonly threads?: number
  /**
   * What is known so far, again and again while it is found; each stands in place of the one before. Only where finding
   * takes long and can be shown.
   */
  pages?(ask: Ask, prepared: Prepared, limit: number): AsyncIterable<Found<Row>>
  readonly columns: readonly CsvColumn<Row>[]
  shape(row: Row): Shape
}

/** Keeps the types of a question together. */
export const question = <Schema extends TObject, Prepared, Row>(
  of: Question<Schema, Prepared, Row>,
): Question<Schema, Prepared, Row> => of

/** A page is cut from one row more than it shows. */
export function pageOf<Row>(rows: Row[], limit: number, key: (row: Row) => (string | number)[]): Found<Row> {
  const items = rows.slice(0, limit)
  return { items, ...(rows.length > limit && { next: key(items.at(-1)!) }) }
}
