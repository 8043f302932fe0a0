/** One column: its heading and how a row fills it. */
export type Column<T> = readonly [heading: string, value: (row: T) => string | number | boolean | undefined]

/** RFC 4180 with CRLF, a heading line first. */
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
  // A text that a spreadsheet would run as a formula is made plain text.
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
