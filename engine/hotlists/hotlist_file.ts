import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { AlprError, reasonOf } from '../errors.js'
import { CsvReader, type CsvRecord } from './csv_reader.js'
import type { HotListEntry } from './hotlist.js'
import { parseListedPlate } from './listed_plate.js'

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

export interface HotListFileOptions {
  file: string
  columns?: HotListColumns
  /** One character. @default guessed from the first line */
  delimiter?: string
  /** Reads columns by position instead of CSV. */
  fixed?: readonly FixedColumn[]
  /** The first line names the columns. @default true; not for fixed columns */
  header?: boolean
  /** Reason of entries that have none. */
  reason?: string
  /** A file with more bad lines than this is refused. @default 0 */
  maxBad?: number
  onProgress?: (bytes: number, total: number) => void
}

export interface BadLine {
  line: number
  reason: string
}

export interface HotListFile {
  entries: HotListEntry[]
  /** Lines that are not blank. */
  lines: number
  bad: number
  /** The first 100 of them. */
  badLines: BadLine[]
}

const KEPT_BAD_LINES = 100

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

/**
 * Reads the entries of a hot list from a file, line by line.
 * @throws ALPR_ERR_HOTLIST_INVALID when the file cannot be read, has no plate column, or has more bad lines than
 * allowed; it names the first three
 */
export async function readHotListFile(options: HotListFileOptions): Promise<HotListFile> {
  const { file, maxBad = 0 } = options
  const invalid = (reason: string) => new AlprError('ALPR_ERR_HOTLIST_INVALID', { list: file, reason })
  const result: HotListFile = { entries: [], lines: 0, bad: 0, badLines: [] }
  let indexes: Record<keyof HotListColumns, number> | undefined
  if (!options.fixed && options.header === false) indexes = byNumber(options.columns ?? {}, invalid)

  const column = (name: keyof HotListColumns): number =>
    options.fixed ? options.fixed.findIndex((c) => c.name === name) : indexes![name]
  const take = ({ line, fields }: CsvRecord) => {
    if (!options.fixed && !indexes) {
      indexes = byName(fields, options.columns ?? {}, invalid)
      return
    }
    if (fields.every((field) => field.trim() === '')) return
    result.lines++
    const entry = toEntry((name) => (fields[column(name)] ?? '').trim(), options.reason ?? '')
    if (!('problem' in entry)) {
      result.entries.push(entry)
      return
    }
    result.bad++
    if (result.badLines.length < KEPT_BAD_LINES) result.badLines.push({ line, reason: entry.problem })
    if (result.bad > maxBad) {
      const shown = result.badLines
        .slice(0, 3)
        .map((b) => `line ${b.line}: ${b.reason}`)
        .join('; ')
      throw invalid(`${shown}${maxBad > 0 ? ` (more than ${maxBad} bad lines)` : ''}`)
    }
  }

  try {
    const total = (await stat(file)).size
    let bytes = 0
    let reader: { push(piece: Uint8Array): CsvRecord[]; end(): CsvRecord[] } | undefined
    for await (const piece of createReadStream(file, { highWaterMark: 262_144 }) as AsyncIterable<Buffer>) {
      reader ??= options.fixed
        ? new FixedReader(options.fixed)
        : new CsvReader(options.delimiter ?? guessDelimiter(piece))
      reader.push(piece).forEach(take)
      bytes += piece.length
      options.onProgress?.(bytes, total)
    }
    reader?.end().forEach(take)
  } catch (error) {
    if (error instanceof AlprError) throw error
    throw invalid((error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : reasonOf(error))
  }
  if (!options.fixed && !indexes) throw invalid('the file is empty')
  return result
}

/** The entry of one line, or what is wrong with it. */
function toEntry(
  field: (name: keyof HotListColumns) => string,
  defaultReason: string,
): HotListEntry | { problem: string } {
  const listed = parseListedPlate(field('plate'))
  if ('reason' in listed) return { problem: listed.reason }
  const entry: HotListEntry = { plate: listed.plate, reason: (field('reason') || defaultReason).slice(0, 500) }
  const region = field('region')
  if (region) entry.region = region.toUpperCase().slice(0, 10)
  for (const name of ['from', 'until'] as const) {
    const text = field(name)
    if (!text) continue
    const time = parseDay(text)
    if (time === undefined)
      return { problem: `"${text.slice(0, 40)}" is not a time such as 2026-05-01 or 2026-05-01T08:30:00Z` }
    entry[name] = time
  }
  if (entry.from !== undefined && entry.until !== undefined && entry.until <= entry.from)
    return { problem: 'it ends before it begins' }
  return entry
}

/** RFC 3339, or a day, which begins at midnight UTC. Other forms are refused: 03/04/2026 may be either of two days. */
function parseDay(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text)) return undefined
  const time = Date.parse(text)
  return Number.isNaN(time) ? undefined : time
}

/** Index of each column by its name in the header, -1 when missing. @throws what `invalid` makes */
function byName(
  header: string[],
  wanted: HotListColumns,
  invalid: (reason: string) => AlprError,
): Record<keyof HotListColumns, number> {
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
function byNumber(
  wanted: HotListColumns,
  invalid: (reason: string) => AlprError,
): Record<keyof HotListColumns, number> {
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

/** The delimiter that is most frequent in the first line, outside quotes. */
function guessDelimiter(piece: Buffer): string {
  const line = piece
    .toString('utf8')
    .split(/[\r\n]/, 1)[0]!
    .replace(/"[^"]*"/g, '')
  const count = (c: string) => line.split(c).length
  return [',', ';', '\t', '|'].reduce((best, c) => (count(c) > count(best) ? c : best))
}

/** Cuts lines into columns by position. */
class FixedReader {
  readonly #lines = new CsvReader('\0')
  readonly #columns: readonly FixedColumn[]

  constructor(columns: readonly FixedColumn[]) {
    this.#columns = columns
  }

  push(piece: Uint8Array): CsvRecord[] {
    return this.#lines.push(piece).map(this.#cut)
  }

  end(): CsvRecord[] {
    return this.#lines.end().map(this.#cut)
  }

  #cut = ({ line, fields }: CsvRecord): CsvRecord => ({
    line,
    fields: this.#columns.map(({ start, end }) => fields[0]!.slice(start - 1, end)),
  })
}
