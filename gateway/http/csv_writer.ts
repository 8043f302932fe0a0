import { csvRow, type CsvValue } from '../../engine/runtime/mod.js'

/** One column: its heading, and its value for a row. */
export type Column<T> = readonly [heading: string, value: (row: T) => CsvValue]

/** A CSV file with a heading line, a piece for each page. */
export async function* csvPieces<T>(pages: AsyncIterable<T[]>, columns: readonly Column<T>[]): AsyncGenerator<string> {
  yield csvRow(columns.map(([heading]) => heading))
  for await (const rows of pages)
    if (rows.length > 0) yield rows.map((row) => csvRow(columns.map(([, value]) => value(row)))).join('')
}

/** A CSV file with a heading line. */
export const toCsv = <T>(rows: T[], columns: readonly Column<T>[]): string =>
  [columns.map(([heading]) => heading), ...rows.map((row) => columns.map(([, value]) => value(row)))]
    .map(csvRow)
    .join('')
