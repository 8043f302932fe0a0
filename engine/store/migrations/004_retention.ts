import { createTable } from '../ddl.js'
import { purges, readsHeld, rollupSeals } from '../schema.js'
import type { Migration } from './migration.js'

export const RETENTION: Migration = {
  version: 4,
  name: 'held reads, proofs of purges, sealed weeks',
  statements: (database, form) =>
    [readsHeld, purges, rollupSeals].flatMap((table) => createTable(database, table, form)),
}
