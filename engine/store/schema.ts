import { onCluster, storedName, type Form, type Table } from './ddl.js'
import {
  COUNTS,
  GONE,
  HITS,
  LEDGER,
  PLATE_INDEX,
  PLATE_INDEX_DERIVED,
  PURGES,
  READS,
  READS_DERIVED,
  ROLLUP_SEALS,
} from './tables.js'

/**
 * A lookup of one read decodes one granule of each column it wants: with ClickHouse's default of 8,192 rows that took
 * most of a history's time. Small granules need small compressed blocks, or each of them decodes its neighbours too.
 */
const FINE = { index_granularity: 1_024, min_compress_block_size: 8_192, max_compress_block_size: 65_536 }
/** Partitions without inserts for this many seconds merge into one part, which FINAL then reads without merging. */
const MERGE_WHEN_IDLE = { min_age_to_force_merge_seconds: 7_200, min_age_to_force_merge_on_partition_only: 1 }

/**
 * Key (cell, ts, read_id): a canvass selects an area and a time. A read's first position and time never change, so all
 * its versions share one partition and one key. Partitioned by week, because retention drops weeks.
 */
export const reads: Table = {
  name: 'reads',
  columns: [...READS, COUNTS],
  derived: READS_DERIVED,
  version: 'version',
  partition: 'toMonday(ts)',
  order: 'cell, ts, read_id',
  shard: 'sipHash64(read_id)',
  generation: 2,
  settings: { ...FINE, ...MERGE_WHEN_IDLE },
}

/**
 * The index by plate: all that a history shows of a read, side by side, so that a year of one plate is a single range.
 * A later version of a read may have another text; the writer then marks the row under the old text as gone
 * (read_changes.ts). Partitioned by quarter: few parts to look into, and a purge rewrites only one of them.
 */
export const readsByPlate: Table = {
  name: 'reads_by_plate',
  columns: [...PLATE_INDEX, GONE],
  derived: PLATE_INDEX_DERIVED,
  version: 'version',
  partition: 'toStartOfQuarter(ts)',
  order: 'plate, ts, read_id',
  shard: 'sipHash64(read_id)',
  generation: 3,
  settings: { ...FINE, ...MERGE_WHEN_IDLE },
}

/** Rows of the index by plate, from rows of reads. */
export const plateIndexSelect = (database: string, from: string): string =>
  `SELECT ${PLATE_INDEX.map(({ name }) => name).join(', ')}\nFROM ${database}.${from}\nWHERE plate != ''`

/** The view that adds each read to the index by plate as it is written. */
export function createPlateIndexView(database: string, form: Form): string {
  const target = storedName(readsByPlate.name, form)
  return (
    `CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.${target}_view${onCluster(form)} ` +
    `TO ${database}.${target} AS\n` +
    plateIndexSelect(database, storedName(reads.name, form))
  )
}

/** By time first: dispatch reads the latest hits of all lists, and there are few hits to filter by list. */
export const hits: Table = {
  name: 'hits',
  columns: HITS,
  version: 'revision',
  partition: 'toMonday(ts)',
  order: 'ts, hit_id',
  shard: 'sipHash64(read_id)',
}

export const ledger: Table = {
  name: 'ledger',
  columns: LEDGER,
  version: 'version',
  partition: 'toYYYYMM(hour)',
  order: 'camera, hour, part',
  shard: 'sipHash64(camera)',
}

/**
 * Reads under legal hold (RET-3): no TTL, never purged, the same key as `reads` and all that it has of a read;
 * partitioned by year, because there are few.
 */
export const readsHeld: Table = {
  ...reads,
  name: 'reads_held',
  columns: READS,
  partition: 'toYear(ts)',
  settings: FINE,
}

/** What each purge did, each step under a higher version; weeks in this table are answered from `reads_held` only. */
export const purges: Table = {
  name: 'purges',
  columns: PURGES,
  version: 'version',
  partition: 'tuple()',
  order: 'week',
  shard: 'sipHash64(week)',
}

/** Weeks whose `camera_hour` was rebuilt from `reads FINAL` and is exact since. */
export const rollupSeals: Table = {
  name: 'rollup_seals',
  columns: ROLLUP_SEALS,
  version: 'version',
  partition: 'tuple()',
  order: 'week',
  shard: 'sipHash64(week)',
}
