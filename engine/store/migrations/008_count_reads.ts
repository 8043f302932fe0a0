import { onCluster, storedName } from '../ddl.js'
import { createRollupView, modifyRollupColumn, ROLLUP_NAMES, rollupColumns, rollupSelect } from '../rollups.js'
import { reads } from '../schema.js'
import { addCounts } from './add_counts.js'
import { COPY_SETTINGS, type Migration, type Step } from './migration.js'

/**
 * Until schema 7 the rollups counted each version of a read. The counts that are shown (`plates`) or scored with
 * (`camera_hour`) are computed from the reads that there are; plates of purged weeks remain where a held read has them.
 * Nobody writes meanwhile: engines migrate before they write, one at a time. Each statement may run twice.
 */
export const COUNT_READS: Migration = {
  version: 8,
  name: 'rollups count reads, not their versions',
  statements: (database, form) => {
    const old = { table: 'plates', column: 'reads', type: 'SimpleAggregateFunction(sum, UInt64)' }
    const views = ROLLUP_NAMES.map(
      (name) => `DROP VIEW IF EXISTS ${database}.${storedName(name, form)}_view${onCluster(form)} SYNC`,
    )
    const fill = (name: 'plates' | 'camera_hour', from: string): Step[] => [
      { sql: `TRUNCATE TABLE ${database}.${storedName(name, form)}${onCluster(form)}` },
      {
        sql:
          `INSERT INTO ${database}.${name} (${rollupColumns(name).join(', ')})\n${rollupSelect(name, from)}\n` +
          `${COPY_SETTINGS}, max_bytes_before_external_group_by = 500000000`,
      },
    ]
    const plateColumns = 'plate, region, ts'
    return [
      ...addCounts(database, form),
      ...views.map((sql): Step => ({ sql, while: old })),
      ...fill(
        'plates',
        `(SELECT ${plateColumns} FROM ${database}.reads FINAL UNION ALL SELECT ${plateColumns} ` +
          `FROM ${database}.reads_held FINAL WHERE toMonday(ts) IN (SELECT week FROM ${database}.purges))`,
      ),
      ...fill('camera_hour', `${database}.reads FINAL`),
      ...ROLLUP_NAMES.map((name) => createRollupView(database, name, reads, form)),
      ...modifyRollupColumn(database, 'plates', 'reads', form).map((sql): Step => ({ sql, while: old })),
    ]
  },
}
