import { both, filterSql, type Condition, type Filter } from './filter.js'
import type { Ask } from './question.js'
import { plateMatches } from '../plate_search/candidates.js'
import { sql, tableOf, time, value, type Sql } from '../store/sql.js'
import { DAY_MS } from '../model/time.js'

/**
 * What the planner reckons with, milliseconds: of a row that is scanned and matched, of a plate whose reads are looked
 * up in the index by plate, of any query.
 */
export interface Costs {
  row: number
  plate: number
  query: number
}
/** Measured on one core with a year of 20 million reads. */
export const COSTS: Costs = { row: 60e-6, plate: 1, query: 6 }
/** Plates that are looked up one by one. */
const MOST_CANDIDATES = 5_000
/** Below this an area is simply scanned: asking what it costs would cost more. */
const SMALL_SPAN_MS = 3 * DAY_MS

/**
 * The condition that finds a filter's reads: area first (the key of `reads` leads to the cells, each read is matched)
 * or pattern first (the plates that the pattern may mean, then their reads in `reads_by_plate`), whichever is expected
 * to be cheaper.
 */
export async function conditionOf(ask: Ask, filter: Filter): Promise<Condition> {
  const { database, costs } = ask
  const where = filterSql(database, filter)
  const { pattern } = filter
  if (pattern === undefined) {
    ask.note('way', { chosen: 'area first', why: 'there is no pattern' })
    return where
  }
  const areaFirst = both(where, { rest: plateMatches(pattern, pattern.lookAlikes) })
  const span = filter.windows.reduce((sum, { from, to }) => sum + to - from, 0)
  if (filter.places.length > 0 && span <= SMALL_SPAN_MS) {
    ask.note('way', {
      chosen: 'area first',
      why: 'a few places for a few days are scanned at once',
      days: span / DAY_MS,
    })
    return areaFirst
  }
  const rows = await ask.estimate(sql`SELECT count() FROM ${tableOf(database, 'reads')} WHERE ${where.fixed}`)
  const scanMs = rows === undefined ? Infinity : rows * costs.row + costs.query
  const searchMs = await ask.search.expectedMs()
  if (scanMs <= searchMs) {
    ask.note('way', {
      chosen: 'area first',
      why: 'scanning the area costs less than searching all plates',
      scanRows: rows,
      scanMs,
      searchMs,
      search: ask.search.name,
    })
    return areaFirst
  }
  const found = await ask.search.search(
    { pattern, source: pattern.source, lookAlikes: pattern.lookAlikes, limit: MOST_CANDIDATES, signal: ask.signal },
    ask.rows,
  )
  const lookUpMs = found.plates.length * costs.plate + costs.query
  if (found.more || lookUpMs > scanMs) {
    ask.note('way', {
      chosen: 'area first',
      why: found.more
        ? `more than ${MOST_CANDIDATES} plates match the pattern`
        : 'looking up its plates costs more than scanning the area',
      scanRows: rows,
      scanMs,
      plates: found.plates.length,
      lookUpMs,
      search: ask.search.name,
    })
    return areaFirst
  }
  ask.note('way', {
    chosen: 'pattern first',
    why: 'looking up the reads of the plates that match costs less than scanning the area',
    plates: found.plates.length,
    lookUpMs,
    scanRows: rows,
    scanMs,
    searchMs,
    search: ask.search.name,
  })
  return { ...where, plates: found.plates.map(({ plate }) => plate) }
}

/**
 * Of more plates than this the latest reads are picked by their keys first: to read all columns of all their reads
 * would take much longer.
 */
const MANY_PLATES = 100

/**
 * Reads of certain plates under a filter, newest first, `limit` and one more.
 * @param columns what is told of a read, of those that the index by plate has; must have `begin` (ms) and `readId`
 */
export async function readsOfPlates<Row extends { begin: string; readId: string }>(
  ask: Ask,
  columns: Sql,
  plates: readonly string[],
  filter: Filter,
  limit: number,
): Promise<Row[]> {
  const [at, id] = ask.after ?? []
  const after = at === undefined ? {} : { fixed: sql`(ts, read_id) < (${time(Number(at))}, ${value('UInt64', id)})` }
  const where = { ...both(filterSql(ask.database, filter), after), plates }
  const latest = sql`ORDER BY ts DESC, read_id DESC LIMIT ${value('UInt32', limit + 1)}`
  const picked =
    plates.length <= MANY_PLATES
      ? where
      : both(where, {
          fixed: sql`(plate, ts, read_id) IN (SELECT plate, ts, read_id FROM ${ask.reads(where, sql`plate, ts, read_id`)} ${latest})`,
        })
  return ask.rows<Row>(sql`SELECT ${columns} FROM ${ask.reads(picked)} ${latest}`, 'reads by plate')
}
