import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { AlprError, reasonOf } from '../errors.js'
import { CsvReader, type CsvRecord } from '../runtime/csv_reader.js'
import type { HotListEntry } from './hotlist.js'
import {
  byName,
  byNumber,
  byPosition,
  type ColumnIndexes,
  type FixedColumn,
  type HotListColumns,
  type Refuse,
} from './hotlist_columns.js'
import { parseListedPlate } from './listed_plate.js'

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
  /** Takes the entries one by one, instead of `entries` of the result: a long list would fill the memory. */
  take?: (entry: HotListEntry) => void
}

export interface BadLine {
  line: number
  reason: string
}

export interface HotListFile {
  /** Empty when `take` got them. */
  entries: HotListEntry[]
  /** Lines that are not blank. */
  lines: number
  bad: number
  /** The first 100 of them. */
  badLines: BadLine[]
}

const KEPT_BAD_LINES = 100

/**
 * Reads the entries of a hot list from a file, line by line.
 * @throws ALPR_ERR_HOTLIST_INVALID when the file cannot be read, has no plate column, or has more bad lines than
 * allowed; it names the first three
 */
export async function readHotListFile(options: HotListFileOptions): Promise<HotListFile> {
  const { file, fixed } = options
  const invalid: Refuse = (reason) => new AlprError('ALPR_ERR_HOTLIST_INVALID', { list: file, reason })
  const collector = new EntryCollector(options, invalid)
  try {
    const total = (await stat(file)).size
    let bytes = 0
    let reader: { push(piece: Uint8Array): CsvRecord[]; end(): CsvRecord[] } | undefined
    for await (const piece of createReadStream(file, { highWaterMark: 262_144 }) as AsyncIterable<Buffer>) {
      reader ??= fixed ? new FixedReader(fixed) : new CsvReader(options.delimiter ?? guessDelimiter(piece))
      for (const record of reader.push(piece)) collector.add(record)
      bytes += piece.length
      options.onProgress?.(bytes, total)
    }
    for (const record of reader?.end() ?? []) collector.add(record)
  } catch (error) {
    if (error instanceof AlprError) throw error
    throw invalid((error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : reasonOf(error))
  }
  return collector.result()
}

/** Turns records into entries, and counts the ones that are bad. */
class EntryCollector {
  readonly #options: HotListFileOptions
  readonly #invalid: Refuse
  readonly #file: HotListFile = { entries: [], lines: 0, bad: 0, badLines: [] }
  /** Unknown until the header is read. */
  #indexes: ColumnIndexes | undefined

  constructor(options: HotListFileOptions, invalid: Refuse) {
    this.#options = options
    this.#invalid = invalid
    const { fixed, header, columns = {} } = options
    if (fixed) this.#indexes = byPosition(fixed)
    else if (header === false) this.#indexes = byNumber(columns, invalid)
  }

  /** @throws ALPR_ERR_HOTLIST_INVALID when there are too many bad lines */
  add({ line, fields }: CsvRecord): void {
    const { columns = {}, reason = '' } = this.#options
    if (!this.#indexes) {
      this.#indexes = byName(fields, columns, this.#invalid)
      return
    }
    if (fields.every((field) => field.trim() === '')) return
    const indexes = this.#indexes
    this.#file.lines++
    const entry = toEntry((name) => (fields[indexes[name]] ?? '').trim(), reason)
    if ('problem' in entry) this.#addBad(line, entry.problem)
    else if (this.#options.take) this.#options.take(entry)
    else this.#file.entries.push(entry)
  }

  result(): HotListFile {
    if (!this.#indexes) throw this.#invalid('the file is empty')
    return this.#file
  }

  #addBad(line: number, reason: string): void {
    const { maxBad = 0 } = this.#options
    const { badLines } = this.#file
    this.#file.bad++
    if (badLines.length < KEPT_BAD_LINES) badLines.push({ line, reason })
    if (this.#file.bad <= maxBad) return
    const shown = badLines
      .slice(0, 3)
      .map((b) => `line ${b.line}: ${b.reason}`)
      .join('; ')
    throw this.#invalid(`${shown}${maxBad > 0 ? ` (more than ${maxBad} bad lines)` : ''}`)
  }
}

/** The entry of one line, or what is wrong with it. */
function toEntry(
  field: (name: keyof HotListColumns) => string,
  defaultReason: string,
): HotListEntry | { problem: string } {
  const listed = parseListedPlate(field('plate'))
  if ('reason' in listed) return { problem: listed.reason }
  const entry: HotListEntry = { plate: listed.plate, reason: field('reason') || defaultReason }
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
