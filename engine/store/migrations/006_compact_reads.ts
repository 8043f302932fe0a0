import { cellSql } from '../../geo/cell.js'
import { createTable, onCluster, storedName, type Form } from '../ddl.js'
import { createRollupView, ROLLUP_NAMES } from '../rollups.js'
import { createPlateIndexView, reads, readsByPlate, readsHeld } from '../schema.js'
import { READS } from '../tables.js'
import { dropOldPlateIndex } from './drop_old_plate_index.js'
import { COPY_SETTINGS, type Migration, type Step } from './migration.js'

/**
 * Moves reads as stored before schema 6 (single floats, two whole picture references, granules of 8,192 rows) into the
 * present tables.
 *
 * The old table is renamed first: from then on no process can write to it, so no concurrent write is lost. Then its
 * rows are copied, which may happen twice (keys and versions are the same), then it is dropped. Each statement decides
 * by the existing columns whether it is still to do, so the step can be interrupted anywhere and run again. It needs
 * room for a second copy of the rows.
 */
export const COMPACT_READS: Migration = {
  version: 6,
  name: 'reads in half the bytes: only significant digits, finer granules, a slim index by plate',
  statements: (database, form) => {
    const tables = [reads.name, readsHeld.name]
    const old = oldTables(database, form)
    return [
      // No view may refer to a table that is about to be renamed.
      ...[readsByPlate.name, ...ROLLUP_NAMES].map((name) =>
        old.step(reads.name, `DROP VIEW IF EXISTS ${database}.${storedName(name, form)}_view${onCluster(form)} SYNC`),
      ),
      ...tables.flatMap(old.rename),
      // Rebuilt, and filled by the next step of the schema.
      ...dropOldPlateIndex(database, form),
      ...[reads, readsHeld, readsByPlate].flatMap((table) => createTable(database, table, form)),
      ...tables.map(old.copy),
      ...tables.map(old.addCells),
      ...tables.map(old.drop),
      createPlateIndexView(database, form),
      ...ROLLUP_NAMES.map((name) => createRollupView(database, name, reads, form)),
    ]
  },
}

/** Only reads from before schema 6 have this column. */
const OLD_COLUMN = 'picture_offset'

/** Statements about tables that still have the old columns. */
function oldTables(database: string, form: Form) {
  const stored = (name: string) => storedName(name, form)
  const renamed = (name: string) => stored(`${name}_before`)
  const step = (name: string, sql: string): Step => ({ sql, while: { table: stored(name), column: OLD_COLUMN } })
  const stepRenamed = (name: string, sql: string): Step => step(`${name}_before`, sql)
  const dropTable = (name: string) => `DROP TABLE IF EXISTS ${database}.${name}${onCluster(form)} SYNC`
  const columns = READS.map(({ name }) => name)
  return {
    step,
    rename: (name: string): Step[] => [
      ...(form.kind === 'cluster' ? [step(name, dropTable(name))] : []),
      step(name, `RENAME TABLE ${database}.${stored(name)} TO ${database}.${renamed(name)}${onCluster(form)}`),
    ],
    copy: (name: string): Step =>
      stepRenamed(
        name,
        `INSERT INTO ${database}.${name} (${columns.join(', ')})\n` +
          `SELECT ${columns.map((column) => CONVERSIONS[column] ?? column).join(', ')}\n` +
          `FROM ${database}.${renamed(name)}\n${COPY_SETTINGS}`,
      ),
    /** A position rounded to a millionth of a degree may lie in the next cell. */
    addCells: (name: string): Step =>
      stepRenamed(
        name,
        `INSERT INTO ${database}.camera_cells (camera, cell, reads, first, last)\n` +
          `SELECT camera, cell, 0, min(ts), max(ts) FROM ${database}.${stored(name)} GROUP BY camera, cell`,
      ),
    drop: (name: string): Step => stepRenamed(name, dropTable(renamed(name))),
  }
}

/** Exact: whole numbers divided as decimals; a float cast to a decimal would be truncated, not rounded. */
const decimal = (of: string, scale: number): string =>
  `toDecimal64(toInt64(round(toFloat64(${of}) * ${10 ** scale})), ${scale}) / ${10 ** scale}`
/** Degrees as the new columns hold them. */
const MICRO = { lat: 'round(lat * 1000000) / 1000000', lon: 'round(lon * 1000000) / 1000000' }

const KEPT_CONFIDENCES = 'arrayFilter(sure -> sure >= 0.005, alternate_confidences)'

/** Present columns as expressions over the old ones; columns not named here are unchanged. */
const CONVERSIONS: Readonly<Record<string, string>> = {
  cell: cellSql(MICRO.lat, MICRO.lon),
  confidence: decimal('confidence', 3),
  alternate_plates: 'arrayFilter((text, sure) -> sure >= 0.005, alternate_plates, alternate_confidences)',
  alternate_confidences: `arrayMap(sure -> ${decimal('sure', 3)}, ${KEPT_CONFIDENCES})`,
  stay_ms: "toUInt64(greatest(0, dateDiff('millisecond', ts, ts_last)))",
  lat: decimal('lat', 6),
  lon: decimal('lon', 6),
  heading: 'if(isNull(heading), NULL, toUInt16(round(assumeNotNull(heading)) % 360))',
  height_px: 'toUInt16(greatest(0, least(65535, round(height_px))))',
  sharpness: decimal('greatest(0, least(9.99, toFloat64(sharpness)))', 2),
  contrast: decimal('greatest(0, least(9.99, toFloat64(contrast)))', 2),
  glare: decimal('greatest(0, least(9.99, toFloat64(glare)))', 2),
  picture_gap:
    "if(picture_segment = '' OR crop_segment = '', 0, " +
    'greatest(0, toInt64(picture_offset) - toInt64(crop_offset) - toInt64(crop_length)))',
}
