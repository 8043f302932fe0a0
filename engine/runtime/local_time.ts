const DAY_MS = 86_400_000

const formats = new Map<string, Intl.DateTimeFormat>()

/** Whether a text names a time zone, such as `America/Los_Angeles`. */
export function isZone(zone: string): boolean {
  try {
    formatOf(zone)
    return true
  } catch {
    return false
  }
}

/** The zone of this machine's clock. */
export const machineZone = (): string => new Intl.DateTimeFormat().resolvedOptions().timeZone

/**
 * When the clocks of a zone show a time. One that they show twice is the first of the two; one that they pass over when
 * they are set forward is the moment at which they are set, plus what the time is beyond it.
 * @param local the time shown, as ms since 1970 as if it were UTC
 * @returns ms since 1970 UTC
 */
export function localInstant(local: number, zone: string): number {
  if (zone === 'UTC') return local
  const [before, after] = [offsetAt(local - DAY_MS, zone), offsetAt(local + DAY_MS, zone)]
  const fitting = [local - before, local - after].filter((at) => at + offsetAt(at, zone) === local)
  return fitting.length > 0 ? Math.min(...fitting) : local - before
}

/** What the clocks of a zone show, minus UTC, ms. */
function offsetAt(ms: number, zone: string): number {
  const parts: Record<string, number> = {}
  for (const { type, value } of formatOf(zone).formatToParts(ms)) parts[type] = Number(value)
  const { year, month, day, hour, minute, second } = parts
  return Date.UTC(year!, month! - 1, day, hour, minute, second) - Math.floor(ms / 1_000) * 1_000
}

/** @throws RangeError when there is no such zone */
function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone)
  if (known) return known
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'gregory',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  formats.set(zone, format)
  return format
}
