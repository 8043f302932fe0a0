import { checkDatabaseName } from './ddl.js'
import { and, sql, tableOf, value, type Sql } from './sql.js'

/**
 * Statements about the table `plates`: every distinct plate that was ever read, with its region. Rows of one plate that
 * are not merged yet are added up by each statement. A plate that later versions took back from all its reads has none
 * left, and searches of the store do not find it.
 */
export interface PlateRow {
  text: string
  /** Region of issue; empty when it is unknown. */
  state: string
  /** Number of reads. */
  seen: number
  /** First and last read, in hours since 1970 UTC. */
  begin: number
  end: number
}

const PLATE_COLUMNS = sql`plate AS text, CAST(region, 'String') AS state, toUInt32(greatest(sum(reads), 0)) AS seen,
  toUInt32(intDiv(toUnixTimestamp(min(first)), 3600)) AS begin,
  toUInt32(intDiv(toUnixTimestamp(max(last)), 3600)) AS end`

/** A condition on column `plate`. @param regex RE2, anchored */
export const plateMatchesRegex = (regex: string): Sql => sql`match(plate, ${value('String', regex)})`

const conditionOf = (regex: string, regions: readonly string[]): Sql =>
  and([plateMatchesRegex(regex), ...(regions.length > 0 ? [sql`region IN ${value('Array(String)', regions)}`] : [])])

/** Row: `{ n }`, a decimal text. */
export const countPlates = (database: string): Sql =>
  sql`SELECT toString(count()) AS n FROM ${tableOf(database, 'plates')}`

/** Rows: `{ text }`, the texts of matching plates, seen latest first. @param regions empty: all */
export const matchingTexts = (database: string, regex: string, regions: readonly string[], limit: number): Sql => sql`
  SELECT plate AS text FROM ${tableOf(database, 'plates')} WHERE ${conditionOf(regex, regions)}
  GROUP BY plate HAVING sum(reads) > 0 ORDER BY max(last) DESC, plate LIMIT ${value('UInt32', limit)}`

/** Rows: PlateRow with `all`, the number of matching plates; seen latest first. @param regions empty: all */
export const matchingPlates = (database: string, regex: string, regions: readonly string[], limit: number): Sql => sql`
  SELECT ${PLATE_COLUMNS}, toUInt32(count() OVER ()) AS all
  FROM ${tableOf(database, 'plates')} WHERE ${conditionOf(regex, regions)}
  GROUP BY plate, region HAVING seen > 0 ORDER BY end DESC, plate LIMIT ${value('UInt32', limit)}`

/** Rows: PlateRow of each of these texts and region. */
export const platesByText = (database: string, texts: readonly string[]): Sql => sql`
  SELECT ${PLATE_COLUMNS} FROM ${tableOf(database, 'plates')} WHERE plate IN ${value('Array(String)', texts)}
  GROUP BY plate, region`

/**
 * The whole table in RowBinary, for `PlateBuilder`: text, region, reads (at most 65,535), hours of the first and last
 * read. Without GROUP BY, so that the result can be streamed; the builder adds up rows of one plate.
 */
export const allPlatesQuery = (database: string): string =>
  `SELECT plate, CAST(region, 'String'), toUInt32(least(greatest(reads, 0), 65535)),
     toUInt32(intDiv(toUnixTimestamp(first), 3600)), toUInt32(intDiv(toUnixTimestamp(last), 3600))
   FROM ${checkDatabaseName(database)}.plates FORMAT RowBinary`

/** What a caller has read of the table: block ranges by their ends, and up to when (Unix seconds). */
export interface IngestedState {
  since: number
  lows: readonly number[]
  highs: readonly number[]
}

const partsOf = (database: string): Sql =>
  sql`system.parts WHERE database = ${value('String', database)} AND table = 'plates'`
const isSince = ({ since }: IngestedState): Sql => sql`modification_time >= toDateTime(${value('UInt32', since)})`
const isIngested = ({ lows, highs }: IngestedState): Sql =>
  sql`arrayExists((low, high) -> min_block_number >= low AND max_block_number <= high,
    ${value('Array(Int64)', lows)}, ${value('Array(Int64)', highs)})`

/**
 * One row: `at`, the store's clock (Unix seconds); `id`, the table's UUID, which changes when it is recreated; `fresh`,
 * the number of active parts that were written since and are not ingested.
 */
export const platePartsState = (database: string, ingested: IngestedState): Sql => sql`
  SELECT toUInt32(now()) AS at,
    (SELECT toString(any(uuid)) FROM system.tables
      WHERE database = ${value('String', database)} AND name = 'plates') AS id,
    toUInt32(countIf(active AND ${isSince(ingested)} AND NOT ${isIngested(ingested)})) AS fresh
  FROM ${partsOf(database)}`

/** New plates come as one row of arrays for this many: one row a plate costs store and gateway several times more. */
const PLATES_PER_ROW = 10_000
/**
 * Of a part that merges have grown beyond this many rows, only plates of the last month are read: its small
 * predecessors were read when they were written.
 */
const LARGE_PART_ROWS = 300_000

/**
 * Rows: `part`, and arrays `texts`, `states` and `hours` (last read, hours since 1970) of plates in parts that were
 * written since and are not ingested. Parts are excluded by name rather than included, because a part that a merge
 * removes between two queries is then found in its successor.
 * @param recreated the table is another one than the ingested ranges are about: they do not apply
 */
export const newPlates = (database: string, ingested: IngestedState, recreated: boolean): Sql => sql`
  SELECT _part AS part, groupArray(plate) AS texts, groupArray(CAST(region, 'String')) AS states,
    groupArray(toUInt32(intDiv(toUnixTimestamp(last), 3600))) AS hours
  FROM ${tableOf(database, 'plates')}
  WHERE _part NOT IN (
      SELECT name FROM ${partsOf(database)}
        AND (NOT (${isSince(ingested)}) OR ${recreated ? sql`0` : isIngested(ingested)}))
    AND (last >= now() - INTERVAL 30 DAY OR _part NOT IN (
      SELECT name FROM ${partsOf(database)} AND rows > ${value('UInt32', LARGE_PART_ROWS)}))
  GROUP BY part, intDiv(rowNumberInAllBlocks(), ${value('UInt32', PLATES_PER_ROW)})`
