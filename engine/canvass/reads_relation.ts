import { DAY_MS } from '../model/time.js'
import { and, sql, tableOf, value, type Sql } from '../store/sql.js'
import type { Condition } from './filter.js'

/**
 * Columns of an answer, in the order in which held rows are united with the others: those that the index by plate has,
 * and all.
 */
const SHOWN = sql`cell, ts, read_id, version, plate, confidence, region, camera, ts_last, lat, lon, heading, direction,
  crop_segment, crop_offset, crop_length`
const READ = sql`${SHOWN}, height_px, sharpness, contrast, glare, alternate_plates, alternate_confidences`

/**
 * Reads under a condition, from `reads` or, where plates are named, from the plate index. Purged weeks answer from the
 * held rows only, so that no read appears twice.
 */
export function readsOf(
  database: string,
  { fixed = sql`1`, rest = sql`1`, plates, whole = false }: Partial<Condition>,
  purged: readonly number[],
  columns = plates && !whole ? SHOWN : READ,
): Sql {
  const from = (table: 'reads' | 'reads_held' | 'reads_by_plate', before: readonly Sql[], after: readonly Sql[]) =>
    sql`SELECT ${columns} FROM ${tableOf(database, table)} FINAL PREWHERE ${and(before)} WHERE ${and(after)}`
  const ofPlates = plates ? [sql`plate IN ${textsOf(plates)}`] : []
  const located = () =>
    sql`(cell, ts, read_id) IN (
      SELECT cell, ts, read_id FROM ${tableOf(database, 'reads_by_plate')} FINAL
      PREWHERE ${and(ofPlates)} WHERE NOT gone)`
  const stored = (where: Sql) =>
    !plates
      ? from('reads', [where], [rest])
      : whole
        ? from('reads', [located(), where], [...ofPlates, rest])
        : // A tombstone has only the key: until FINAL has picked the latest row, only the key may be asked for.
          from('reads_by_plate', ofPlates, [sql`NOT gone`, where, rest])
  if (purged.length === 0) return sql`(${stored(fixed)})`
  const weeks = sql`(SELECT toDate(arrayJoin(${value(
    'Array(UInt32)',
    purged.map((ms) => ms / DAY_MS),
  )})))`
  const live = stored(and([fixed, sql`toMonday(ts) NOT IN ${weeks}`]))
  const held = from('reads_held', [fixed, sql`toMonday(ts) IN ${weeks}`], [...ofPlates, rest])
  return sql`(${live} UNION ALL ${held})`
}

/**
 * Plates as a value. The same array gives the same value, so that a list of 200,000 travels once however often a
 * statement names it.
 */
function textsOf(plates: readonly string[]): Sql {
  const known = TEXTS.get(plates) ?? value('Array(String)', plates)
  TEXTS.set(plates, known)
  return known
}
const TEXTS = new WeakMap<readonly string[], Sql>()
