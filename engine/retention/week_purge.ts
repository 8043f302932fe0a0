import { DAY_MS } from '../model/time.js'
import type { ClickHouseClient } from '@clickhouse/client'
import { AlprError } from '../errors.js'
import { sleep } from '../runtime/backoff.js'
import { checkDatabaseName, onCluster, SINGLE, storedName, type Form } from '../store/ddl.js'
import { queryRows } from '../store/query_rows.js'
import { READS } from '../store/tables.js'
import { partitionOf, WEEK_MS } from '../store/week.js'
import { latestPurgeStep, recordPurgeStep, type PurgeProof } from './purge_proofs.js'

export interface PurgeOptions {
  who: string
  reason: string
  /** Days that reads are kept at least (RET-1); a week is purged only when all of it is older. */
  keepDays: number
  /** Wall clock, ms. */
  now?: number
  /**
   * Between the announcement and the deletion, ms: running queries must end, and every canvass service must learn of
   * the purge.
   */
  waitMs?: number
  /** Of the schema. @default one node */
  form?: Form
}

/** Queries run 30 s at most, and a canvass service knows of a purge after 2 s. */
const WAIT_MS = 35_000
const COLUMNS = READS.map(({ name }) => name).join(', ')
const OF_WEEK = 'toMonday(ts) = {day:Date}'

/**
 * Purges one whole week (RET-2) and keeps the reads that are under hold. The week is announced with its counts, then
 * deleted, then shown to be gone. Each step can be interrupted and the purge run again.
 * @param week Monday, ms
 * @throws ALPR_ERR_RETENTION_BELOW_MINIMUM for a week that must still be kept, ALPR_ERR_PURGE_UNPROVEN when a held read
 * would be lost, or when reads of the week keep arriving
 */
export async function purgeWeek(
  client: ClickHouseClient,
  database: string,
  week: number,
  options: PurgeOptions,
): Promise<PurgeProof> {
  const db = checkDatabaseName(database)
  const day = partitionOf(week)
  const { who, reason, keepDays, now = Date.now(), waitMs = WAIT_MS, form = SINGLE } = options
  if (week + WEEK_MS + keepDays * DAY_MS > now)
    throw new AlprError('ALPR_ERR_RETENTION_BELOW_MINIMUM', { week: day, limit: keepDays })

  await updateHeldReads(client, db, day)
  const reads = await countAndDigest(client, `${db}.reads FINAL WHERE ${OF_WEEK}`, day)
  const held = await countAndDigest(client, `${db}.reads_held FINAL WHERE ${OF_WEEK}`, day)
  const step = await latestPurgeStep(client, db, day)
  if (step === undefined) await proveHeldReads(client, db, day, held)
  const interrupted = step?.state === 'begun' ? step : undefined
  const proof: PurgeProof = {
    week,
    who,
    reason,
    readsBefore: Number(interrupted?.reads_before ?? reads.n),
    readsHeld: Number(held.n),
    readsAfter: 0,
    digest: interrupted?.digest ?? reads.digest,
  }
  const version = (step?.version ?? 0) + (interrupted ? 0 : 1)
  await recordPurgeStep(client, db, proof, version, 'begun', now)
  await sleep(waitMs)

  await deleteWeek(client, db, day, form)
  proof.readsAfter = await rowsLeft(client, db, day)
  if (proof.readsAfter > 0)
    throw new AlprError('ALPR_ERR_PURGE_UNPROVEN', {
      week: day,
      reason: `${proof.readsAfter} rows are still there: reads of that week keep arriving`,
    })
  await recordPurgeStep(client, db, proof, version + 1, 'done', Date.now())
  return proof
}

/** Reads of the week that are under hold. */
const heldOf = (db: string): string =>
  `${db}.reads FINAL WHERE ${OF_WEEK} AND (cell, ts, read_id) IN ` +
  `(SELECT cell, ts, read_id FROM ${db}.reads_held WHERE ${OF_WEEK})`

/** Copies held reads again, in their latest version. */
const updateHeldReads = (client: ClickHouseClient, db: string, day: string): Promise<void> =>
  run(client, `INSERT INTO ${db}.reads_held (${COLUMNS}) SELECT ${COLUMNS} FROM ${heldOf(db)}`, { day })

/** @throws ALPR_ERR_PURGE_UNPROVEN unless each held read equals the one of the week */
async function proveHeldReads(client: ClickHouseClient, db: string, day: string, held: CountAndDigest): Promise<void> {
  const same = await countAndDigest(client, heldOf(db), day)
  if (same.n !== held.n || same.digest !== held.digest)
    throw new AlprError('ALPR_ERR_PURGE_UNPROVEN', {
      week: day,
      reason: `${held.n} reads are held, but only ${same.n} of them equal the reads of the week`,
    })
}

interface CountAndDigest {
  n: string
  digest: string
}

async function countAndDigest(client: ClickHouseClient, from: string, day: string): Promise<CountAndDigest> {
  const [row] = await queryRows<CountAndDigest>(
    client,
    `SELECT count() AS n, toString(sumWithOverflow(cityHash64(read_id, version, plate))) AS digest FROM ${from}`,
    { day },
  )
  return row!
}

async function deleteWeek(client: ClickHouseClient, db: string, day: string, form: Form): Promise<void> {
  const alter = (table: string) => `ALTER TABLE ${db}.${storedName(table, form)}${onCluster(form)}`
  await run(client, `${alter('reads')} DROP PARTITION '${day}'`)
  await run(client, `${alter('camera_hour')} DROP PARTITION '${day}'`)
  // The index by plate is partitioned by quarter. Queries find held reads of purged weeks in `reads_held`.
  await run(client, `${alter('reads_by_plate')} DELETE WHERE toMonday(ts) = toDate('${day}')`)
  // Values, not subqueries: on a cluster each replica would evaluate them by itself, from its own rows.
  const [oldest] = await queryRows<{ ms: string }>(
    client,
    `SELECT toString(if(count() = 0, toUnixTimestamp64Milli(now64(3)), toUnixTimestamp64Milli(min(ts)))) AS ms ` +
      `FROM ${db}.reads`,
  )
  const past = "last < fromUnixTimestamp64Milli({oldest:Int64}, 'UTC')"
  const params = { oldest: Number(oldest!.ms) }
  const held = await queryRows<{ plate: string }>(
    client,
    `SELECT DISTINCT plate FROM ${db}.plates WHERE ${past} AND plate IN (SELECT plate FROM ${db}.reads_held)`,
    params,
  )
  await run(client, `${alter('plates')} DELETE WHERE ${past} AND plate NOT IN {held:Array(String)}`, {
    ...params,
    held: held.map(({ plate }) => plate),
  })
}

async function rowsLeft(client: ClickHouseClient, db: string, day: string): Promise<number> {
  const [row] = await queryRows<{ n: string }>(
    client,
    `SELECT (SELECT count() FROM ${db}.reads WHERE ${OF_WEEK}) + ` +
      `(SELECT count() FROM ${db}.reads_by_plate WHERE ${OF_WEEK}) AS n`,
    { day },
  )
  return Number(row!.n)
}

/** Runs a statement to its end: mutations are waited for on all replicas. */
async function run(client: ClickHouseClient, query: string, params: Record<string, unknown> = {}): Promise<void> {
  await client.command({
    query,
    query_params: params,
    clickhouse_settings: {
      max_execution_time: 3_600,
      do_not_merge_across_partitions_select_final: 1,
      mutations_sync: '2',
    },
  })
}
