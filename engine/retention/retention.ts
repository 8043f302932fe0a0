import { setTimeout as pause } from 'node:timers/promises'
import type { ClickHouseClient } from '@clickhouse/client'
import { AlprError } from '../errors.js'
import { checkDatabaseName } from '../store/ddl.js'
import { READS } from '../store/tables.js'
import { partitionOf, rowsOf, WEEK_MS } from '../store/week.js'

/**
 * What a purge leaves behind: stored in table `purges`, told to the audit. Counts are of reads, duplicates taken out.
 */
export interface PurgeProof {
  /** Monday, ms. */
  week: number
  who: string
  reason: string
  readsBefore: number
  /** Kept, because they are under hold (RET-3). */
  readsHeld: number
  readsAfter: number
  /**
   * Sum (modulo 2^64) of the hashes of id, version and plate of all reads that the week had: whoever has a copy can
   * show that it was this one.
   */
  digest: string
}

export interface PurgeOptions {
  who: string
  reason: string
  /** Days that reads are kept at least (RET-1); a week is purged only when all of it is older. */
  keepDays: number
  /** Wall clock, ms. */
  now?: number
  /** Between the announcement and the deed, ms: questions that have begun must end, and desks must learn of it. */
  waitMs?: number
}

/** Questions run 30 s at most, and a desk knows of a purge after 2 s. */
const WAIT_MS = 35_000
const COLUMNS = READS.map(({ name }) => name).join(', ')

/**
 * Puts reads under hold: copies them to `reads_held`, which no purge touches. Doing it again is harmless.
 * @param reads ids with their times (ms), at most 100,000
 * @returns how many are held of those. @throws ALPR_ERR_NOT_FOUND when one is not there: a hold that misses a read must
 * not look like one
 */
export async function holdReads(
  client: ClickHouseClient,
  database: string,
  reads: readonly { readId: string; ts: number }[],
): Promise<number> {
  const db = checkDatabaseName(database)
  if (reads.length > 100_000)
    throw new AlprError('ALPR_ERR_REQUEST_INVALID', { reason: 'at most 100,000 reads at a time' })
  if (reads.length === 0) return 0
  // Of 64 bits, so bigints: the client would quote texts, and an array of numbers may hold none.
  const ids = [...new Set(reads.map(({ readId }) => BigInt(readId)))]
  const params = { ids, from: Math.min(...reads.map(({ ts }) => ts)), to: Math.max(...reads.map(({ ts }) => ts)) }
  const where =
    "read_id IN {ids:Array(UInt64)} AND ts >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND ts <= fromUnixTimestamp64Milli({to:Int64}, 'UTC')"
  await client.command({
    query: `INSERT INTO ${db}.reads_held (${COLUMNS}) SELECT ${COLUMNS} FROM ${db}.reads FINAL WHERE ${where}`,
    query_params: params,
  })
  const [held] = await rowsOf<{ n: string }>(
    client,
    `SELECT count() AS n FROM ${db}.reads_held FINAL WHERE ${where}`,
    params,
  )
  if (Number(held!.n) !== ids.length)
    throw new AlprError('ALPR_ERR_NOT_FOUND', { what: `${ids.length - Number(held!.n)} of ${ids.length} reads` })
  return ids.length
}

/**
 * Purges one whole week (RET-2) and keeps what is under hold. Each step can be cut short and the whole run again: the
 * week is announced with its counts, then dropped, then shown to be gone.
 * @throws ALPR_ERR_RETENTION_BELOW_MINIMUM for a week that must still be kept, ALPR_ERR_PURGE_UNPROVEN when a held read
 * would be lost
 */
export async function purgeWeek(
  client: ClickHouseClient,
  database: string,
  week: number,
  options: PurgeOptions,
): Promise<PurgeProof> {
  const db = checkDatabaseName(database)
  const day = partitionOf(week)
  const { who, reason, keepDays, now = Date.now(), waitMs = WAIT_MS } = options
  if (week + WEEK_MS + keepDays * 86_400_000 > now)
    throw new AlprError('ALPR_ERR_RETENTION_BELOW_MINIMUM', { week: day, limit: keepDays })
  const run = (query: string, query_params: Record<string, unknown> = {}) =>
    client.command({
      query,
      query_params,
      clickhouse_settings: {
        max_execution_time: 3_600,
        do_not_merge_across_partitions_select_final: 1,
        mutations_sync: '2',
      },
    })
  const ofWeek = 'toMonday(ts) = {day:Date}'

  // Held reads in their latest version, then the proof that each of them is there as it is in the week.
  await run(
    `INSERT INTO ${db}.reads_held (${COLUMNS}) SELECT ${COLUMNS} FROM ${db}.reads FINAL WHERE ${ofWeek} AND (cell, ts, read_id) IN (SELECT cell, ts, read_id FROM ${db}.reads_held WHERE ${ofWeek})`,
    { day },
  )
  const digest = 'toString(sumWithOverflow(cityHash64(read_id, version, plate))) AS digest'
  const [whole] = await rowsOf<{ n: string; digest: string }>(
    client,
    `SELECT count() AS n, ${digest} FROM ${db}.reads FINAL WHERE ${ofWeek}`,
    { day },
  )
  const [held] = await rowsOf<{ n: string; digest: string }>(
    client,
    `SELECT count() AS n, ${digest} FROM ${db}.reads_held FINAL WHERE ${ofWeek}`,
    { day },
  )
  const [told] = await rowsOf<{ state: string; version: number; reads_before: string; digest: string }>(
    client,
    `SELECT state, version, reads_before, toString(digest) AS digest FROM ${db}.purges FINAL WHERE week = {day:Date}`,
    { day },
  )
  if (told === undefined || told.state === 'done') {
    const [both] = await rowsOf<{ n: string; digest: string }>(
      client,
      `SELECT count() AS n, ${digest} FROM ${db}.reads FINAL WHERE ${ofWeek} AND (cell, ts, read_id) IN (SELECT cell, ts, read_id FROM ${db}.reads_held WHERE ${ofWeek})`,
      { day },
    )
    if (told === undefined && (both!.n !== held!.n || both!.digest !== held!.digest))
      throw new AlprError('ALPR_ERR_PURGE_UNPROVEN', {
        week: day,
        reason: `${held!.n} reads are held, ${both!.n} of them are in the week as they are held`,
      })
  }
  const unfinished = told?.state === 'begun'
  const proof: PurgeProof = {
    week,
    who,
    reason,
    readsBefore: Number(unfinished ? told.reads_before : whole!.n),
    readsHeld: Number(held!.n),
    readsAfter: 0,
    digest: unfinished ? told.digest : whole!.digest,
  }
  const version = (told?.version ?? 0) + (unfinished ? 0 : 1)
  await tell(client, db, proof, version, 'begun', now)
  await pause(waitMs)

  await run(`ALTER TABLE ${db}.reads DROP PARTITION '${day}'`)
  await run(`ALTER TABLE ${db}.camera_hour DROP PARTITION '${day}'`)
  // The index by plate goes by quarters. Held reads of purged weeks are asked for where they are held.
  await run(`ALTER TABLE ${db}.reads_by_plate DELETE WHERE toMonday(ts) = toDate('${day}')`)
  await run(
    `ALTER TABLE ${db}.plates DELETE WHERE last < (SELECT if(count() = 0, now64(3), min(ts)) FROM ${db}.reads) AND plate NOT IN (SELECT plate FROM ${db}.reads_held)`,
  )
  const [after] = await rowsOf<{ n: string }>(
    client,
    `SELECT (SELECT count() FROM ${db}.reads WHERE ${ofWeek}) + (SELECT count() FROM ${db}.reads_by_plate WHERE ${ofWeek}) AS n`,
    { day },
  )
  proof.readsAfter = Number(after!.n)
  if (proof.readsAfter > 0)
    throw new AlprError('ALPR_ERR_PURGE_UNPROVEN', {
      week: day,
      reason: `${proof.readsAfter} rows are still there: reads of that week arrive`,
    })
  await tell(client, db, proof, version + 1, 'done', Date.now())
  return proof
}

/** All proofs, oldest week first. */
export async function purgeProofs(
  client: ClickHouseClient,
  database: string,
): Promise<(PurgeProof & { state: string; at: string })[]> {
  const rows = await rowsOf<{
    day: number
    state: string
    who: string
    reason: string
    reads_before: string
    held: string
    reads_after: string
    digest: string
    at: string
  }>(
    client,
    `
    SELECT toUInt32(week) AS day, state, who, reason, reads_before, reads_held AS held, reads_after, toString(digest) AS digest, at FROM ${checkDatabaseName(database)}.purges FINAL ORDER BY week`,
  )
  return rows.map((row) => ({
    week: row.day * 86_400_000,
    who: row.who,
    reason: row.reason,
    readsBefore: Number(row.reads_before),
    readsHeld: Number(row.held),
    readsAfter: Number(row.reads_after),
    digest: row.digest,
    state: row.state,
    at: row.at,
  }))
}

async function tell(
  client: ClickHouseClient,
  db: string,
  proof: PurgeProof,
  version: number,
  state: 'begun' | 'done',
  at: number,
): Promise<void> {
  await client.command({
    query: `INSERT INTO ${db}.purges (week, version, state, who, reason, reads_before, reads_held, reads_after, digest, at)
      SELECT {day:Date}, {version:UInt32}, {state:String}, {who:String}, {reason:String}, {before:UInt64}, {held:UInt64}, {after:UInt64}, {digest:UInt64}, fromUnixTimestamp64Milli({at:Int64}, 'UTC')`,
    query_params: {
      day: partitionOf(proof.week),
      version,
      state,
      who: proof.who,
      reason: proof.reason,
      before: proof.readsBefore,
      held: proof.readsHeld,
      after: proof.readsAfter,
      digest: proof.digest,
      at,
    },
  })
}
