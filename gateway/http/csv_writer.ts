/** One column: its heading, and its value for a row. */
export type Column<T> = readonly [heading: string, value: (row: T) => string | number | boolean | undefined]

/** RFC 4180 with CRLF and a heading line. */
export function toCsv<T>(rows: T[], columns: readonly Column<T>[]): string {
  const lines = [
    columns.map(([heading]) => heading),
    ...rows.map((row) => columns.map(([, value]) => cell(value(row)))),
  ]
  return lines.map((line) => `${line.join(',')}\r\n`).join('')
}

function cell(value: string | number | boolean | undefined): string {
  if (value === undefined) return ''
  if (typeof value !== 'string') return String(value)
  // Text that a spreadsheet would run as a formula becomes plain text.
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
