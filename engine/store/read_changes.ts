import type { ClickHouseClient } from '@clickhouse/client'
import { storedCellOf } from '../geo/cell.js'
import type { LeftPlate, PlateTombstone, StoredRead } from './tables.js'

/** Reads looked up by one query. */
const MAX_KEYS = 5_000

/** What a batch of reads changes in what is counted and indexed by plate. */
export interface ReadChanges {
  /** For each read of the batch what its row adds to the rollups, see `COUNTS`. */
  counts: Uint8Array
  /** Plates that reads of the batch leave. */
  left: LeftPlate[]
  tombstones: PlateTombstone[]
}

/** A read as far as versions may change it. */
interface KnownRead {
  plate: string
  region: string
  version: number
  ts: number
  /** All texts that it has had. */
  texts: Set<string>
}

/**
 * A read is stored again in each better version: `reads` keeps the highest, but the rollups add up what is inserted,
 * and the index by plate has a row for each text. Only the store knows which versions are there: an engine that died
 * may have written some that its successor has never seen. Reads that can have only one version are not looked up: most
 * reads of cameras that recognize plates themselves.
 *
 * Call it before the reads are written: afterwards a merge may have removed the older version.
 * @param reads about to be written; may contain several versions of one read
 */
export async function changesOf(
  client: ClickHouseClient,
  database: string,
  reads: readonly StoredRead[],
): Promise<ReadChanges> {
  const changeable = reads.filter(isChangeable)
  const known = await knownReads(client, database, changeable)
  const counts = new Uint8Array(reads.length).fill(2)
  const left: LeftPlate[] = []
  for (const [index, read] of reads.entries()) {
    if (!isChangeable(read)) continue
    const { readId, plate, region, version, ts } = read
    const before = known.get(readId)
    if (before === undefined) {
      known.set(readId, { plate, region, version, ts, texts: new Set([plate]) })
      continue
    }
    before.texts.add(plate)
    const moves = version >= before.version && (plate !== before.plate || region !== before.region)
    counts[index] = moves ? 1 : 0
    if (moves && before.plate !== '') left.push({ plate: before.plate, region: before.region, ts })
    if (version >= before.version) Object.assign(before, { plate, region, version })
  }
  const tombstones = [...known].flatMap(([readId, { plate, version, ts, texts }]) =>
    [...texts].filter((text) => text !== plate && text !== '').map((text) => ({ plate: text, ts, readId, version })),
  )
  return { counts, left, tombstones }
}

const isChangeable = ({ only, ts }: StoredRead): boolean => only !== true && Number.isSafeInteger(ts) && ts >= 0

/** By id, those of the reads that the store has. */
async function knownReads(
  client: ClickHouseClient,
  database: string,
  reads: readonly StoredRead[],
): Promise<Map<string, KnownRead>> {
  const known = new Map<string, KnownRead>()
  for (let first = 0; first < reads.length; first += MAX_KEYS) {
    const some = reads.slice(first, first + MAX_KEYS)
    const times = new Map(some.map(({ readId, ts }) => [readId, ts]))
    for (const { id, text, state, latest: version } of await storedTexts(client, database, some)) {
      const read = known.get(id)
      if (!read) known.set(id, { plate: text, region: state, version, ts: times.get(id)!, texts: new Set([text]) })
      else {
        read.texts.add(text)
        if (version > read.version) Object.assign(read, { plate: text, region: state, version })
      }
    }
  }
  return known
}

async function storedTexts(
  client: ClickHouseClient,
  database: string,
  reads: readonly StoredRead[],
): Promise<{ id: string; text: string; state: string; latest: number }[]> {
  const times = reads.map(({ ts }) => ts)
  const result = await client.query({
    // By the whole key, so that the store reads only the granules of these rows.
    query: `SELECT toString(read_id) AS id, plate AS text, argMax(region, version) AS state, max(version) AS latest
      FROM ${database}.reads
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
