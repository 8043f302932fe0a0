import type { Candidate } from './candidates.js'
import { filterCellsSql, filterSql, type Filter } from './filter.js'
import type { Ask } from './question.js'
import { plateMatches } from './candidates.js'
import { mondayOf } from '../store/week.js'
import { and, or, sql, tableOf, time, value, type Sql } from './sql.js'
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
export async function conditionOf(ask: Ask, filter: Filter): Promise<Sql> {
  const { database } = ask
  const where = filterSql(database, filter)
  const { pattern } = filter
  if (pattern === undefined) {
    ask.note('way', { chosen: 'area first', why: 'there is no pattern' })
    return where
  }
  const areaFirst = and([where, plateMatches(pattern, pattern.lookAlikes)])
  const span = filter.windows.reduce((sum, { from, to }) => sum + to - from, 0)
  if (filter.places.length > 0 && span <= SMALL_SPAN_MS) {
    ask.note('way', { chosen: 'area first', why: 'a few places for a few days are scanned at once', days: span / 86_400_000 })
    return areaFirst
  }
  const rows = await ask.estimate(sql`SELECT count() FROM ${tableOf(database, 'reads')} WHERE ${where}`)
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
  return and([where, sql`plate IN ${value('Array(String)', found.plates.map(({ plate }) => plate))}`, keysSql(keys)])
}

/** Where a read lies: its key in `reads`. */
export interface Key { cell: number; at: string; id: string }

/** Keys that one look takes; more belong to an area first. */
const MOST_KEYS = 50_000

/**
 * Where reads of certain plates lie, newest first, from the index by plate. It may still name reads whose later version has another plate, so the plate is
 * asked for again where the read is.
 * @param before only older ones than this place (ms, id)
 */
export async function keysOf(ask: Ask, plates: readonly Pick<Candidate, 'plate'>[], filter: Filter, limit = MOST_KEYS, before?: readonly (string | number)[]): Promise<Key[]> {
  const from = Math.min(...filter.windows.map((window) => window.from)) - LONGEST_STAY_MS
  const to = Math.max(...filter.windows.map((window) => window.to))
  return ask.rows<Key>(sql`
    SELECT cell, toString(toUnixTimestamp64Milli(ts)) AS at, toString(read_id) AS id FROM ${tableOf(ask.database, 'reads_by_plate')}
    WHERE plate IN ${value('Array(String)', plates.map(({ plate }) => plate))} AND ts >= ${time(from)} AND ts < ${time(to)} AND ${filterCellsSql(ask.database, filter)}
      ${before ? sql`AND (ts, read_id) < (${time(Number(before[0]))}, ${value('UInt64', before[1])})` : sql``}
    GROUP BY cell, ts, read_id ORDER BY ts DESC, read_id DESC LIMIT ${value('UInt32', limit)}`, 'index by plate')
}

/**
 * Reads by their keys, week by week: the cells of one week are looked up in that week only. (One set of all keys prunes cells, but not cells by weeks: it reads
 * every week for each cell.)
 */
export function keysSql(keys: readonly Key[]): Sql {
  const weeks = new Map<number, Key[]>()
  for (const key of keys) {
    const week = mondayOf(Number(key.at))
    const of = weeks.get(week)
    if (of) of.push(key)
    else weeks.set(week, [key])
  }
  return or([...weeks.values()].map((of) => {
    const times = of.map(({ at }) => Number(at))
    return sql`(ts >= ${time(Math.min(...times))} AND ts <= ${time(Math.max(...times))} AND cell IN ${value('Array(UInt32)', [...new Set(of.map(({ cell }) => cell))])} AND read_id IN ${value('Array(UInt64)', of.map(({ id }) => BigInt(id)))})`
  }))
}

/**
 * Reads of certain plates under a filter, newest first, `limit` and one more: the index is asked in portions until there are enough, or no more.
 * @param columns what is told of a read; must have `begin` (ms) and `readId`
 */
export async function readsOfPlates<Row extends { begin: string; readId: string }>(ask: Ask, columns: Sql, plates: readonly Pick<Candidate, 'plate'>[], filter: Filter, limit: number): Promise<Row[]> {
  const texts = value('Array(String)', plates.map(({ plate }) => plate))
  const where = filterSql(ask.database, filter)
  const found: Row[] = []
  let place = ask.after
  for (let portion = limit + 1 + Math.ceil(limit / 8); found.length <= limit; portion = Math.min(MOST_KEYS, portion * 4)) {
    const keys = await keysOf(ask, plates, filter, portion, place)
    if (keys.length === 0) break
    found.push(...await ask.rows<Row>(sql`SELECT ${columns} FROM ${ask.reads(and([where, sql`plate IN ${texts}`, keysSql(keys)]))} ORDER BY ts DESC, read_id DESC`, 'reads'))
    if (keys.length < portion) break
    place = [Number(keys.at(-1)!.at), keys.at(-1)!.id]
  }
  return found.slice(0, limit + 1)
}
