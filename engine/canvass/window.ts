import { Type, type Static } from '@sinclair/typebox'
import { AlprError } from '../errors.js'
import { DAY_MS, parseInstant } from '../model/time.js'
import { and, or, sql, time, value, type Sql } from '../store/sql.js'

const strict = { additionalProperties: false }
/** The five policies keep reads for 2 years at most (PV); a question about more than 3 years is a mistake. */
const MAX_SPAN_MS = 1_100 * DAY_MS
const MAX_WINDOWS = 32

/**
 * A window finds reads that began up to this long before it: a parked car is one read from its first to its last frame.
 * Longer stays are found by windows that touch their first day.
 */
export const LONGEST_STAY_MS = DAY_MS

export const TimeSchema = Type.String({
  maxLength: 40,
  description: 'RFC 3339 with its zone, such as 2026-11-22T21:00:00-08:00',
})
export const WindowsSchema = Type.Array(
  Type.Object({ from: TimeSchema, to: TimeSchema }, { ...strict, description: '`from` is included, `to` is not' }),
  { minItems: 1, maxItems: MAX_WINDOWS },
)
export const DailySchema = Type.Object(
  {
    from: Type.String({ pattern: '^([01]\\d|2[0-3]):[0-5]\\d$', description: 'local time' }),
    to: Type.String({
      pattern: '^([01]\\d|2[0-3]):[0-5]\\d$',
      description: 'local time, not included; a time before `from` is on the next day',
    }),
    zone: Type.String({
      minLength: 1,
      maxLength: 64,
      default: 'UTC',
      description: 'IANA time zone, such as America/Los_Angeles',
    }),
  },
  { ...strict, description: 'only this part of each day, within the windows: "every night from 22 to 2"' },
)

/** Milliseconds since 1970 UTC, `[from, to)`. */
export interface Window {
  from: number
  to: number
}
/** A part of each local day, milliseconds. */
export interface Daily {
  /** From midnight. */
  start: number
  length: number
  zone: string
}

/** @throws ALPR_ERR_WINDOW_INVALID */
export function instantOf(field: string, text: string): number {
  const ms = parseInstant(text)
  if (ms === undefined)
    throw new AlprError('ALPR_ERR_WINDOW_INVALID', {
      reason: `${field} "${text.slice(0, 40)}" is not a time with its zone, such as 2026-11-22T21:00:00Z`,
    })
  return ms
}

/**
 * Windows in order; those that overlap or touch are joined.
 * @throws ALPR_ERR_WINDOW_INVALID for a window that ends before it begins, or windows that span more than 1,100 days
 */
export function windowsOf(input: Static<typeof WindowsSchema>): Window[] {
  const windows = input
    .map(({ from, to }, index) => {
      const window = { from: instantOf(`windows.${index}.from`, from), to: instantOf(`windows.${index}.to`, to) }
      if (window.to <= window.from)
        throw new AlprError('ALPR_ERR_WINDOW_INVALID', { reason: `window ${index + 1} ends before it begins` })
      return window
    })
    .sort((a, b) => a.from - b.from)
  if (Math.max(...windows.map(({ to }) => to)) - windows[0]!.from > MAX_SPAN_MS)
    throw new AlprError('ALPR_ERR_WINDOW_INVALID', {
      reason: `the windows span more than ${MAX_SPAN_MS / DAY_MS} days`,
    })
  const joined: Window[] = []
  for (const window of windows) {
    const last = joined.at(-1)
    if (last && window.from <= last.to) last.to = Math.max(last.to, window.to)
    else joined.push({ ...window })
  }
  return joined
}

/** @throws ALPR_ERR_WINDOW_INVALID for an unknown time zone, or an empty part of the day */
export function dailyOf({ from, to, zone }: Static<typeof DailySchema>): Daily {
  const minutes = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3))
  const length = (minutes(to) - minutes(from) + 1_440) % 1_440
  if (length === 0) throw new AlprError('ALPR_ERR_WINDOW_INVALID', { reason: 'daily begins and ends at the same time' })
  let canonical: string
  try {
    // As ICU spells it: ClickHouse takes zone names in their exact case only.
    canonical = new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone
  } catch {
    canonical = ''
  }
  // Offsets such as +02:00 are time zones for ICU but not for ClickHouse.
  if (!/^[A-Za-z]/.test(canonical))
    throw new AlprError('ALPR_ERR_WINDOW_INVALID', { reason: `"${zone}" is not an IANA time zone` })
  return { start: minutes(from) * 60_000, length: length * 60_000, zone: canonical }
}

/**
 * Reads that overlap the windows; a read is `[ts, ts_last]`. The bounds on `ts` alone let the store prune partitions
 * and keys.
 */
export function windowsSql(windows: readonly Window[], daily?: Daily): Sql {
  const anyOf = or(
    windows.map(
      ({ from, to }) => sql`(ts >= ${time(from - LONGEST_STAY_MS)} AND ts < ${time(to)} AND ts_last >= ${time(from)})`,
    ),
  )
  return daily ? and([anyOf, dailySql(daily)]) : anyOf
}

/** The read begins within the part of the day, or is still there when the next such part begins. */
function dailySql({ start, length, zone }: Daily): Sql {
  const of = value('String', zone)
  const clock = sql`(toHour(ts, ${of}) * 3600000 + toMinute(ts, ${of}) * 60000
    + toSecond(ts) * 1000 + toUnixTimestamp64Milli(ts) % 1000)`
  const begin = value('Int64', start)
  return sql`(positiveModulo(${clock} - ${begin}, 86400000) < ${value('Int64', length)}
    OR positiveModulo(${begin} - ${clock}, 86400000) <= toUnixTimestamp64Milli(ts_last) - toUnixTimestamp64Milli(ts))`
}
