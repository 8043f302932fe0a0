import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { AlprError, reasonOf } from '../errors.js'
import { CsvReader, type CsvRecord } from './csv_reader.js'
import type { HotListEntry } from './hotlist.js'
import { parseListedPlate } from './listed_plate.js'

/** Which column of the file is what: the name in the header row, or a number from 1 in a file without one. */
export interface HotListColumns {
  plate?: string
  reason?: string
  region?: string
  from?: string
  until?: string
}

/** A column of a fixed-width file: characters `start` to `end`, from 1, both included. */
export interface FixedColumn {
  name: keyof HotListColumns
  start: number
  end: number
}

export interface HotListFileOptions {
  file: string
  columns?: HotListColumns
  /** One character; guessed from the first line when left out. */
  delimiter?: string
  /** Reads columns by position instead of CSV. */
  fixed?: readonly FixedColumn[]
  /** The first line names the columns. @default true; not for fixed columns */
  header?: boolean
  /** For entries without one. */
  reason?: string
  /** More bad lines than this, and the file is refused. @default 0 */
  maxBad?: number
  onProgress?: (bytes: number, total: number) => void
}

export interface BadLine {
  line: number
  reason: string
}

export interface HotListFile {
  entries: HotListEntry[]
  /** Lines with data. */
  lines: number
  bad: number
  /** The first hundred of them. */
  badLines: BadLine[]
}

const kKept = 100

/** Names of columns as lists of agencies use them; the first that is in the header is taken. */
const kUsual: Record<keyof HotListColumns, string[]> = {
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
 * allowed, with the first ones
 */
export async function readHotListFile(options: HotListFileOptions): Promise<HotListFile> {
  const { file, maxBad = 0 } = options
  const invalid = (reason: string) => new AlprError('ALPR_ERR_HOTLIST_INVALID', { list: file, reason })
  const result: HotListFile = { entries: [], lines: 0, bad: 0, badLines: [] }
  let places: Record<keyof HotListColumns, number> | undefined
  if (!options.fixed && options.header === false) places = byNumber(options.columns ?? {}, invalid)

  const column = (name: keyof HotListColumns): number =>
    options.fixed ? options.fixed.findIndex((c) => c.name === name) : places![name]
  const take = ({ line, fields }: CsvRecord) => {
    if (!options.fixed && !places) {
      places = byName(fields, options.columns ?? {}, invalid)
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
    if (result.badLines.length < kKept) result.badLines.push({ line, reason: entry.problem })
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
  if (!options.fixed && !places) throw invalid('the file is empty')
  return result
}

function toEntry(
  field: (name: keyof HotListColumns) => string,
  usualReason: string,
): HotListEntry | { problem: string } {
  const listed = parseListedPlate(field('plate'))
  if ('reason' in listed) return { problem: listed.reason }
  const entry: HotListEntry = { plate: listed.plate, reason: (field('reason') || usualReason).slice(0, 500) }
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

/** RFC 3339, or a day, which begins at midnight UTC. Other forms are refused: 03/04/2026 is two different days. */
function parseDay(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text)) return undefined
  const time = Date.parse(text)
  return Number.isNaN(time) ? undefined : time
}

function byName(
  header: string[],
  wanted: HotListColumns,
  invalid: (reason: string) => AlprError,
): Record<keyof HotListColumns, number> {
  const names = header.map((name) => name.trim().toLowerCase())
  const find = (column: keyof HotListColumns): number => {
    const asked = wanted[column]
    if (asked === undefined) return kUsual[column].map((name) => names.indexOf(name)).find((at) => at >= 0) ?? -1
    const at = names.indexOf(asked.trim().toLowerCase())
    if (at < 0)
      throw invalid(`there is no column "${asked}"; the header has ${header.map((h) => `"${h.trim()}"`).join(', ')}`)
    return at
  }
  const places = {
    plate: find('plate'),
    reason: find('reason'),
    region: find('region'),
    from: find('from'),
    until: find('until'),
  }
  if (places.plate < 0)
    throw invalid(
      `no column is the plate; name it with --plate-column (the header has ${header.map((h) => `"${h.trim()}"`).join(', ')})`,
    )
  return places
}

function byNumber(
  wanted: HotListColumns,
  invalid: (reason: string) => AlprError,
): Record<keyof HotListColumns, number> {
  const place = (text: string | undefined, usual: number): number => {
    if (text === undefined) return usual
    if (!/^[1-9]\d{0,3}$/.test(text)) throw invalid(`without a header a column is a number from 1, not "${text}"`)
    return Number(text) - 1
  }
  return {
    plate: place(wanted.plate, 0),
    reason: place(wanted.reason, -1),
    region: place(wanted.region, -1),
    from: place(wanted.from, -1),
    until: place(wanted.until, -1),
  }
}

/** The candidate that the first line has most of, outside quotes. */
function guessDelimiter(piece: Buffer): string {
  const line = piece
    .toString('utf8')
    .split(/[\r\n]/, 1)[0]!
    .replace(/"[^"]*"/g, '')
  const count = (c: string) => line.split(c).length
  return [',', ';', '\t', '|'].reduce((best, c) => (count(c) > count(best) ? c : best))
}

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
