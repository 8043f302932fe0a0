import type { Candidate } from './candidates.js'
import { both, filterCellsSql, filterSql, type Condition, type Filter } from './filter.js'
import type { Ask } from './question.js'
import { plateMatches } from './candidates.js'
import { and, sql, tableOf, time, value, type Sql } from './sql.js'
import { LONGEST_STAY_MS } from './window.js'

/** Costs on one core, measured with `npm run bench -- canvass`: nanoseconds of a row that is scanned and matched, and of one that is looked up by its key. */
const NS_A_SCANNED_ROW = 60
const NS_A_LOOKED_UP_ROW = 20_000
const MS_A_QUERY = 6
/** Plates that are looked up one by one. */
const MOST_CANDIDATES = 5_000
/** Below this an area is simply scanned: asking what it costs would cost more. */
const SMALL_SPAN_MS = 3 * 86_400_000

/**
 * The condition that finds a filter's reads: area first (the key of `reads` leads to the cells, each read is matched) or pattern first (the plates that the
 * pattern may mean, then their reads by `reads_by_plate`), whichever is expected to be cheaper.
 */
export async function conditionOf(ask: Ask, filter: Filter): Promise<Condition> {
  const { database } = ask
  const where = filterSql(database, filter)
  const { pattern } = filter
  if (pattern === undefined) {
    ask.note('way', { chosen: 'area first', why: 'there is no pattern' })
    return where
  }
  const areaFirst = both(where, { rest: plateMatches(pattern, pattern.lookAlikes) })
  const span = filter.windows.reduce((sum, { from, to }) => sum + to - from, 0)
  if (filter.places.length > 0 && span <= SMALL_SPAN_MS) {
    ask.note('way', { chosen: 'area first', why: 'a few places for a few days are scanned at once', days: span / 86_400_000 })
    return areaFirst
  }
  const rows = await ask.estimate(sql`SELECT count() FROM ${tableOf(database, 'reads')} WHERE ${where.fixed}`)
  const scanMs = rows === undefined ? Infinity : (rows * NS_A_SCANNED_ROW) / 1e6 + MS_A_QUERY
  const searchMs = await ask.search.expectedMs()
  if (scanMs <= searchMs) {
    ask.note('way', { chosen: 'area first', why: 'scanning the area costs less than searching all plates', scanRows: rows, scanMs, searchMs, search: ask.search.name })
    return areaFirst
  }
  const found = await ask.search.search({ pattern, source: pattern.source, lookAlikes: pattern.lookAlikes, limit: MOST_CANDIDATES, signal: ask.signal }, ask.rows)
  const lookUps = found.plates.reduce((sum, { reads }) => sum + reads, 0)
  const lookUpMs = (lookUps * NS_A_LOOKED_UP_ROW) / 1e6 + MS_A_QUERY
  if (found.more || lookUpMs > scanMs) {
    ask.note('way', { chosen: 'area first', why: found.more ? `more than ${MOST_CANDIDATES} plates match the pattern` : 'the reads of its plates are more than the area holds', scanRows: rows, scanMs, lookUps, lookUpMs, search: ask.search.name })
    return areaFirst
  }
  ask.note('way', { chosen: 'pattern first', why: 'looking up the reads of the plates that match costs less than scanning the area', plates: found.plates.length, lookUps, lookUpMs, scanRows: rows, scanMs, searchMs, search: ask.search.name })
  const keys = await keysOf(ask, found.plates, filter, MOST_KEYS + 1)
  if (keys.length > MOST_KEYS) return areaFirst
  return both(where, { fixed: keysSql(keys), rest: sql`plate IN ${value('Array(String)', found.plates.map(({ plate }) => plate))}` })
}

/** Where a read lies: the beginning of its key in `reads`; reads of one cell and millisecond share it. */
export interface Key { cell: number; at: string }

/** Keys that one look takes; more belong to an area first. */
const MOST_KEYS = 50_000

/**
 * Where reads of certain plates lie, newest first, from the index by plate: `limit` of them, and those of the same millisecond as the last. It may still name
 * reads whose later version has another plate, so the plate is asked for again where the read is.
 * @param until not later than this, ms; `before`: earlier
 */
export async function keysOf(ask: Ask, plates: readonly Pick<Candidate, 'plate'>[], filter: Filter, limit = MOST_KEYS, { until, before }: { until?: number; before?: number } = {}): Promise<Key[]> {
  const from = Math.min(...filter.windows.map((window) => window.from)) - LONGEST_STAY_MS
  const to = Math.min(Math.max(...filter.windows.map((window) => window.to)), before ?? Infinity, until === undefined ? Infinity : until + 1)
  return ask.rows<Key>(sql`
    SELECT cell, toString(toUnixTimestamp64Milli(ts)) AS at FROM ${tableOf(ask.database, 'reads_by_plate')}
    WHERE plate IN ${value('Array(String)', plates.map(({ plate }) => plate))} AND ts >= ${time(from)} AND ts < ${time(to)} AND ${filterCellsSql(ask.database, filter)}
    GROUP BY cell, ts ORDER BY ts DESC LIMIT ${value('UInt32', limit)} WITH TIES`, 'index by plate')
}

/** Reads by their keys. Cell and time together, as the primary key has them: each is looked up where it is and nowhere else. */
export function keysSql(keys: readonly Key[]): Sql {
  const times = sql`arrayMap(at -> fromUnixTimestamp64Milli(at, 'UTC'), ${value('Array(Int64)', keys.map(({ at }) => BigInt(at)))})`
  return sql`(cell, ts) IN (SELECT arrayJoin(arrayZip(${value('Array(UInt32)', keys.map(({ cell }) => cell))}, ${times})))`
}

/**
 * Reads of certain plates under a filter, newest first, `limit` and one more: the index is asked in portions until there are enough, or no more.
 * @param columns what is told of a read; must have `begin` (ms) and `readId`
 */
export async function readsOfPlates<Row extends { begin: string; readId: string }>(ask: Ask, columns: Sql, plates: readonly Pick<Candidate, 'plate'>[], filter: Filter, limit: number): Promise<Row[]> {
  const texts = value('Array(String)', plates.map(({ plate }) => plate))
  const where = filterSql(ask.database, filter)
  const [at, id] = ask.after ?? []
  const found: Row[] = []
  let place: { until?: number; before?: number } = at === undefined ? {} : { until: Number(at) }
  for (let portion = limit + 1 + Math.ceil(limit / 8); found.length <= limit; portion = Math.min(MOST_KEYS, portion * 4)) {
    const keys = await keysOf(ask, plates, filter, portion, place)
    if (keys.length === 0) break
    const after = at === undefined ? sql`1` : sql`(ts, read_id) < (${time(Number(at))}, ${value('UInt64', id)})`
    found.push(...await ask.rows<Row>(sql`SELECT ${columns} FROM ${ask.reads(both(where, { fixed: and([keysSql(keys), after]), rest: sql`plate IN ${texts}` }))} ORDER BY ts DESC, read_id DESC`, 'reads'))
    if (keys.length < portion) break
    place = { before: Number(keys.at(-1)!.at) }
  }
  return found.slice(0, limit + 1)
}
