import { DAY_MS } from '../model/time.js'
import type { ClickHouseClient } from '@clickhouse/client'
import { checkDatabaseName } from '../store/ddl.js'
import { queryRows } from '../store/query_rows.js'
import { partitionOf } from '../store/week.js'

/** The record of a purge, in table `purges` and for the audit. Counts are of reads, without duplicates. */
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
   * Sum (modulo 2^64) of the hashes of id, version and plate of all reads of the week: it shows whether a copy of the
   * week is the one that was purged.
   */
  digest: string
}

/** Announced (`begun`): the week's reads answer no more. Completed: `done`. */
export type PurgeState = 'begun' | 'done'

/** All proofs, oldest week first. */
export async function purgeProofs(
  client: ClickHouseClient,
  database: string,
): Promise<(PurgeProof & { state: string; at: string })[]> {
  const rows = await queryRows<{
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
    SELECT toUInt32(week) AS day, state, who, reason, reads_before, reads_held AS held, reads_after,
      toString(digest) AS digest, at
    FROM ${checkDatabaseName(database)}.purges FINAL ORDER BY week`,
  )
  return rows.map((row) => ({
    week: row.day * DAY_MS,
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

/** The latest step of a week's purge; undefined before the first. @param day Monday, `YYYY-MM-DD` */
export async function latestPurgeStep(client: ClickHouseClient, db: string, day: string) {
  const [step] = await queryRows<{ state: PurgeState; version: number; reads_before: string; digest: string }>(
    client,
    `SELECT state, version, reads_before, toString(digest) AS digest FROM ${db}.purges FINAL WHERE week = {day:Date}`,
    { day },
  )
  return step
}

/** Records a step of a purge. @param version higher than that of the previous step @param at wall clock, ms */
export async function recordPurgeStep(
  client: ClickHouseClient,
  db: string,
  proof: PurgeProof,
  version: number,
  state: PurgeState,
  at: number,
): Promise<void> {
  await client.command({
    query: `INSERT INTO ${db}.purges
        (week, version, state, who, reason, reads_before, reads_held, reads_after, digest, at)
      SELECT {day:Date}, {version:UInt32}, {state:String}, {who:String}, {reason:String}, {before:UInt64},
        {held:UInt64}, {after:UInt64}, {digest:UInt64}, fromUnixTimestamp64Milli({at:Int64}, 'UTC')`,
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
