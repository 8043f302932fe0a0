import type { ClickHouseClient } from '@clickhouse/client'
import { storedCellOf } from '../geo/cell.js'
import type { PlateTombstone, StoredRead } from './tables.js'

/** Reads looked up by one query. */
const MAX_KEYS = 5_000

/** The latest text of a read, and all the texts that it has had. */
interface ReadTexts {
  text: string
  version: number
  ts: number
  texts: Set<string>
}

/**
 * The votes of a pass may settle on another text after its read was stored. `reads` keeps the highest version of a
 * read; the index by plate has a row for each text, and outdated rows must be marked. Only the store knows which they
 * are: an engine that died may have written versions that its successor has never seen. Reads that can have only one
 * version are not looked up: most reads of cameras that recognize plates themselves.
 *
 * Call it before the reads are written: afterwards a merge may have removed the older version.
 * @param reads about to be written; may contain several versions of one read
 */
export async function plateTombstones(
  client: ClickHouseClient,
  database: string,
  reads: readonly StoredRead[],
): Promise<PlateTombstone[]> {
  const byRead = new Map<string, ReadTexts>()
  const add = (readId: string, text: string, version: number, ts: number) => {
    const read = byRead.get(readId)
    if (!read) return void byRead.set(readId, { text, version, ts, texts: new Set([text]) })
    read.texts.add(text)
    if (version >= read.version) {
      read.text = text
      read.version = version
    }
  }
  const changeable = reads.filter(({ only, ts }) => only !== true && Number.isSafeInteger(ts) && ts >= 0)
  if (changeable.length === 0) return []
  for (let first = 0; first < changeable.length; first += MAX_KEYS) {
    const some = changeable.slice(first, first + MAX_KEYS)
    const times = new Map(some.map(({ readId, ts }) => [readId, ts]))
    for (const { id, text, version } of await storedTexts(client, database, some))
      add(id, text, version, times.get(id)!)
  }
  for (const { readId, plate, version, ts } of changeable) add(readId, plate, version, ts)
  const tombstones: PlateTombstone[] = []
  for (const [readId, { text, version, ts, texts }] of byRead) {
    for (const plate of texts) if (plate !== text && plate !== '') tombstones.push({ plate, ts, readId, version })
  }
  return tombstones
}

async function storedTexts(
  client: ClickHouseClient,
  database: string,
  reads: readonly StoredRead[],
): Promise<{ id: string; text: string; version: number }[]> {
  const times = reads.map(({ ts }) => ts)
  const result = await client.query({
    // By the whole key, so that the store reads only the granules of these rows.
    query: `SELECT toString(read_id) AS id, plate AS text, max(version) AS version FROM ${database}.reads
      WHERE ts >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND ts <= fromUnixTimestamp64Milli({to:Int64}, 'UTC')
        AND (cell, ts, read_id) IN (
          SELECT arrayJoin(arrayZip({cells:Array(UInt32)},
            arrayMap(at -> fromUnixTimestamp64Milli(at, 'UTC'), {times:Array(Int64)}), {ids:Array(UInt64)})))
      GROUP BY read_id, plate`,
    query_params: {
      from: Math.min(...times),
      to: Math.max(...times),
      cells: reads.map(({ lat, lon }) => storedCellOf(lat, lon)),
      times: times.map(BigInt),
      ids: reads.map(({ readId }) => BigInt(readId)),
    },
    format: 'JSONEachRow',
    use_multipart_params_auto: true,
    clickhouse_settings: { max_threads: 1, priority: '1' },
  })
  return result.json()
}

/**
 * Repairs the index by plate of one week: an engine that wrote after another one had taken over its cameras may have
 * left a row that its successor could not see. A maintenance job for weeks that are over; running it again is harmless.
 * @param day Monday, `YYYY-MM-DD`
 */
export async function writePlateTombstones(client: ClickHouseClient, database: string, day: string): Promise<void> {
  const live = `${database}.reads_by_plate FINAL WHERE toMonday(ts) = {day:Date} AND NOT gone`
  const reads = `${database}.reads FINAL WHERE toMonday(ts) = {day:Date}`
  const suspects =
    `(SELECT read_id FROM ${live} GROUP BY read_id HAVING count() > 1 ` +
    `UNION ALL SELECT read_id FROM ${reads} AND plate = '')`
  await client.command({
    query: `INSERT INTO ${database}.reads_by_plate (plate, ts, read_id, version, gone)
      SELECT i.plate, i.ts, i.read_id, r.version, 1
      FROM (SELECT plate, ts, read_id FROM ${live} AND read_id IN ${suspects}) AS i
      INNER JOIN (SELECT plate, ts, read_id, version FROM ${reads} AND read_id IN ${suspects}) AS r
        ON i.read_id = r.read_id AND i.ts = r.ts
      WHERE i.plate != r.plate`,
    query_params: { day },
    clickhouse_settings: {
      max_execution_time: 3_600,
      do_not_merge_across_partitions_select_final: 1,
      max_bytes_before_external_group_by: '500000000',
    },
  })
}
