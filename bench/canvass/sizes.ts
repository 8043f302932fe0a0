import type { ClickHouseClient } from '../../engine/mod.js'
import { tenths } from '../report/statistics.js'
import { rowsOf } from '../system/ledger.js'

/** Bytes on disk per read, by table; `all` is the sum. */
export async function bytesPerRead(client: ClickHouseClient, database: string): Promise<Record<string, number>> {
  const rows = await rowsOf<{ table: string; bytes: string }>(
    client,
    `SELECT table, sum(bytes_on_disk) AS bytes FROM system.parts
     WHERE active AND database = '${database}' GROUP BY table`,
  )
  const [row] = await rowsOf<{ n: string }>(client, `SELECT count() AS n FROM ${database}.reads`)
  const reads = Number(row!.n)
  const tables = rows
    .map(({ table, bytes }) => [table, tenths(Number(bytes) / reads)] as const)
    .filter(([, bytes]) => bytes > 0)
  const all = tenths(rows.reduce((sum, { bytes }) => sum + Number(bytes), 0) / reads)
  return { ...Object.fromEntries(tables), all }
}
