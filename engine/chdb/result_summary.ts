/** Counts of a query, complete or so far. */
export interface ResultSummary {
  readRows: number
  readBytes: number
  writtenRows?: number
  writtenBytes?: number
  /** Rows to read; default: as many as were read. */
  totalRows?: number
  resultRows: number
  resultBytes: number
  elapsed: number
}

/** Numbers are strings, as in ClickHouse. */
export function summaryText(summary: ResultSummary): string {
  return JSON.stringify({
    read_rows: String(summary.readRows),
    read_bytes: String(summary.readBytes),
    written_rows: String(summary.writtenRows ?? 0),
    written_bytes: String(summary.writtenBytes ?? 0),
    total_rows_to_read: String(summary.totalRows ?? summary.readRows),
    result_rows: String(summary.resultRows),
    result_bytes: String(summary.resultBytes),
    elapsed_ns: String(Math.round(summary.elapsed * 1e9)),
  })
}
