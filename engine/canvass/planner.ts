import { AlprError } from '../errors.js'
import { matchingNs } from '../plate_search/pattern.js'
import { both, filterSql, patternSql, type Condition, type Filter } from './filter.js'
import { PAGE_SECONDS } from './query_settings.js'
import type { Ask } from './question.js'
import { sql, tableOf, time, value, type Sql } from '../store/sql.js'
import { DAY_MS } from '../model/time.js'

/** Plates that are looked up one by one. */
const MAX_CANDIDATES = 5_000
/** An area is scanned for up to this long without asking what it costs: the estimate would cost more. */
const SMALL_SPAN_MS = 3 * DAY_MS

/** A scan that should take this long is certainly ended by the store: the estimate may be off by a few times. */
const HOPELESS_MS = 10 * PAGE_SECONDS * 1_000

/**
 * The condition that finds a filter's reads: area first (the key of `reads` leads to the cells, and each read is
 * matched) or pattern first (the plates that the pattern may mean, then their reads in `reads_by_plate`), whichever is
 * expected to cost less.
 * @throws ALPR_ERR_SEARCH_TOO_COSTLY when both cost far too much
 */
export async function conditionOf(ask: Ask, filter: Filter): Promise<Condition> {
  const { database, costs } = ask
  const where = filterSql(database, filter)
  const { pattern } = filter
  if (pattern === undefined) {
    ask.note('way', { chosen: 'area first', why: 'there is no pattern' })
    return where
  }
  const areaFirst = both(where, { rest: patternSql(pattern) })
  const span = filter.windows.reduce((sum, { from, to }) => sum + to - from, 0)
  const matchMs = matchingNs(pattern, pattern.lookAlikes) / 1e6
  if (filter.areas.length > 0 && span <= SMALL_SPAN_MS && matchMs === 0) {
    ask.note('way', {
      chosen: 'area first',
      why: 'scanning a few places for a few days is always fast',
      days: span / DAY_MS,
    })
    return areaFirst
  }
  const rows = await ask.estimate(sql`SELECT count() FROM ${tableOf(database, 'reads')} WHERE ${where.fixed}`)
  const scanMs = rows === undefined ? Infinity : rows * (costs.row + matchMs) + costs.query
  const search = {
    pattern,
    source: pattern.source,
    lookAlikes: pattern.lookAlikes,
    limit: MAX_CANDIDATES,
    signal: ask.signal,
  }
  const { ms: searchMs, isOverBudget } = await ask.search.cost(search)
  if (isOverBudget && rows !== undefined && scanMs > HOPELESS_MS)
    throw new AlprError('ALPR_ERR_SEARCH_TOO_COSTLY', {
      reason: `matching it takes about ${Math.round(scanMs / 60_000)} minutes`,
    })
  if (isOverBudget || scanMs <= searchMs) {
    ask.note('way', {
      chosen: 'area first',
      why: isOverBudget
        ? 'searching all plates would exceed the budget of a search'
        : 'scanning the area costs less than searching all plates',
      scanRows: rows,
      scanMs,
      searchMs,
      search: ask.search.name,
    })
    return areaFirst
  }
  const found = await ask.search.search(search, ask.rows)
  const lookUpMs = found.plates.length * costs.plate + costs.query
  if (found.more || found.partial || lookUpMs > scanMs) {
    ask.note('way', {
      chosen: 'area first',
      why: found.partial
        ? 'searching all plates exceeded the budget of a search'
        : found.more
          ? `more than ${MAX_CANDIDATES} plates match the pattern`
          : 'scanning the area costs less than looking up the plates that match',
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
 * For more plates than this, the keys of the latest reads are selected first: reading all columns of all their reads
 * would take much longer.
 */
const MANY_PLATES = 100

/**
 * Reads of these plates under a filter, newest first, `limit` and one more.
 * @param columns expressions over columns of the index by plate; must include `begin` (ms) and `readId`
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
  const selected =
    plates.length <= MANY_PLATES
      ? where
      : both(where, {
          fixed: sql`(plate, ts, read_id) IN
            (SELECT plate, ts, read_id FROM ${ask.reads(where, sql`plate, ts, read_id`)} ${latest})`,
        })
  return ask.rows<Row>(sql`SELECT ${columns} FROM ${ask.reads(selected)} ${latest}`, 'reads by plate')
}
