import { InvalidArgumentError, Option } from 'commander'
import { parseInstant } from '../engine/runtime/mod.js'

/** Parsers of option values. Each throws commander's error, which becomes one line and exit code 2. */

export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN
    if (!(value >= least && value <= most))
      throw new InvalidArgumentError(
        most < Number.MAX_SAFE_INTEGER
          ? `It must be a whole number from ${least} to ${most}.`
          : `It must be a whole number of at least ${least}.`,
      )
    return value
  }
}

export function decimal(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : NaN
    if (!(value >= least && value <= most))
      throw new InvalidArgumentError(`It must be a number from ${least} to ${most}.`)
    return value
  }
}

const kSizes: Record<string, number> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
}

/** `500MB`, `2GB`, `1.5 GiB`, `1000` -> bytes. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?) ?([kmg]?i?b?)$/i.exec(text)
  const suffix = match?.[2]?.toLowerCase() ?? '?'
  const unit = kSizes[suffix] ?? kSizes[`${suffix}b`]
  if (!match || unit === undefined) throw new InvalidArgumentError('It must be a size such as 500MB or 2GB.')
  return Math.round(Number(match[1]) * unit)
}

const kDurations: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 }

/** `90s`, `10m`, `1h30m`, `500ms` -> milliseconds. */
export function parseDuration(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|min|m|h|d)/g)]
  if (parts.length === 0 || parts.map((p) => p[0]).join('') !== text)
    throw new InvalidArgumentError('It must be a duration such as 90s, 10m or 1h30m.')
  return Math.round(parts.reduce((sum, [, number, unit]) => sum + Number(number) * kDurations[unit!]!, 0))
}

/** RFC 3339 time with zone -> ms since 1970 UTC. */
export function parseTime(text: string): number {
  const time = parseInstant(text)
  if (time === undefined) throw new InvalidArgumentError('It must be a time with a zone, such as 2026-05-01T08:30:00Z.')
  return time
}

/** `+02:00`, `-0700`, `Z` -> minutes east of UTC. */
export function parseZone(text: string): number {
  const match = /^([+-])(\d{2}):?(\d{2})$/.exec(text)
  if (text === 'Z' || text === 'UTC') return 0
  if (!match || Number(match[2]) > 14 || Number(match[3]) > 59)
    throw new InvalidArgumentError('It must be an offset such as +02:00, or Z.')
  return (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3]))
}

/** CAMERA_ID and LIST_ID of the engine (a test compares them). The engine's schemas load too slowly for --help. */
export const ID = /^[a-z0-9-]{1,64}$/

export function cameraId(text: string): string {
  if (!ID.test(text)) throw new InvalidArgumentError('A camera id has 1 to 64 characters of a-z, 0-9 and "-".')
  return text
}

export function listId(text: string): string {
  if (!ID.test(text)) throw new InvalidArgumentError('A list id has 1 to 64 characters of a-z, 0-9 and "-".')
  return text
}

export function oneOf<T extends string>(...allowed: T[]): (text: string) => T {
  return (text) => {
    if (!allowed.includes(text as T)) throw new InvalidArgumentError(`It must be one of ${allowed.join(', ')}.`)
    return text as T
  }
}

/** Collects the values of an option that can be given more than once. */
export function collect<T>(parse: (text: string) => T): (text: string, before: T[] | undefined) => T[] {
  return (text, before) => [...(before ?? []), parse(text)]
}

/** Hidden option for children of `up`: they end with standard input, and so notice that `up` was killed. */
export const withParent = (): Option => new Option('--with-parent', 'end when standard input ends').hideHelp()
