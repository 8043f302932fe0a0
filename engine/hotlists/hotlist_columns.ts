import type { AlprError } from '../errors.js'

/** The columns of a file: their names in the header row, or their numbers from 1 in a file without one. */
export interface HotListColumns {
  plate?: string
  reason?: string
  region?: string
  from?: string
  until?: string
}

/** A column of a fixed-width file: characters `start` to `end`, from 1, both inclusive. */
export interface FixedColumn {
  name: keyof HotListColumns
  start: number
  end: number
}

/** Index of each column in the fields of a record, -1 when the file does not have it. */
export type ColumnIndexes = Record<keyof HotListColumns, number>
/** Makes the error that refuses the file. */
export type Refuse = (reason: string) => AlprError

/** Column names in the lists of agencies; the first one that the header has is used. */
const COMMON_NAMES: Record<keyof HotListColumns, string[]> = {
  plate: [
    'plate',
    'license plate',
    'licence plate',
    'license_plate',
    'licence_plate',
    'plate number',
    'plate_number',
    'platenumber',
    'tag',
    'registration',
    'vrm',
    'lic',
  ],
  reason: ['reason', 'alert', 'alert type', 'alert_type', 'description', 'comment', 'comments', 'notes'],
  region: ['region', 'state', 'plate state', 'plate_state', 'country', 'province', 'lis'],
  from: ['from', 'valid from', 'valid_from', 'start', 'start date', 'start_date'],
  until: ['until', 'valid until', 'valid_until', 'expires', 'expiry', 'end', 'end date', 'end_date'],
}

/** Index of each column by its name in the header, -1 when missing. @throws what `invalid` makes */
export function byName(header: string[], wanted: HotListColumns, invalid: Refuse): ColumnIndexes {
  const names = header.map((name) => name.trim().toLowerCase())
  const shown = header.map((name) => `"${name.trim()}"`).join(', ')
  const find = (column: keyof HotListColumns): number => {
    const given = wanted[column]
    if (given === undefined) return COMMON_NAMES[column].map((name) => names.indexOf(name)).find((at) => at >= 0) ?? -1
    const at = names.indexOf(given.trim().toLowerCase())
    if (at < 0) throw invalid(`there is no column "${given}"; the header has ${shown}`)
    return at
  }
  const indexes = {
    plate: find('plate'),
    reason: find('reason'),
    region: find('region'),
    from: find('from'),
    until: find('until'),
  }
  if (indexes.plate < 0) throw invalid(`no column is the plate; name it with --plate-column (the header has ${shown})`)
  return indexes
}

/** Index of each column by its number, -1 when missing. @throws what `invalid` makes */
export function byNumber(wanted: HotListColumns, invalid: Refuse): ColumnIndexes {
  const indexOf = (text: string | undefined, fallback: number): number => {
    if (text === undefined) return fallback
    if (!/^[1-9]\d{0,3}$/.test(text)) throw invalid(`without a header a column is a number from 1, not "${text}"`)
    return Number(text) - 1
  }
  return {
    plate: indexOf(wanted.plate, 0),
    reason: indexOf(wanted.reason, -1),
    region: indexOf(wanted.region, -1),
    from: indexOf(wanted.from, -1),
    until: indexOf(wanted.until, -1),
  }
}

/** Index of each fixed-width column, -1 when missing. */
export function byPosition(fixed: readonly FixedColumn[]): ColumnIndexes {
  const indexOf = (name: keyof HotListColumns): number => fixed.findIndex((column) => column.name === name)
  return {
    plate: indexOf('plate'),
    reason: indexOf('reason'),
    region: indexOf('region'),
    from: indexOf('from'),
    until: indexOf('until'),
  }
}
