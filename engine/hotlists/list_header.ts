import { CsvReader, type CsvRecord } from '../runtime/csv_reader.js'
import { hasPlate } from './hotlist_columns.js'

/** Delimiters of lists; of two that fit, the first. */
const DELIMITERS = [',', ';', '\t', '|', ':']
/** Records that may precede the header: a title, a comment, an empty line. */
const MAX_BEFORE = 20

export interface ListHeader {
  delimiter: string
  /** The number of the line that names the columns, from 1; undefined when no line does. */
  line?: number
}

/**
 * Finds the line that names the columns, and the delimiter with which it does.
 * @param head the first characters of the file
 * @param wanted name of the plate's column; without it, one of the usual names
 */
export function findHeader(head: string, given: string | undefined, wanted: string | undefined): ListHeader {
  // Excel understands a first line `sep=;`, and takes it away.
  const named = /^\ufeff?"?sep=(.)"?[\r\n]/.exec(head)?.[1]
  const candidates = given !== undefined ? [given] : named !== undefined ? [named] : DELIMITERS
  let best: { delimiter: string; record: CsvRecord } | undefined
  for (const delimiter of candidates) {
    const record = firstRecords(head, delimiter).find(({ fields }) => hasPlate(fields, wanted))
    if (!record) continue
    const isBetter = !best || record.line < best.record.line || record.fields.length > best.record.fields.length
    if (isBetter) best = { delimiter, record }
  }
  if (best) return { delimiter: best.delimiter, line: best.record.line }
  return { delimiter: given ?? named ?? mostFrequent(head) }
}

function firstRecords(head: string, delimiter: string): CsvRecord[] {
  try {
    return new CsvReader(delimiter).push(head.endsWith('\n') ? head : `${head}\n`).slice(0, MAX_BEFORE)
  } catch {
    return []
  }
}

/** The delimiter that is most frequent in the first line with text, outside quotes. */
function mostFrequent(head: string): string {
  const line = (/[^\r\n]*\S[^\r\n]*/.exec(head)?.[0] ?? '').replace(/"[^"]*"/g, '')
  const count = (c: string) => line.split(c).length
  return DELIMITERS.slice(0, 4).reduce((best, c) => (count(c) > count(best) ? c : best))
}
