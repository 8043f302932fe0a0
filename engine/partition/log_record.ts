import { constants, deflateRaw, inflateRaw } from 'node:zlib'
import { promisify } from 'node:util'
import type { JetStreamManager } from 'nats'
import type { DecidedHit } from '../hits/decided_hit.js'
import { findMessage } from '../nats/find_message.js'
import { TimeSlice } from '../runtime/time_slice.js'
import { pack, unpackBytes, type Packed } from './packed.js'
import { patchOf } from './patch.js'
import type { Position } from './position.js'

/** One message of a checkpoint log: packed, deflated. */
export interface LogRecord {
  /** Its place in its checkpoint, from 0; -1: decided hits, which may be between the records of a checkpoint. */
  part: number
  /** Decided hits. In a snapshot: those decided before it that no checkpoint contains. */
  hits?: Packed[]
  /** In a snapshot: the places of its hits. */
  places?: number[]
  /** In part 0: the checkpoint replaces everything before it. */
  snapshot?: true
  gone?: readonly string[]
  states: Record<string, Packed>
  /** In the place of a state, how it differs from the last one of its camera. */
  patches: Record<string, Packed>
  /** Only in the last record of a checkpoint. One without it never happened. */
  position?: Position
  /** Beside it: places of the decided hits that the checkpoint contains. */
  decided?: readonly number[]
}

/** Size of a record, bytes before compression. */
export const kRecordBytes = 524_288

const deflate = promisify(deflateRaw)
const inflate = promisify(inflateRaw)

/** A state, and the one that the log has before it. */
export interface Change {
  camera: string
  state: Packed
  old?: Packed
}

/** What the records of one checkpoint say. */
export interface Content {
  changes: readonly Change[]
  /** Decided hits that a snapshot carries, by place. */
  hits: readonly (readonly [place: number, hit: DecidedHit])[]
  /** What only the first record has. */
  head: Pick<LogRecord, 'snapshot' | 'gone'>
  /** What only the last one has. */
  last: Pick<LogRecord, 'position' | 'decided'>
}

/** Divides a checkpoint into records. @returns `bytes`: of states and hits */
export async function recordsOf({ changes, hits, head, last }: Content): Promise<{
  records: LogRecord[]
  bytes: number
}> {
  const open = (part: number): LogRecord => ({ part, ...(part === 0 && head), states: {}, patches: {} })
  const records = [open(0)]
  const slice = new TimeSlice()
  let bytes = 0
  let room = kRecordBytes
  const recordFor = (size: number): LogRecord => {
    if (room < size && room < kRecordBytes) {
      records.push(open(records.length))
      room = kRecordBytes
    }
    room -= size
    bytes += size
    return records.at(-1)!
  }
  for (const { camera, state, old } of changes) {
    const patch = old === undefined ? undefined : patchOf(old, state)
    const record = recordFor((patch ?? state).length)
    if (patch === undefined) record.states[camera] = state
    else record.patches[camera] = patch
    if (slice.isOver) await slice.next()
  }
  for (const [place, hit] of hits) {
    const packed = pack(hit)
    const record = recordFor(packed.length)
    ;(record.places ??= []).push(place)
    ;(record.hits ??= []).push(packed)
    if (slice.isOver) await slice.next()
  }
  Object.assign(records.at(-1)!, last)
  return { records, bytes }
}

export const deflated = (record: LogRecord): Promise<Uint8Array> =>
  deflate(Buffer.from(pack(record), 'latin1'), { level: constants.Z_BEST_SPEED })

/** @returns undefined when the stream has no such message */
export async function readRecord(
  manager: JetStreamManager,
  stream: string,
  seq: number,
): Promise<LogRecord | undefined> {
  const found = await findMessage(manager, stream, { seq })
  return found && (unpackBytes(await inflate(found.data)) as LogRecord)
}
