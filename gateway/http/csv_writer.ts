import { csvRow, type CsvValue } from '../../engine/runtime/mod.js'

/** One column: its heading, and its value for a row. */
export type Column<T> = readonly [heading: string, value: (row: T) => CsvValue]

/** A CSV file with a heading line. */
export const toCsv = <T>(rows: T[], columns: readonly Column<T>[]): string =>
  [columns.map(([heading]) => heading), ...rows.map((row) => columns.map(([, value]) => value(row)))]
    .map(csvRow)
    .join('')
