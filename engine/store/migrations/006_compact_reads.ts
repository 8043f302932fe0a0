import { cellSql } from '../../geo/cell.js'
import { READS } from '../tables.js'
import type { Step } from '../schema.js'

interface Parts {
  database: string
  onCluster: string
  cluster: boolean
  /** Name of the table that holds rows, on this node. */
  stored: (name: string) => string
  /** Statements that make the tables as they are now. */
  tables: { reads: string[]; readsHeld: string[]; readsByPlate: string[] }
  views: string[]
  /** Drops the index by plate of before. */
  dropByPlate: Step[]
  rollups: string[]
}

/** Only reads of before schema 6 have it. */
const OLD_COLUMN = 'picture_offset'

/**
 * Reads as they were stored before schema 6 (single floats, two whole references to pictures, granules of 8,192) into
 * the tables of today.
 *
 * The old table is renamed first: from then on nobody can write to it, so nothing that is written meanwhile can be
 * lost. Then its rows are copied, which may be done twice (keys and versions are the same), then it is dropped. Each
 * statement knows by the columns that are there whether it is still to do, so the whole can be cut short anywhere and
 * run again. It needs room for a second copy of the rows.
 */
export function readsFromBefore({
  database,
  onCluster,
  cluster,
  stored,
  tables,
  views,
  dropByPlate,
  rollups,
}: Parts): Step[] {
  const before = (name: string) => `${name}_before`
  const whileOld = (name: string, sql: string): Step => ({ sql, while: { table: stored(name), column: OLD_COLUMN } })
  const drop = (name: string) => `DROP TABLE IF EXISTS ${database}.${name}${onCluster} SYNC`
  const renamed = (name: string): Step[] => [
    ...(cluster ? [whileOld(name, drop(name))] : []),
    whileOld(name, `RENAME TABLE ${database}.${stored(name)} TO ${database}.${stored(before(name))}${onCluster}`),
  ]
  const copied = (name: string, to = name): Step =>
    whileOld(
      before(name),
      `INSERT INTO ${database}.${to} (${READS.map((column) => column.name).join(', ')})\nSELECT ${READS.map(({ name: column }) => (FROM_BEFORE[column] ? FROM_BEFORE[column] : column)).join(', ')}\nFROM ${database}.${stored(before(name))}\n${COPYING}`,
    )
  const cells = (name: string): Step =>
    whileOld(
      before(name),
      `INSERT INTO ${database}.camera_cells (camera, cell, reads, first, last)\nSELECT camera, cell, 0, min(ts), max(ts) FROM ${database}.${stored(name)} GROUP BY camera, cell`,
    )
  return [
    // No view may look at a table that goes.
    ...['reads_by_plate', ...rollups].map((name) =>
      whileOld('reads', `DROP VIEW IF EXISTS ${database}.${stored(name)}_view${onCluster} SYNC`),
    ),
    ...renamed('reads'),
    ...renamed('reads_held'),
    // Made anew, and filled by the next step of the schema.
    ...dropByPlate,
    ...tables.reads,
    ...tables.readsHeld,
    ...tables.readsByPlate,
    copied('reads'),
    copied('reads_held'),
    // A position rounded to a millionth of a degree may lie in the next cell.
    cells('reads'),
    cells('reads_held'),
    ...['reads', 'reads_held'].map((name) => whileOld(before(name), drop(stored(before(name))))),
    ...views,
  ]
}

/** Of a copy of all rows: one thread, whole blocks, as many weeks as there are. */
export const COPYING =
  'SETTINGS max_partitions_per_insert_block = 0, max_insert_block_size = 1048576, min_insert_block_size_rows = 1048576, max_threads = 1, max_insert_threads = 1'

/** Exact: whole numbers divided as decimals; a float turned into a decimal would be cut, not rounded. */
const decimal = (of: string, scale: number): string =>
  `toDecimal64(toInt64(round(toFloat64(${of}) * ${10 ** scale})), ${scale}) / ${10 ** scale}`
/** Degrees as the new columns have them. */
const MICRO = { lat: 'round(lat * 1000000) / 1000000', lon: 'round(lon * 1000000) / 1000000' }

/** Today's columns made of those of before; the others are as they were. */
const FROM_BEFORE: Readonly<Record<string, string>> = {
  cell: cellSql(MICRO.lat, MICRO.lon),
  confidence: decimal('confidence', 3),
  alternate_plates: 'arrayFilter((text, sure) -> sure >= 0.005, alternate_plates, alternate_confidences)',
  alternate_confidences: `arrayMap(sure -> ${decimal('sure', 3)}, arrayFilter(sure -> sure >= 0.005, alternate_confidences))`,
  stay_ms: "toUInt64(greatest(0, dateDiff('millisecond', ts, ts_last)))",
  lat: decimal('lat', 6),
  lon: decimal('lon', 6),
  heading: 'if(isNull(heading), NULL, toUInt16(round(assumeNotNull(heading)) % 360))',
  height_px: 'toUInt16(greatest(0, least(65535, round(height_px))))',
  sharpness: decimal('greatest(0, least(9.99, toFloat64(sharpness)))', 2),
  contrast: decimal('greatest(0, least(9.99, toFloat64(contrast)))', 2),
  glare: decimal('greatest(0, least(9.99, toFloat64(glare)))', 2),
  picture_gap:
    "if(picture_segment = '' OR crop_segment = '', 0, greatest(0, toInt64(picture_offset) - toInt64(crop_offset) - toInt64(crop_length)))",
}
