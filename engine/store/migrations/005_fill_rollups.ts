import { onCluster, storedName } from '../ddl.js'
import { ROLLUP_NAMES, rollupColumns, rollupSelect } from '../rollups.js'
import { reads } from '../schema.js'
import type { Migration } from './migration.js'

/**
 * For data folders from before the rollups. Each rollup is emptied first, so that an interrupted step does not count
 * twice. Migrations run before the engine writes; the rollup check corrects anything that is written meanwhile. On a
 * cluster each shard fills its own.
 */
export const FILL_ROLLUPS: Migration = {
  version: 5,
  name: 'rollups of the reads stored before them',
  statements: (database, form) =>
    ROLLUP_NAMES.flatMap((name) => [
      `TRUNCATE TABLE ${database}.${storedName(name, form)}${onCluster(form)}`,
      `INSERT INTO ${database}.${name} (${rollupColumns(name).join(', ')})\n` +
        `${rollupSelect(database, name, `${reads.name} FINAL`)}\n` +
        'SETTINGS max_bytes_before_external_group_by = 500000000, max_partitions_per_insert_block = 0',
    ]),
}
