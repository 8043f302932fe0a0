import type { ClickHouseSettings } from '@clickhouse/client'

/** The store ends a statement of a page after this long, one of an export after that long; seconds. */
export const PAGE_SECONDS = 30
const EXPORT_SECONDS = 300

/**
 * Settings of every statement of a question. All versions of a read lie in one partition, because no version changes
 * the time of the first: FINAL need not look across partitions.
 * @param threads of the store, for one statement; default: the server's
 */
export const settingsFor = (exporting: boolean, threads?: number): ClickHouseSettings => ({
  do_not_merge_across_partitions_select_final: 1,
  max_execution_time: exporting ? EXPORT_SECONDS : PAGE_SECONDS,
  // Compiling an expression takes longer than most questions run, and each question has its own expressions.
  compile_expressions: 0,
  compile_aggregate_expressions: 0,
  compile_sort_description: 0,
  // Sums over many vehicles go to disk rather than to the memory limit.
  max_bytes_before_external_group_by: '500000000',
  ...(threads !== undefined && { max_threads: threads }),
  ...(exporting && { max_threads: 1, priority: '10' }),
})

/** Types of store errors that mean: the question is too large. Nothing is broken. */
export const TOO_LARGE: ReadonlySet<string> = new Set([
  'TIMEOUT_EXCEEDED',
  'MEMORY_LIMIT_EXCEEDED',
  'TOO_MANY_ROWS',
  'TOO_MANY_BYTES',
  'TOO_MANY_ROWS_OR_BYTES',
  'SET_SIZE_LIMIT_EXCEEDED',
  'TOO_SLOW',
  // of a pattern, as a regular expression
  'CANNOT_COMPILE_REGEXP',
])
