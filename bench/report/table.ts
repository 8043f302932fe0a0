export interface Column {
  title: string
  /** Characters; a longer cell moves the rest of its row. */
  width: number
  /** Default: right. */
  align?: 'left'
}

/** Prints a table row by row, for rows that come minutes apart: the widths are fixed beforehand. */
export class TablePrinter {
  constructor(private readonly columns: readonly Column[]) {}

  header(): this {
    this.row(...this.columns.map(({ title }) => title))
    return this
  }

  row(...cells: readonly (string | number)[]): void {
    const padded = this.columns.map(({ width, align }, i) => {
      const cell = String(cells[i] ?? '')
      return align === 'left' ? cell.padEnd(width) : cell.padStart(width)
    })
    console.log(padded.join(' ').trimEnd())
  }
}

/** Lines of a table whose columns are as wide as their widest cell. @param right indexes of right-aligned columns */
export function alignedLines(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows.map((row) =>
    row
      .map((cell, column) => (right.includes(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd(),
  )
}

/** Replaces the current line of a terminal; writes a line of its own into a file or pipe. */
export function showProgress(text: string): void {
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `${text}\n`)
}
