import { createTable } from '../ddl.js'
import { createPlateIndexView, hits, ledger, reads, readsByPlate } from '../schema.js'
import type { Migration } from './migration.js'

/** A new database gets the present form of its tables at once; later steps only bring older ones up to it. */
export const READS_HITS_LEDGER: Migration = {
  version: 1,
  name: 'reads, history by plate, hits, ledger',
  statements: (database, form) => [
    ...createTable(database, reads, form),
    ...createTable(database, readsByPlate, form),
    createPlateIndexView(database, form),
    ...createTable(database, hits, form),
    ...createTable(database, ledger, form),
  ],
}
