/** A cell of a table; undefined is empty. */
export type CsvValue = string | number | boolean | undefined

/** One line of CSV (RFC 4180) with its CRLF. A text that a spreadsheet would run as a formula becomes plain text. */
export const csvRow = (values: readonly CsvValue[]): string => `${values.map(cell).join(',')}\r\n`

function cell(value: CsvValue): string {
  if (value === undefined) return ''
  if (typeof value !== 'string') return String(value)
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
