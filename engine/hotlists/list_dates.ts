import { DAY_MS, parseInstant } from '../model/time.js'
import { localInstant } from '../runtime/local_time.js'

/** The order of day and month in dates such as 05/04/2026, which may be either of two days. */
export type DateOrder = 'dmy' | 'mdy'

/** Texts that stand for no date. */
const NONE = /^(-+|n\/?a|null|none|never|nil|open|indefinite)$/i
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const CLOCK = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,9})?)? ?([ap]m)?$/i
/** Texts whose meaning is kept: a long list has few different ones. */
const MAX_CACHED = 10_000

interface LocalTime {
  /** Midnight of the day, and the time of day, ms, as if they were UTC; undefined: the text has no time of day. */
  day: number
  clock?: number
}

/** The first and last days of a list's entries, as agencies write them, in the zone of the agency. */
export class ListDates {
  readonly #zone: string
  readonly #order: DateOrder | undefined
  readonly #cache = { from: new Map<string, number | undefined>(), until: new Map<string, number | undefined>() }

  /**
   * @param zone a valid zone
   * @param order of numeric dates that do not begin with the year; without it they are refused
   */
  constructor(zone: string, order?: DateOrder) {
    this.#zone = zone
    this.#order = order
  }

  /** Whether a text stands for no date. */
  static isNone = (text: string): boolean => NONE.test(text)

  /**
   * When an entry begins to be in force, or ceases to be. A day without a time is meant whole: its entry begins with
   * the day and ends with it. A last moment of midnight is that of an export of days, and 23:59 is the end of the day.
   * @returns ms since 1970 UTC, the end exclusive; undefined when the text is not a date, or may be either of two
   */
  parse(name: 'from' | 'until', text: string): number | undefined {
    const cache = this.#cache[name]
    if (cache.has(text)) return cache.get(text)
    const time = parseInstant(text) ?? this.#parseLocal(name, text)
    if (cache.size >= MAX_CACHED) cache.clear()
    cache.set(text, time)
    return time
  }

  #parseLocal(name: 'from' | 'until', text: string): number | undefined {
    const local = localTimeOf(text, this.#order)
    if (!local) return undefined
    const { day, clock } = local
    const isWholeDay = clock === undefined || clock === 0 || clock >= DAY_MS - 60_000
    if (name === 'until' && isWholeDay) return localInstant(day + DAY_MS, this.#zone)
    return localInstant(day + (clock ?? 0), this.#zone)
  }
}

function localTimeOf(text: string, order: DateOrder | undefined): LocalTime | undefined {
  // The date, and the time of day after it; a date with a month in words has blanks of its own.
  const match = /^(.*?)(?:(?:T| +)(\d{1,2}:\d{2}.*))?$/.exec(text)
  const day = dayOf(match?.[1] ?? '', order)
  if (day === undefined) return undefined
  if (match?.[2] === undefined) return { day }
  const clock = clockOf(match[2])
  return clock === undefined ? undefined : { day, clock }
}

function dayOf(text: string, order: DateOrder | undefined): number | undefined {
  const yearFirst = /^(\d{4})([-/.])(\d{1,2})\2(\d{1,2})$/.exec(text)
  if (yearFirst) return civilDay(Number(yearFirst[1]), Number(yearFirst[3]), Number(yearFirst[4]))
  const packed = /^(\d{4})(\d{2})(\d{2})$/.exec(text)
  if (packed) return civilDay(Number(packed[1]), Number(packed[2]), Number(packed[3]))
  const numeric = /^(\d{1,2})([-/.])(\d{1,2})\2(\d{4})$/.exec(text)
  if (numeric) {
    const [first, separator, second, year] = [Number(numeric[1]), numeric[2], Number(numeric[3]), Number(numeric[4])]
    // Dates with full stops have their day first wherever they are written.
    const wanted = order ?? (separator === '.' ? 'dmy' : undefined)
    if (wanted === undefined) return undefined
    return wanted === 'dmy' ? civilDay(year, second, first) : civilDay(year, first, second)
  }
  const words =
    /^(?<d>\d{1,2})[-. ]+(?<m>[a-z]{3,9})[-., ]+(?<y>\d{4})$/i.exec(text) ??
    /^(?<m>[a-z]{3,9})[-. ]+(?<d>\d{1,2})[-, ]+(?<y>\d{4})$/i.exec(text)
  if (!words?.groups) return undefined
  const { d, m, y } = words.groups
  return civilDay(Number(y), MONTHS.indexOf(m!.slice(0, 3).toLowerCase()) + 1, Number(d))
}

/** Midnight of a day that exists, as if it were UTC. */
function civilDay(year: number, month: number, day: number): number | undefined {
  const ms = Date.UTC(year, month - 1, day)
  const exists = year >= 1900 && month >= 1 && month <= 12 && new Date(ms).getUTCDate() === day && day >= 1
  return exists ? ms : undefined
}

function clockOf(text: string): number | undefined {
  const match = CLOCK.exec(text.trim())
  if (!match) return undefined
  const [, hours, minutes, seconds = '0', half] = match
  let hour = Number(hours)
  if (half !== undefined) {
    if (hour < 1 || hour > 12) return undefined
    hour = (hour % 12) + (half.toLowerCase() === 'pm' ? 12 : 0)
  }
  if (hour > 23 || Number(minutes) > 59 || Number(seconds) > 59) return undefined
  return ((hour * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000
}
