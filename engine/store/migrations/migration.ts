import type { Form } from '../ddl.js'

/** A step of the schema. It never changes once released; a later change is a new step. */
export interface Migration {
  version: number
  name: string
  /** Statements in order. Each of them may run twice. */
  statements: (database: string, form: Form) => Step[]
}

/**
 * A statement; or one that only databases of older schemas need. That runs while `table` has `column` (in `type`, where
 * it is given), or with `lacks` while the table exists without it; without a condition, where any step was done before.
 */
export type Step = string | UpgradeStep
export interface UpgradeStep {
  sql: string
  while?: StepCondition
}
export interface StepCondition {
  table: string
  column: string
  type?: string
  lacks?: true
}

/** For copies of a whole table: one thread, whole blocks, any number of weeks. */
export const COPY_SETTINGS =
  'SETTINGS max_partitions_per_insert_block = 0, max_insert_block_size = 1048576, ' +
  'min_insert_block_size_rows = 1048576, max_threads = 1, max_insert_threads = 1'
