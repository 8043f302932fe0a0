import type { Form } from '../ddl.js'

/** A step of the schema. It never changes once released; a later change is a new step. */
export interface Migration {
  version: number
  name: string
  /** Statements in order. Each of them may run twice. */
  statements: (database: string, form: Form) => Step[]
}

/**
 * A statement; or one that only data folders of older schemas need: it runs while `table` has `column`, or with `lacks`
 * while the table exists without it.
 */
export type Step = string | ConditionalStep
export interface ConditionalStep {
  sql: string
  while: { table: string; column: string; lacks?: true }
}

/** For copies of a whole table: one thread, whole blocks, any number of weeks. */
export const COPY_SETTINGS =
  'SETTINGS max_partitions_per_insert_block = 0, max_insert_block_size = 1048576, ' +
  'min_insert_block_size_rows = 1048576, max_threads = 1, max_insert_threads = 1'
