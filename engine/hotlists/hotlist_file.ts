import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { AlprError, reasonOf } from '../errors.js'
import { CsvReader, type CsvRecord } from '../runtime/csv_reader.js'
import { TextPieces, type Encoding } from '../runtime/text_pieces.js'
import { notAList } from './file_kind.js'
import type { HotListEntry } from './hotlist.js'
import { MAX_REGION } from './hotlist_entries.js'
import {
  byName,
  byNumber,
  byPosition,
  usesOf,
  type ColumnIndexes,
  type ColumnRole,
  type ColumnUse,
  type FixedColumn,
  type HotListColumns,
  type Refuse,
} from './hotlist_columns.js'
import { ListDates, type DateOrder } from './list_dates.js'
import { findHeader } from './list_header.js'
import { parseListedPlate } from './listed_plate.js'

export interface HotListFileOptions {
  file: string
  columns?: HotListColumns
  /** One character. @default the one with which a line names a plate column, or else the most frequent */
  delimiter?: string
  /** Reads columns by position instead of CSV. */
  fixed?: readonly FixedColumn[]
  /** A line names the columns; lines before it are left out. @default true; not for fixed columns */
  header?: boolean
  /** @default found out (runtime/text_pieces.ts) */
  encoding?: Encoding
  /** Zone of days and times without a zone of their own: the agency's. @default UTC */
  zone?: string
  /** Order of day and month in dates such as 05/04/2026; without it they are bad. */
  dates?: DateOrder
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
  encoding: Encoding
  /** Without fixed columns. */
  delimiter?: string
  /** The line that names the columns. */
  headerLine?: number
  /** The columns that the header names, and what they were taken for; those without a use are left out. */
  columns: ColumnUse[]
  /** Lines that lack columns at their end. */
  shortLines: number
  /** Entries that ended before the file was read. */
  ended: number
}

const KEPT_BAD_LINES = 100
/** Characters of the file in which its header is looked for. */
const HEAD_CHARACTERS = 16_384

/**
 * Reads the entries of a hot list from a file, line by line.
 * @throws ALPR_ERR_HOTLIST_INVALID when the file cannot be read, is no list, has no plate column, or has more bad lines
 * than allowed; it names the first three
 */
export async function readHotListFile(options: HotListFileOptions): Promise<HotListFile> {
  const { file } = options
  const invalid: Refuse = (reason) => new AlprError('ALPR_ERR_HOTLIST_INVALID', { list: file, reason })
  try {
    const total = (await stat(file)).size
    let bytes = 0
    const text = new TextPieces(options.encoding)
    let head = ''
    let collector: ListReader | undefined
    for await (const piece of createReadStream(file, { highWaterMark: 262_144 }) as AsyncIterable<Buffer>) {
      const wrong = bytes === 0 ? notAList(piece) : undefined
      if (wrong) throw invalid(wrong)
      bytes += piece.length
      const more = text.push(piece)
      if (collector) collector.push(more)
      else {
        head += more
        if (head.length >= HEAD_CHARACTERS) collector = new ListReader(head, options, invalid)
      }
      options.onProgress?.(bytes, total)
    }
    const rest = text.end()
    if (collector) collector.push(rest)
    else collector = new ListReader(head + rest, options, invalid)
    return { ...collector.end(), encoding: text.encoding }
  } catch (error) {
    if (error instanceof AlprError) throw error
    throw invalid((error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : reasonOf(error))
  }
}

/** Turns the text of a file into entries, and counts the lines that are bad. */
class ListReader {
  readonly #options: HotListFileOptions
  readonly #invalid: Refuse
  readonly #file: Omit<HotListFile, 'encoding'>
  readonly #reader: { push(piece: string): CsvRecord[]; end(): CsvRecord[] }
  readonly #dates: ListDates
  readonly #now = Date.now()
  /** Unknown until the header is read. */
  #indexes: ColumnIndexes | undefined
  #width = 0
  /** The line that names the columns; 1 when none is found, so that the error can show what stands there. */
  readonly #headerLine: number

  constructor(head: string, options: HotListFileOptions, invalid: Refuse) {
    this.#options = options
    this.#invalid = invalid
    const { fixed, header, columns = {}, zone = 'UTC', dates } = options
    this.#dates = new ListDates(zone, dates)
    const found = fixed ? undefined : findHeader(head, options.delimiter, columns.plate)
    this.#file = {
      entries: [],
      lines: 0,
      bad: 0,
      badLines: [],
      columns: [],
      shortLines: 0,
      ended: 0,
      ...(found && { delimiter: found.delimiter }),
    }
    this.#headerLine = found?.line ?? 1
    if (fixed) this.#indexes = byPosition(fixed)
    else if (header === false) this.#indexes = byNumber(columns, invalid)
    this.#reader = found ? new CsvReader(found.delimiter) : new FixedReader(fixed!)
    this.push(head)
  }

  push(text: string): void {
    for (const record of this.#reader.push(text)) this.#add(record)
  }

  end(): Omit<HotListFile, 'encoding'> {
    for (const record of this.#reader.end()) this.#add(record, true)
    if (!this.#indexes) throw this.#invalid('the file is empty')
    return this.#file
  }

  /** @param isOpen the file ends within the line @throws ALPR_ERR_HOTLIST_INVALID when there are too many bad lines */
  #add({ line, fields }: CsvRecord, isOpen = false): void {
    const { columns = {}, reason = '' } = this.#options
    // DOS ends a text with Ctrl-Z.
    if (fields.every((field) => field.replaceAll('\u001a', '').trim() === '')) return
    if (!this.#indexes) {
      if (line < this.#headerLine) return
      this.#indexes = byName(fields, columns, this.#invalid)
      this.#width = fields.length
      this.#file.headerLine = line
      this.#file.columns = usesOf(fields, this.#indexes)
      return
    }
    this.#file.lines++
    const problem = this.#misfit(fields, isOpen)
    const entry = problem === undefined ? this.#entryOf(fields, this.#indexes, reason) : { problem }
    if ('problem' in entry) this.#addBad(line, entry.problem)
    else {
      if (entry.until !== undefined && entry.until <= this.#now) this.#file.ended++
      if (this.#options.take) this.#options.take(entry)
      else this.#file.entries.push(entry)
    }
  }

  /** What is wrong with the number of columns of a line: a text without its quotes moves those behind it. */
  #misfit(fields: readonly string[], isOpen: boolean): string | undefined {
    if (this.#width === 0 || fields.length === this.#width) return undefined
    if (fields.length > this.#width && fields.slice(this.#width).some((field) => field.trim() !== ''))
      return `it has ${fields.length} columns, the header has ${this.#width}; is a text with a delimiter not in quotes?`
    if (fields.length < this.#width) {
      if (isOpen) return `the file ends within the line, which has ${fields.length} of ${this.#width} columns`
      this.#file.shortLines++
    }
    return undefined
  }

  /** The entry of one line, or what is wrong with it. */
  #entryOf(fields: readonly string[], indexes: ColumnIndexes, reason: string): HotListEntry | { problem: string } {
    const field = (role: ColumnRole): string => (fields[indexes[role]] ?? '').trim()
    const listed = parseListedPlate(field('plate'))
    if ('reason' in listed) return { problem: listed.reason }
    const entry: HotListEntry = { plate: listed.plate, reason: withoutControls(field('reason')) || reason }
    const region = field('region')
    if (region.length > MAX_REGION) return { problem: `its state or country has more than ${MAX_REGION} characters` }
    if (region) entry.region = withoutControls(region).toUpperCase()
    for (const name of ['from', 'until'] as const) {
      const text = field(name)
      if (!text || ListDates.isNone(text)) continue
      const time = this.#dates.parse(name, text)
      if (time === undefined)
        return {
          problem: `"${text.slice(0, 40)}" is not a time such as 2026-05-01 or 2026-05-01T08:30:00Z${orderOf(text)}`,
        }
      entry[name] = time
    }
    if (entry.from !== undefined && entry.until !== undefined && entry.until <= entry.from)
      return { problem: 'it ends before it begins' }
    return entry
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

/** What helps with a date that may be either of two days. */
const orderOf = (text: string): string =>
  /^\d{1,2}[-/]\d{1,2}[-/]\d{4}/.test(text) ? '; say which is first, the day or the month: --dates dmy or mdy' : ''

/** A console or a terminal must not obey what a list contains. Lines of a text stay lines. */
const withoutControls = (text: string): string => text.replace(/[^\P{Cc}\n]+/gu, ' ').trim()

/** Cuts lines into columns by position. */
class FixedReader {
  readonly #lines = new CsvReader('\0')
  readonly #columns: readonly FixedColumn[]

  constructor(columns: readonly FixedColumn[]) {
    this.#columns = columns
  }

  push(piece: string): CsvRecord[] {
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
