import type { JetStreamManager, KV, StreamInfo } from 'nats'
import { isWrongLastSequence } from '../nats/errors.js'
import { countFrom } from '../nats/count_messages.js'
import { EARLIER_RELEASE, EPOCH_KEY, streamOf, subjectsOfCamera, type Partition } from '../nats/topology.js'
import { epochOf } from '../model/read_id.js'
import { isOther, timeOf } from './message_time.js'
import type { BehindPosition, Position, StreamIdentity } from './position.js'

/** Where a partition continues. */
export interface Start {
  /** Every message up to this one is done. */
  committed: number
  committedAt?: number
  stream: StreamIdentity
  behind: BehindPosition[]
  /** Why the sequences of the last checkpoint mean nothing any more; undefined: they are valid. */
  changed?: string
  /** Messages that were removed from the stream although nobody had processed them. */
  removedUnread: number
}

/**
 * Compares the last checkpoint with the stream as it is now. A stream may have been deleted and recreated, or set back:
 * after a power failure, or when it was restored, it lacks its last messages, and its next ones get sequences that were
 * used before. Then the remembered sequences are void, and the messages that arrived after the last one committed are
 * new. (A server whose clock was set back at the same time would hide new messages among the old ones.)
 */
export async function findStart(
  manager: JetStreamManager,
  bucket: KV,
  partition: Partition,
  position: Position | undefined,
): Promise<Start> {
  const info = await manager.streams.info(streamOf(partition))
  const changed = position && (await changeOf(manager, info, position))
  if (!position || changed) {
    const epoch = partition.count === EARLIER_RELEASE ? epochOf(info.created) : await nextEpoch(bucket)
    const stream = { created: info.created, epoch }
    const start = { stream, changed: changed?.reason, removedUnread: 0 }
    if (!position) return { ...start, committed: Math.max(0, info.state.first_seq - 1), behind: [] }
    // Messages older than their stream were restored with it, from a snapshot (nats-server 2.15 gives it a new creation
    // time); all others of a stream that was recreated are new, even if the server's clock was wrong then.
    const limit = changed!.isRecreated ? Date.parse(info.created) - 1 : Infinity
    // Later ones of the same millisecond are not done. What is left of the stream keeps its sequences.
    const lastAt = async (seq: number, time = -Infinity) =>
      Math.min(seq, await lastUpTo(manager, info, Math.min(time, limit)))
    const behind: BehindPosition[] = []
    for (const { camera, done, doneAt } of position.behind ?? [])
      behind.push({ camera, done: await lastAt(done, doneAt), doneAt })
    return { ...start, committed: await lastAt(position.committed, position.committedAt), behind }
  }
  const { committed, committedAt, stream, behind = [] } = position
  const removed = Math.max(0, info.state.first_seq - committed - 1)
  let removedUnread = removed
  for (const camera of behind)
    if (info.state.first_seq > camera.done + 1) removedUnread += await removedOf(manager, partition, camera, committed)
  return {
    committed: committed + removed,
    committedAt: removed > 0 ? undefined : committedAt,
    stream,
    behind,
    removedUnread,
  }
}

/**
 * How many messages of a camera that is behind were removed unread: those before its oldest one may be gone because
 * they were done.
 */
async function removedOf(
  manager: JetStreamManager,
  partition: Partition,
  { camera, done, waiting = 0 }: BehindPosition,
  committed: number,
): Promise<number> {
  let found = 0
  for (const subject of subjectsOfCamera(partition, camera)) {
    const [all, later] = await Promise.all(
      [done, committed].map((seq) => countFrom(manager, streamOf(partition), seq + 1, subject)),
    )
    found += all! - later!
  }
  return Math.max(0, waiting - found)
}

async function changeOf(
  manager: JetStreamManager,
  info: StreamInfo,
  { committed, committedAt, stream }: Position,
): Promise<{ reason: string; isRecreated: boolean } | undefined> {
  if (info.created !== stream.created) return { reason: 'was recreated', isRecreated: true }
  if (info.state.last_seq < committed) return { reason: 'was set back', isRecreated: false }
  const isSetBack = await isOther(manager, info.config.name, committed, committedAt)
  return isSetBack ? { reason: 'was set back', isRecreated: false } : undefined
}

/** The last message that arrived at or before `time`, by the server's clock. @returns its sequence */
async function lastUpTo(manager: JetStreamManager, { config, state }: StreamInfo, time: number): Promise<number> {
  if (state.messages === 0) return state.last_seq
  let low = state.first_seq - 1
  let high = state.last_seq + 1
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    const at = await timeOf(manager, config.name, middle)
    if (at !== undefined && at > time) high = middle
    else low = middle
  }
  return low
}

/** An epoch that nothing else has or ever will have. */
export async function nextEpoch(bucket: KV): Promise<number> {
  for (;;) {
    const entry = await bucket.get(EPOCH_KEY)
    const last = entry?.operation === 'PUT' ? Number(entry.string()) : 0
    const epoch = Math.max(epochOf(new Date().toISOString()), last + 1)
    try {
      await bucket.put(EPOCH_KEY, String(epoch), { previousSeq: entry?.revision ?? 0 })
      return epoch
    } catch (error) {
      if (!isWrongLastSequence(error)) throw error
    }
  }
}
