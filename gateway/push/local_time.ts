import { AlprError } from '../../engine/runtime/mod.js'

const FORM =
  /^(\d{4})[-/](\d{2})[-/](\d{2})(?:[T ]| +)(\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9})\d*)?\s*(Z|[+-]\d{2}:?\d{2})?$/i
const MIN_EPOCH_MS = 1e11

/**
 * The instant that a camera's text means: RFC 3339 with an offset, or a local time in the zone of the camera's record.
 * @param field where the camera sent it, for the error
 * @param zone of the camera's record
 * @returns ms since 1970 UTC
 * @throws ALPR_ERR_PUSH_TIME_INVALID: no such form or date, or a local time without a zone, or one that does not exist
 * or exists twice where clocks are changed and the camera sends no offset
 */
export function instantOf(text: string, field: string, zone?: string): number {
  const invalid = (reason: string) =>
    new AlprError('ALPR_ERR_PUSH_TIME_INVALID', { value: text.slice(0, 64), field, reason })
  const match = FORM.exec(text.trim())
  if (!match) throw invalid('it is not of the form 2026-05-01T08:30:00.250+02:00')
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const ms = Math.trunc(Number(`0.${match[7] ?? 0}`) * 1_000)
  // A leap second is the last instant of its minute.
  const wall = Date.UTC(year, month - 1, day, hour, minute, Math.min(second, 59), second === 60 ? 999 : ms)
  const read = new Date(wall)
  if (read.getUTCMonth() !== month - 1 || read.getUTCDate() !== day || hour > 23 || minute > 59 || second > 60)
    throw invalid('there is no such day or time')
  const offset = match[8] ?? (zone && /^[+-]/.test(zone) ? zone : undefined)
  if (offset !== undefined) return wall - offsetMs(offset)
  if (zone === undefined)
    throw invalid('it has no zone: register the camera with --zone, for example --zone America/New_York')
  return inZone(wall, zone, invalid)
}

/**
 * The instant of a number that counts seconds or milliseconds since 1970: which of both, its size says.
 * @throws ALPR_ERR_PUSH_TIME_INVALID
 */
export function instantOfEpoch(value: number | string, field: string): number {
  const number = typeof value === 'number' ? value : /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : NaN
  if (!(number > 0 && number < 1e14))
    throw new AlprError('ALPR_ERR_PUSH_TIME_INVALID', {
      value: String(value).slice(0, 64),
      field,
      reason: 'it is no number of seconds or milliseconds since 1970',
    })
  return Math.round(number < MIN_EPOCH_MS ? number * 1_000 : number)
}

const offsetMs = (offset: string): number => {
  if (/^z$/i.test(offset)) return 0
  const [, sign, hours, minutes] = /^([+-])(\d{2}):?(\d{2})$/.exec(offset)!
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000
}

/** The instant at which clocks of a zone show a wall time, given as if it were UTC. */
function inZone(wall: number, zone: string, invalid: (reason: string) => AlprError): number {
  const day = 86_400_000
  const offsets = new Set([offsetIn(wall - day, zone), offsetIn(wall + day, zone)])
  const found = [...offsets].map((offset) => wall - offset).filter((at) => at + offsetIn(at, zone) === wall)
  if (found.length === 0) throw invalid(`clocks in ${zone} skip this time: let the camera send UTC or an offset`)
  if (found.length > 1) throw invalid(`clocks in ${zone} show this time twice: let the camera send UTC or an offset`)
  return found[0]!
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** How far clocks of a zone are ahead of UTC at an instant, ms. */
function offsetIn(at: number, zone: string): number {
  let format = formats.get(zone)
  if (!format) {
    if (formats.size >= 64) formats.clear()
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    formats.set(zone, format)
  }
  const part: Record<string, number> = {}
  for (const { type, value } of format.formatToParts(at)) part[type] = Number(value)
  const shown = Date.UTC(part.year!, part.month! - 1, part.day, part.hour, part.minute, part.second)
  return shown - Math.floor(at / 1_000) * 1_000
}
