import { addColumn } from '../ddl.js'
import { reads } from '../schema.js'
import { COUNTS } from '../tables.js'
import type { Migration } from './migration.js'

/** Adds column `counts` to reads of an older schema. The views of the rollups name it, in whichever step they come. */
export const addCounts: Migration['statements'] = (database, form) =>
  addColumn(database, reads, COUNTS.name, 'feed', form).map((sql) => ({
    sql,
    while: { table: reads.name, column: COUNTS.name, lacks: true },
  }))
