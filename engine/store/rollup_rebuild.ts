import type { ClickHouseClient } from '@clickhouse/client'
import { AlprError } from '../errors.js'
import { DAY_MS } from '../model/time.js'
import { checkDatabaseName, onCluster, SINGLE, storedName, type Form } from './ddl.js'
import { writePlateTombstones } from './plate_tombstones.js'
import { queryRows } from './query_rows.js'
import { createRollup, rollupColumns, rollupSelect } from './rollups.js'
import { partitionOf } from './week.js'

export interface RollupState {
  /** Monday, ms. */
  week: number
  /** Reads of the week. */
  reads: number
  /** Reads that its rollup counts. */
  counted: number
  sealed: boolean
}

/** Compares `camera_hour` with the stored reads, week by week. */
export async function checkRollups(client: ClickHouseClient, database: string): Promise<RollupState[]> {
  const db = checkDatabaseName(database)
  const rows = await queryRows<{ day: number; n: number; m: number; sealed: number }>(
    client,
    `
    SELECT day, toUInt32(sum(n)) AS n, toUInt32(sum(m)) AS m, max(s) AS sealed FROM (
      SELECT toUInt32(toMonday(ts)) AS day, count() AS n, 0 AS m, 0 AS s FROM ${db}.reads FINAL GROUP BY day
      UNION ALL SELECT toUInt32(toMonday(hour)) AS day, 0, sum(reads), 0 FROM ${db}.camera_hour GROUP BY day
      UNION ALL SELECT toUInt32(week) AS day, 0, 0, 1 FROM ${db}.rollup_seals
    ) GROUP BY day ORDER BY day`,
  )
  return rows.map(({ day, n, m, sealed }) => ({ week: day * DAY_MS, reads: n, counted: m, sealed: sealed === 1 }))
}

/** Rebuilds of one week before the job gives up. */
const MAX_ATTEMPTS = 5

/**
 * Repairs the index by plate of one week, rebuilds its rollup from `reads FINAL` and seals it: queries about whole
 * sealed weeks are then answered from the rollup. The week is built in a table aside and swapped in at once, so that no
 * query sees half of it; when reads of the week arrive meanwhile it is built again. For weeks that are over: a sealed
 * week counts reads that are added late too; of reads that are stored again its averages keep the earlier version.
 * @returns reads of the week
 * @throws ALPR_ERR_STORE_UNAVAILABLE when reads of the week keep arriving
 */
export async function sealWeek(
  client: ClickHouseClient,
  database: string,
  week: number,
  form: Form = SINGLE,
): Promise<number> {
  const db = checkDatabaseName(database)
  const day = partitionOf(week)
  const run = (query: string, query_params: Record<string, unknown> = {}) =>
    client.command({
      query,
      query_params,
      clickhouse_settings: { max_execution_time: 3_600, do_not_merge_across_partitions_select_final: 1 },
    })
  const countOf = async (query: string): Promise<number> => {
    const [row] = await queryRows<{ n: string }>(client, query, { day })
    return Number(row?.n ?? 0)
  }
  const countReads = () => countOf(`SELECT count() AS n FROM ${db}.reads FINAL WHERE toMonday(ts) = {day:Date}`)
  await writePlateTombstones(client, db, day)
  const stored = `${db}.${storedName('camera_hour', form)}`
  const build = `${db}.${storedName('camera_hour_build', form)}`
  const on = onCluster(form)
  const empty = () => run(`TRUNCATE TABLE ${build}${on}`)
  for (const statement of createRollup(db, 'camera_hour', form, 'camera_hour_build')) await run(statement)
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const before = await countReads()
    await empty()
    await run(
      `INSERT INTO ${db}.camera_hour_build (${rollupColumns('camera_hour').join(', ')}) ` +
        rollupSelect('camera_hour', `${db}.reads FINAL`, 'toMonday(ts) = {day:Date}'),
      { day },
    )
    // The replica that replaces the partition must have all of the new one.
    if (form.kind === 'cluster') await run(`SYSTEM SYNC REPLICA${on} ${build}`)
    await run(`ALTER TABLE ${stored}${on} REPLACE PARTITION '${day}' FROM ${build}`)
    const counted = await countOf(`SELECT sum(reads) AS n FROM ${db}.camera_hour WHERE toMonday(hour) = {day:Date}`)
    if (counted !== before || before !== (await countReads())) continue
    await run(
      `INSERT INTO ${db}.rollup_seals (week, version, reads) SELECT {day:Date}, {version:UInt64}, {reads:UInt64}`,
      { day, version: Date.now(), reads: before },
    )
    await empty()
    return before
  }
  throw new AlprError('ALPR_ERR_STORE_UNAVAILABLE', {
    url: database,
    reason: `reads of the week of ${day} keep arriving`,
  })
}
