import { createTable, storedName } from '../ddl.js'
import { createPlateIndexView, plateIndexSelect, reads, readsByPlate } from '../schema.js'
import { PLATE_INDEX } from '../tables.js'
import { dropOldPlateIndex } from './drop_old_plate_index.js'
import { COPY_SETTINGS, type Migration } from './migration.js'

/**
 * Drops the old index by plate and rebuilds it from the reads. All of it comes from them, so the step can be
 * interrupted and run again. A read that is written meanwhile reaches the index through the view, the copy, or both,
 * which give the same row.
 */
export const FULL_PLATE_INDEX: Migration = {
  version: 7,
  name: 'history by plate from one range: the index has all that is shown',
  statements: (database, form) => [
    ...dropOldPlateIndex(database, form),
    ...createTable(database, readsByPlate, form),
    createPlateIndexView(database, form),
    {
      sql:
        `INSERT INTO ${database}.${readsByPlate.name} (${PLATE_INDEX.map(({ name }) => name).join(', ')})\n` +
        `${plateIndexSelect(database, 'reads FINAL')}\n${COPY_SETTINGS}`,
      while: { table: storedName(reads.name, form), column: 'cell' },
    },
  ],
}
