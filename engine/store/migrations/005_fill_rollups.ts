import { onCluster, storedName } from '../ddl.js'
import { rollupColumns, rollupSelect } from '../rollups.js'
import { COPY_SETTINGS, type Migration } from './migration.js'

/**
 * For data folders from before the rollups: the cells of cameras; step 8 fills the others. The rollup is emptied first,
 * so that an interrupted step does not count twice.
 */
export const FILL_ROLLUPS: Migration = {
  version: 5,
  name: 'rollups of the reads stored before them',
  statements: (database, form) => [
    { sql: `TRUNCATE TABLE ${database}.${storedName('camera_cells', form)}${onCluster(form)}` },
    {
      sql:
        `INSERT INTO ${database}.camera_cells (${rollupColumns('camera_cells').join(', ')})\n` +
        `${rollupSelect('camera_cells', `${database}.reads FINAL`)}\n` +
        `${COPY_SETTINGS}, max_bytes_before_external_group_by = 500000000`,
    },
  ],
}
