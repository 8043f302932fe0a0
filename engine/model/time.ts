/** Lengths of time in milliseconds. Days are 24 hours of UTC. */
export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS
export const WEEK_MS = 7 * DAY_MS

const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/

/**
 * A time as RFC 3339 writes it; its seconds may be missing. `Date.parse` moves days and hours that do not exist
 * (30 February, 24:00) to others; here they are no time.
 * @returns ms since 1970 UTC, or undefined
 */
export function parseInstant(text: string): number | undefined {
  if (!RFC3339.test(text) || !isDay(text) || text.startsWith('24', 11)) return undefined
  const ms = Date.parse(text)
  return Number.isNaN(ms) ? undefined : ms
}

/** A day of the calendar, `2026-05-31`. @returns ms since 1970 UTC of its midnight in UTC, or undefined */
export function parseDay(text: string): number | undefined {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && isDay(text) ? Date.parse(text) : undefined
}

/** Whether the year, month and day that a text begins with are on the calendar. */
function isDay(text: string): boolean {
  const [year, month, day] = [Number(text.slice(0, 4)), Number(text.slice(5, 7)), Number(text.slice(8, 10))]
  if (!(month >= 1 && month <= 12 && day >= 1)) return false
  return day <= 28 || day <= new Date(Date.UTC(year, month, 0)).getUTCDate()
}
