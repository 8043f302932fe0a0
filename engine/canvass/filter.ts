import { Type, type Static } from '@sinclair/typebox'
import { AlprError } from '../errors.js'
import { DAY_MS } from '../model/time.js'
import { coverOf, type CellRange } from '../geo/cover.js'
import { parsePattern, regexOf, type Pattern } from '../plate_search/pattern.js'
import { EARTH_M, areasOf, AreasSchema, type Circle, type Area, type Ring } from '../geo/area.js'
import { plateMatchesRegex } from '../store/plate_queries.js'
import { and, or, sql, tableOf, value, type Sql } from '../store/sql.js'
import { dailyOf, DailySchema, windowsOf, windowsSql, WindowsSchema, type Daily, type Window } from './window.js'

export const PatternSchema = Type.String({
  minLength: 1,
  maxLength: 128,
  description:
    'partial plate: ? one character, * any run, [8B] one of these, & fragments in any order, ' +
    '~1 ~2 misreads, @CA region',
})
export const LookAlikesSchema = Type.Boolean({
  default: true,
  description: 'treat look-alikes (8 and B, 0 and O ...) in the pattern as equal',
})

/** Fields that select the reads of a question. */
export const FilterFields = {
  places: AreasSchema,
  windows: WindowsSchema,
  daily: Type.Optional(DailySchema),
  pattern: Type.Optional(PatternSchema),
  lookAlikes: LookAlikesSchema,
  regions: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 15 }), { minItems: 1, maxItems: 64 })),
  direction: Type.Optional(
    Type.Union([Type.Literal('approaching'), Type.Literal('leaving'), Type.Literal('still'), Type.Literal('unknown')]),
  ),
  minConfidence: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
}
export const FilterSchema = Type.Object(FilterFields)

export type FilterPattern = Pattern & { source: string; lookAlikes: boolean }

/** A parsed and validated filter. */
export interface Filter {
  /** Empty: everywhere. */
  areas: Area[]
  windows: Window[]
  daily?: Daily
  pattern?: FilterPattern
  regions?: string[]
  direction?: string
  minConfidence?: number
}

type FilterInput = Static<typeof FilterSchema>

/** @throws ALPR_ERR_AREA_INVALID, ALPR_ERR_WINDOW_INVALID, ALPR_ERR_REQUEST_INVALID */
export function filterOf(input: FilterInput): Filter {
  const { daily, pattern, regions, direction, minConfidence } = input
  return {
    areas: areasOf(input.places),
    windows: windowsOf(input.windows),
    ...(daily && { daily: dailyOf(daily) }),
    ...(pattern !== undefined && {
      pattern: { ...parsePattern(pattern), source: pattern, lookAlikes: input.lookAlikes },
    }),
    ...(regions && { regions: regions.map((one) => one.toUpperCase()) }),
    ...(direction && { direction }),
    ...(minConfidence !== undefined && { minConfidence }),
  }
}

/**
 * A condition on a read in two parts. The `fixed` part holds for every version of a read or for none, so the store
 * evaluates it before it selects the latest version, while few columns have been read: position, camera and first time
 * are the same in all versions, and the last time only grows. The `rest` is evaluated on the latest version. `plates`
 * limits the reads to these texts, which the index by plate finds; `whole` means that the query needs columns that the
 * index does not have.
 */
export interface Condition {
  fixed: Sql
  rest: Sql
  plates?: readonly string[]
  whole?: boolean
}

export const both = (a: Condition, b: Partial<Pick<Condition, 'fixed' | 'rest'>>): Condition => ({
  ...a,
  fixed: b.fixed ? and([a.fixed, b.fixed]) : a.fixed,
  rest: b.rest ? and([a.rest, b.rest]) : a.rest,
})

/** The filter without its pattern, as a condition on a read. */
export function filterSql(database: string, filter: Filter): Condition {
  return {
    fixed: and([
      windowsSql(filter.windows, filter.daily),
      ...(filter.areas.length > 0 ? [areasSql(database, filter.areas)] : []),
    ]),
    rest: and([
      ...regionSql(filter.regions),
      ...regionSql(filter.pattern?.regions),
      ...(filter.direction === undefined ? [] : [sql`direction = ${value('String', filter.direction)}`]),
      ...(filter.minConfidence === undefined ? [] : [sql`confidence >= ${value('Float64', filter.minConfidence)}`]),
    ]),
  }
}

/** The pattern as a condition on column `plate`; its regions are part of `filterSql`. */
export const patternSql = (pattern: FilterPattern): Sql => plateMatchesRegex(regexOf(pattern, pattern.lookAlikes))

const regionSql = (regions: readonly string[] = []): Sql[] =>
  regions.length === 0 ? [] : [sql`region IN ${value('Array(String)', regions)}`]

/** Reads that lie in any of these areas. */
export const areasSql = (database: string, areas: readonly Area[]): Sql =>
  or(areas.map((area) => and([cellsSql(database, area), boundarySql(area)])))

function boundarySql(area: Area): Sql {
  if (area.kind === 'circle') return circleSql(area)
  if (area.kind === 'ring') return ringSql(area)
  return sql`camera IN ${value('Array(String)', area.ids)}`
}

/** Up to this many cells of an area are listed one by one; about 20 by 20 km. */
const MAX_LISTED_CELLS = 1_000

/** The cells that an area touches: the key of `reads` leads to them. */
function cellsSql(database: string, area: Area): Sql {
  if (area.kind === 'cameras')
    return sql`cell IN (SELECT cell FROM ${tableOf(database, 'camera_cells')}
      WHERE camera IN ${value('Array(String)', area.ids)})`
  const ranges = coverOf(area)
  const cells = ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0)
  // The store looks up a set once a row but compares ranges one by one.
  if (cells <= MAX_LISTED_CELLS)
    return sql`cell IN ${value(
      'Array(UInt32)',
      ranges.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, i) => from + i)),
    )}`
  return or(
    ranges.map(({ from, to }: CellRange) =>
      from === to
        ? sql`cell = ${value('UInt32', from)}`
        : sql`(cell >= ${value('UInt32', from)} AND cell <= ${value('UInt32', to)})`,
    ),
  )
}

/**
 * Haversine, compared as sin^2 of half the angle: no root, arc sine or power per row (equal terms are computed once).
 * The edge belongs to the circle: 1 micrometre more absorbs rounding.
 */
function circleSql({ lat, lon, radiusM }: Circle): Sql {
  const limit = Math.sin(Math.min((radiusM + 1e-6) / EARTH_M, Math.PI) / 2) ** 2
  const north = sql`sin((toFloat64(lat) - ${value('Float64', lat)}) * 0.008726646259971648)`
  const east = sql`sin((toFloat64(lon) - ${value('Float64', lon)}) * 0.008726646259971648)`
  const cosine = value('Float64', Math.cos(lat * 0.017453292519943295))
  return sql`${north} * ${north} + cos(toFloat64(lat) * 0.017453292519943295) * ${cosine} * ${east} * ${east}
    <= ${value('Float64', limit)}`
}

function ringSql(ring: Ring): Sql {
  const corners = sql`arrayZip(${value('Array(Float64)', ring.lon)}, ${value('Array(Float64)', ring.lat)})`
  return or([
    sql`pointInPolygon((toFloat64(lon), toFloat64(lat)), ${corners})`,
    ...(ring.east > 180 ? [sql`pointInPolygon((toFloat64(lon) + 360., toFloat64(lat)), ${corners})`] : []),
    ...(ring.west < -180 ? [sql`pointInPolygon((toFloat64(lon) - 360., toFloat64(lat)), ${corners})`] : []),
  ])
}

/** @throws ALPR_ERR_REQUEST_INVALID for all plates everywhere over more than `maxDays` days */
export function requireArea(filter: Filter, maxDays: number): void {
  const span = filter.windows.reduce((sum, { from, to }) => sum + to - from, 0)
  if (filter.areas.length === 0 && filter.pattern === undefined && span > maxDays * DAY_MS) {
    throw new AlprError('ALPR_ERR_REQUEST_INVALID', {
      field: 'places',
      reason: `more than ${maxDays} days of all plates everywhere: name places, a pattern or a shorter time`,
    })
  }
}
