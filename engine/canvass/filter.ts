import { Type, type Static } from '@sinclair/typebox'
import { AlprError } from '../errors.js'
import { DAY_MS } from '../model/time.js'
import { coverOf, type CellRange } from '../geo/cover.js'
import { parsePattern, type Pattern } from './pattern.js'
import { EARTH_M, areasOf, AreasSchema, type Circle, type Area, type Ring } from '../geo/area.js'
import { and, or, sql, tableOf, value, type Sql } from '../store/sql.js'
import { dailyOf, DailySchema, windowsOf, windowsSql, WindowsSchema, type Daily, type Window } from './window.js'

/** Fields that say which reads a question is about. */
export const FilterFields = {
  places: AreasSchema,
  windows: WindowsSchema,
  daily: Type.Optional(DailySchema),
  pattern: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 128,
      description:
        'partial plate: ? one character, * any run, [8B] one of these, & fragments in any order, ~1 ~2 misreads, @CA region',
    }),
  ),
  lookAlikes: Type.Boolean({
    default: true,
    description: 'take look-alikes (8 and B, 0 and O ...) for one another in the pattern',
  }),
  regions: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 15 }), { minItems: 1, maxItems: 64 })),
  direction: Type.Optional(
    Type.Union([Type.Literal('approaching'), Type.Literal('leaving'), Type.Literal('still'), Type.Literal('unknown')]),
  ),
  minConfidence: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
}
export const FilterSchema = Type.Object(FilterFields)

/** Understood and checked. */
export interface Filter {
  places: Area[]
  windows: Window[]
  daily?: Daily
  pattern?: Pattern & { source: string; lookAlikes: boolean }
  regions?: string[]
  direction?: string
  minConfidence?: number
}

type FilterInput = Static<typeof FilterSchema>

/** @throws ALPR_ERR_AREA_INVALID, ALPR_ERR_WINDOW_INVALID, ALPR_ERR_REQUEST_INVALID */
export function filterOf(input: FilterInput): Filter {
  const { daily, pattern, regions, direction, minConfidence } = input
  return {
    places: areasOf(input.places),
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
 * A condition on a read in two parts. What is `fixed` may be asked of any version of it, before the latest is picked,
 * and so is asked while few columns have been read: position, camera and first time are the same in all versions, and
 * the last time only grows. The `rest` is asked of the latest version. With `plates` only reads of these texts are
 * meant, and are found by the index by plate; `whole` says that columns are wanted which that does not have.
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

/** Everything but the pattern, as a condition on a read. */
export function filterSql(database: string, filter: Filter): Condition {
  return {
    fixed: and([
      windowsSql(filter.windows, filter.daily),
      ...(filter.places.length > 0 ? [placesSql(database, filter.places)] : []),
    ]),
    rest: and([
      ...regionSql(filter.regions),
      ...regionSql(filter.pattern?.regions),
      ...(filter.direction === undefined ? [] : [sql`direction = ${value('String', filter.direction)}`]),
      ...(filter.minConfidence === undefined ? [] : [sql`confidence >= ${value('Float64', filter.minConfidence)}`]),
    ]),
  }
}

const regionSql = (regions: readonly string[] = []): Sql[] =>
  regions.length === 0 ? [] : [sql`region IN ${value('Array(String)', regions)}`]

export const placesSql = (database: string, places: readonly Area[]): Sql =>
  or(
    places.map((place) =>
      and([
        cellsSql(database, place),
        ...(place.kind === 'circle'
          ? [circleSql(place)]
          : place.kind === 'ring'
            ? [ringSql(place)]
            : [sql`camera IN ${value('Array(String)', place.ids)}`]),
      ]),
    ),
  )

/** Cells of a place that are named one by one; about 20 by 20 km. */
const MOST_LISTED_CELLS = 1_000

function cellsSql(database: string, place: Area): Sql {
  if (place.kind === 'cameras')
    return sql`cell IN (SELECT cell FROM ${tableOf(database, 'camera_cells')} WHERE camera IN ${value('Array(String)', place.ids)})`
  const ranges = coverOf(place)
  const cells = ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0)
  // A set is looked up once a row, ranges are compared one by one.
  if (cells <= MOST_LISTED_CELLS)
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
 * Haversine, compared as sin^2 of half the angle: no root, no arc sine and no pow a row (equal terms are computed
 * once). The edge belongs to the circle, whatever the last bit says: 1 micrometre more.
 */
function circleSql({ lat, lon, radiusM }: Circle): Sql {
  const limit = Math.sin(Math.min((radiusM + 1e-6) / EARTH_M, Math.PI) / 2) ** 2
  const north = sql`sin((toFloat64(lat) - ${value('Float64', lat)}) * 0.008726646259971648)`
  const east = sql`sin((toFloat64(lon) - ${value('Float64', lon)}) * 0.008726646259971648)`
  const cosine = value('Float64', Math.cos(lat * 0.017453292519943295))
  return sql`${north} * ${north} + cos(toFloat64(lat) * 0.017453292519943295) * ${cosine} * ${east} * ${east} <= ${value('Float64', limit)}`
}

function ringSql(ring: Ring): Sql {
  const corners = sql`arrayZip(${value('Array(Float64)', ring.lon)}, ${value('Array(Float64)', ring.lat)})`
  return or([
    sql`pointInPolygon((toFloat64(lon), toFloat64(lat)), ${corners})`,
    ...(ring.east > 180 ? [sql`pointInPolygon((toFloat64(lon) + 360., toFloat64(lat)), ${corners})`] : []),
    ...(ring.west < -180 ? [sql`pointInPolygon((toFloat64(lon) - 360., toFloat64(lat)), ${corners})`] : []),
  ])
}

/** @throws ALPR_ERR_REQUEST_INVALID: all reads of years are no question */
export function needsPlace(filter: Filter, daysAtMost: number): void {
  const span = filter.windows.reduce((sum, { from, to }) => sum + to - from, 0)
  if (filter.places.length === 0 && filter.pattern === undefined && span > daysAtMost * DAY_MS) {
    throw new AlprError('ALPR_ERR_REQUEST_INVALID', {
      field: 'places',
      reason: `everywhere, for more than ${daysAtMost} days and any plate, is too much to ask: name places, a pattern or a shorter time`,
    })
  }
}
