import type { ClickHouseClient } from '@clickhouse/client'
import { AlprError } from '../errors.js'
import { writePlateTombstones } from './plate_tombstones.js'
import { checkDatabaseName } from './ddl.js'
import { rollupColumns, rollupSelect } from './rollups.js'
import { partitionOf, rowsOf } from './week.js'

export interface RollupState {
  /** Monday, ms. */
  week: number
  /** Reads of the week, and what its rollup says; they differ when reads were stored again in better versions. */
  reads: number
  counted: number
  sealed: boolean
}

/** What `camera_hour` says of each week beside what is true. */
export async function checkRollups(client: ClickHouseClient, database: string): Promise<RollupState[]> {
  const db = checkDatabaseName(database)
  const rows = await rowsOf<{ day: number; n: number; m: number; sealed: number }>(
    client,
    `
    SELECT day, toUInt32(sum(n)) AS n, toUInt32(sum(m)) AS m, max(s) AS sealed FROM (
      SELECT toUInt32(toMonday(ts)) AS day, count() AS n, 0 AS m, 0 AS s FROM ${db}.reads FINAL GROUP BY day
      UNION ALL SELECT toUInt32(toMonday(hour)) AS day, 0, sum(reads), 0 FROM ${db}.camera_hour GROUP BY day
      UNION ALL SELECT toUInt32(week) AS day, 0, 0, 1 FROM ${db}.rollup_seals
    ) GROUP BY day ORDER BY day`,
  )
  return rows.map(({ day, n, m, sealed }) => ({ week: day * 86_400_000, reads: n, counted: m, sealed: sealed === 1 }))
}

/**
 * Puts the index by plate of one week right, makes its rollup anew from `reads FINAL` and seals it: questions about
 * whole sealed weeks are then answered from it. The week is built aside and put in place at once, so that nobody sees
 * half of it; when reads of the week arrived meanwhile it is built again. For weeks that are over: a sealed week to
 * which reads are added late stays right (the view counts them), one whose reads are stored again does not, and the
 * next check shows it.
 * @returns reads in it. @throws ALPR_ERR_STORE_UNAVAILABLE when the week does not come to rest
 */
export async function sealWeek(client: ClickHouseClient, database: string, week: number): Promise<number> {
  const db = checkDatabaseName(database)
  const day = partitionOf(week)
  const run = (query: string, query_params: Record<string, unknown> = {}) =>
    client.command({
      query,
      query_params,
      clickhouse_settings: { max_execution_time: 3_600, do_not_merge_across_partitions_select_final: 1 },
    })
  const count = async () =>
    Number(
      (
        await rowsOf<{ n: string }>(
          client,
          `SELECT count() AS n FROM ${db}.reads FINAL WHERE toMonday(ts) = {day:Date}`,
          { day },
        )
      )[0]!.n,
    )
  await writePlateTombstones(client, db, day)
  await run(`CREATE TABLE IF NOT EXISTS ${db}.camera_hour_build AS ${db}.camera_hour`)
  for (let attempt = 0; attempt < 5; attempt++) {
    const before = await count()
    await run(`TRUNCATE TABLE ${db}.camera_hour_build`)
    await run(
      `INSERT INTO ${db}.camera_hour_build (${rollupColumns('camera_hour').join(', ')}) ${rollupSelect(db, 'camera_hour', 'reads FINAL', 'toMonday(ts) = {day:Date}')}`,
      { day },
    )
    await run(`ALTER TABLE ${db}.camera_hour REPLACE PARTITION '${day}' FROM ${db}.camera_hour_build`)
    const [made] = await rowsOf<{ n: string }>(
      client,
      `SELECT sum(reads) AS n FROM ${db}.camera_hour WHERE toMonday(hour) = {day:Date}`,
      { day },
    )
    if (Number(made?.n ?? 0) !== before || before !== (await count())) continue
    await run(
      `INSERT INTO ${db}.rollup_seals (week, version, reads) SELECT {day:Date}, {version:UInt64}, {reads:UInt64}`,
      { day, version: Date.now(), reads: before },
    )
    await run(`TRUNCATE TABLE ${db}.camera_hour_build`)
    return before
  }
  throw new AlprError('ALPR_ERR_STORE_UNAVAILABLE', {
    url: database,
    reason: `reads of the week of ${day} keep arriving`,
  })
}
