import type { ClickHouseClient } from '@clickhouse/client'
import { AlprError } from '../errors.js'
import { leastOf, mostOf } from '../runtime/extremes.js'
import { checkDatabaseName } from '../store/ddl.js'
import { queryRows } from '../store/query_rows.js'
import { READS } from '../store/tables.js'

const MAX_READS = 100_000
const COLUMNS = READS.map(({ name }) => name).join(', ')

/**
 * Puts reads under hold: copies them to `reads_held`, which no purge touches. Holding a read twice is harmless.
 * @param reads ids with their times (ms), at most 100,000
 * @returns how many of these are held
 * @throws ALPR_ERR_NOT_FOUND when a read does not exist: an incomplete hold must not look like a complete one
 */
export async function holdReads(
  client: ClickHouseClient,
  database: string,
  reads: readonly { readId: string; ts: number }[],
): Promise<number> {
  const db = checkDatabaseName(database)
  if (reads.length > MAX_READS)
    throw new AlprError('ALPR_ERR_REQUEST_INVALID', { reason: 'at most 100,000 reads at a time' })
  if (reads.length === 0) return 0
  // 64 bits, so bigints: the client would quote texts, and Array(UInt64) takes no quoted numbers.
  const ids = [...new Set(reads.map(({ readId }) => BigInt(readId)))]
  const times = reads.map(({ ts }) => ts)
  const params = { ids, from: leastOf(times), to: mostOf(times) }
  const where =
    "read_id IN {ids:Array(UInt64)} AND ts >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') " +
    "AND ts <= fromUnixTimestamp64Milli({to:Int64}, 'UTC')"
  await client.command({
    query: `INSERT INTO ${db}.reads_held (${COLUMNS}) SELECT ${COLUMNS} FROM ${db}.reads FINAL WHERE ${where}`,
    query_params: params,
  })
  const [held] = await queryRows<{ n: string }>(
    client,
    `SELECT count() AS n FROM ${db}.reads_held FINAL WHERE ${where}`,
    params,
  )
  const missing = ids.length - Number(held!.n)
  if (missing !== 0) throw new AlprError('ALPR_ERR_NOT_FOUND', { what: `${missing} of ${ids.length} reads` })
  return ids.length
}
