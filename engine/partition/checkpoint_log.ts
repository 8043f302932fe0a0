import { constants, deflateRaw, inflateRaw } from 'node:zlib'
import { promisify } from 'node:util'
import type { JetStreamClient, JetStreamManager } from 'nats'
import { AlprError, codeOf } from '../errors.js'
import type { DecidedHit } from '../hits/decided_hit.js'
import { isWrongLastSequence } from '../nats/errors.js'
import { findMessage } from '../nats/find_message.js'
import { partitionName, stateStreamOf, stateSubjectOf, type Partition } from '../nats/topology.js'
import { Semaphore } from '../runtime/semaphore.js'
import { TimeSlice } from '../runtime/time_slice.js'
import { pack, unpackBytes, type Packed } from './packed.js'
import { patched, patchOf } from './patch.js'
import type { Position } from './position.js'

/** What one checkpoint changes. */
export interface Checkpoint {
  position: Position
  /** Cameras whose state changed (`saveState`). */
  states: readonly (readonly [camera: string, state: Packed])[]
  /** Cameras whose state is dropped. */
  gone?: readonly string[]
  /** Places of the decided hits that it contains. */
  decided?: readonly number[]
}

/** One message of the log: packed, deflated. */
interface LogRecord {
  /** Its place in its checkpoint, from 0; -1: a decided hit, which may be between the records of a checkpoint. */
  part: number
  hit?: DecidedHit
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
const kRecordBytes = 524_288
/** Records that are read at the same time. */
const kReadAhead = 8
/** A snapshot is due when the log has grown by this many times the size of the last one, and by at least kLeastLog. */
const kGrowth = 4
const kLeastLog = 1_048_576

const deflate = promisify(deflateRaw)
const inflate = promisify(inflateRaw)

/**
 * The checkpoints of one partition: a stream of its own, in which each checkpoint is one append.
 *
 *     [ snapshot: all cameras, position ] [ cameras of an epoch, position ] [ decided hit ] [ ... ] [ ... ]
 *
 * A checkpoint is the changes of the cameras' states and the position of the partition, together: either both are
 * durable or neither. A large one is split; it counts once its last record is there. From time to time one contains all
 * cameras, and what is before it is deleted. A hit is noted before it is published; a later checkpoint contains it.
 *
 * Every append names the sequence it expects before it (compare-and-set). Whoever opens the log appends first: from
 * then on, the previous owner is refused (ALPR_ERR_STATE_FENCED).
 */
export class CheckpointLog {
  /** The state of every camera: what a snapshot contains. */
  readonly cameras = new Map<string, Packed>()
  position: Position | undefined
  /** Decided hits that no checkpoint contains, by place, in order. */
  readonly decided = new Map<number, DecidedHit>()
  private lastSeq = 0
  private firstSeq = 1
  private readonly appending = new Semaphore(1)
  /** The last append failed: its record may be on the log. */
  private failed: Uint8Array | undefined
  /** Of the records that were appended. */
  private readonly sequences = new WeakMap<Uint8Array, number>()
  /** Bytes written by this owner. */
  bytesWritten = 0
  /** Size of the last snapshot, and of all records since, bytes before compression. */
  private snapshotBytes = 0
  private grown = 0

  private constructor(
    private readonly js: JetStreamClient,
    private readonly manager: JetStreamManager,
    readonly partition: Partition,
  ) {}

  /** Reads the log. @throws when NATS does not answer, or when the log changes meanwhile */
  static async open(js: JetStreamClient, manager: JetStreamManager, partition: Partition): Promise<CheckpointLog> {
    const log = new CheckpointLog(js, manager, partition)
    await log.read()
    return log
  }

  /**
   * The position of a partition, whoever owns it.
   * @returns undefined when it has no checkpoint yet
   */
  static async positionOf(manager: JetStreamManager, partition: Partition): Promise<Position | undefined> {
    const stream = stateStreamOf(partition)
    const { state } = await manager.streams.info(stream)
    // A checkpoint that was cut short has no position: the one before it counts.
    for (let seq = state.last_seq; seq >= state.first_seq && seq > 0; seq--) {
      const record = await readRecord(manager, stream, seq)
      if (record?.position) return record.position
    }
    return undefined
  }

  /** Whether the next checkpoint should be a snapshot. */
  get snapshotDue(): boolean {
    return this.position === undefined || this.grown > Math.max(kLeastLog, kGrowth * this.snapshotBytes)
  }

  /**
   * Makes a checkpoint that can be written in several attempts: a failed `write` may be called again.
   * @param snapshot write all cameras, not only the changed ones
   */
  prepare(checkpoint: Checkpoint, snapshot = this.snapshotDue): { write(): Promise<void> } {
    const { position, gone = [], decided = [] } = checkpoint
    const states = new Map(checkpoint.states)
    const changes: Change[] = []
    for (const [camera, state] of states) {
      if (!snapshot) changes.push({ camera, state, old: this.cameras.get(camera) })
      this.cameras.set(camera, state)
    }
    for (const camera of gone) this.cameras.delete(camera)
    if (snapshot) for (const [camera, state] of this.cameras) changes.push({ camera, state })
    let made: { records: LogRecord[]; bytes: number } | undefined
    let first = 0
    let written = 0
    let data: Uint8Array | undefined
    return {
      write: async () => {
        const { records, bytes } = (made ??= await recordsOf(
          changes,
          { position, decided },
          snapshot ? { snapshot } : { gone },
        ))
        // Deflated one by one: the states of 100,000 cameras are some 100 MB.
        for (; written < records.length; written++) {
          data ??= await deflated(records[written]!)
          const seq = await this.append(data)
          this.bytesWritten += data.length
          if (written === 0) first = seq
          data = undefined
        }
        this.position = position
        for (const place of decided) this.decided.delete(place)
        if (!snapshot) this.grown += bytes
        else await this.dropBefore(first, bytes)
      },
    }
  }

  /**
   * Notes a decided hit, in several attempts if need be. @returns `write` its place: a later checkpoint names it
   */
  async prepareHit(hit: DecidedHit): Promise<{ write(): Promise<number> }> {
    const record = await deflated({ part: -1, hit, states: {}, patches: {} })
    return {
      write: async () => {
        const place = await this.append(record)
        this.decided.set(place, hit)
        return place
      },
    }
  }

  /** Deletes what a snapshot replaces. A failure costs space only: the next snapshot makes up for it. */
  private async dropBefore(first: number, bytes: number): Promise<void> {
    this.snapshotBytes = bytes
    this.grown = 0
    let kept = first
    for (const place of this.decided.keys()) kept = Math.min(kept, place)
    // The server takes `seq: 1` for "everything".
    if (kept <= this.firstSeq) return
    await this.manager.streams.purge(stateStreamOf(this.partition), { seq: kept }).then(
      () => {
        this.firstSeq = kept
      },
      () => {},
    )
  }

  /**
   * Appends records one at a time; one that failed may be on the log, and comes before any other.
   * @returns its sequence
   */
  private append(record: Uint8Array): Promise<number> {
    return this.appending.run(async () => {
      if (this.failed && this.failed !== record) await this.send(this.failed)
      return this.sequences.get(record) ?? this.send(record)
    })
  }

  private async send(record: Uint8Array): Promise<number> {
    this.failed = record
    const seq = await this.appendOne(record)
    this.failed = undefined
    this.sequences.set(record, seq)
    return seq
  }

  /**
   * A write whose answer was lost looks like another engine's at the next attempt; it is this one's when the log holds
   * exactly the same bytes there.
   */
  private async appendOne(record: Uint8Array): Promise<number> {
    const expected = this.lastSeq
    try {
      const { seq } = await this.js.publish(stateSubjectOf(this.partition), record, {
        expect: { lastSequence: expected },
        timeout: 5_000,
      })
      return (this.lastSeq = seq)
    } catch (error) {
      if (!isWrongLastSequence(error)) throw error
      const found = await findMessage(this.manager, stateStreamOf(this.partition), { seq: expected + 1 })
      if (found && Buffer.compare(found.data, record) === 0) return (this.lastSeq = expected + 1)
      throw new AlprError('ALPR_ERR_STATE_FENCED', { partition: partitionName(this.partition) }, { cause: error })
    }
  }

  private async read(): Promise<void> {
    const stream = stateStreamOf(this.partition)
    const { state } = await this.manager.streams.info(stream)
    this.lastSeq = state.last_seq
    this.firstSeq = Math.max(1, state.first_seq)
    let pending: LogRecord[] = []
    for (let seq = this.firstSeq; seq <= state.last_seq; seq += kReadAhead) {
      const window = Array.from({ length: Math.min(kReadAhead, state.last_seq - seq + 1) }, (_, n) => seq + n)
      const records = await Promise.all(window.map((one) => readRecord(this.manager, stream, one)))
      for (const [n, record] of records.entries()) {
        if (!record) continue
        if (record.hit) {
          this.decided.set(seq + n, record.hit)
          continue
        }
        // A checkpoint that was not completed before the next one began never will be.
        if (record.part === 0) pending = []
        pending.push(record)
        if (!record.position) continue
        this.apply(pending)
        this.position = record.position
        for (const place of record.decided ?? []) this.decided.delete(place)
        pending = []
      }
    }
  }

  private apply(records: readonly LogRecord[]): void {
    const { snapshot } = records[0]!
    if (snapshot) this.cameras.clear()
    let bytes = 0
    for (const { states, patches, gone = [] } of records) {
      for (const [camera, state] of Object.entries(states)) {
        bytes += state.length
        this.cameras.set(camera, state)
      }
      for (const [camera, patch] of Object.entries(patches)) {
        bytes += patch.length
        this.cameras.set(camera, patched(this.cameras.get(camera)!, patch))
      }
      for (const camera of gone) this.cameras.delete(camera)
    }
    this.snapshotBytes = snapshot ? bytes : this.snapshotBytes
    this.grown = snapshot ? 0 : this.grown + bytes
  }
}

/** Whether a write failed because another engine owns the partition. */
export const isFenced = (error: unknown): boolean => codeOf(error) === 'ALPR_ERR_STATE_FENCED'

/** A state, and the one that the log has before it. */
interface Change {
  camera: string
  state: Packed
  old?: Packed
}

/** @param last what only the last record has @param head what only the first one has */
async function recordsOf(
  changes: readonly Change[],
  last: Pick<LogRecord, 'position' | 'decided'>,
  head: Pick<LogRecord, 'snapshot' | 'gone'>,
): Promise<{ records: LogRecord[]; bytes: number }> {
  const open = (part: number): LogRecord => ({ part, ...(part === 0 && head), states: {}, patches: {} })
  const records = [open(0)]
  const slice = new TimeSlice()
  let bytes = 0
  let room = kRecordBytes
  for (const { camera, state, old } of changes) {
    const patch = old === undefined ? undefined : patchOf(old, state)
    const size = (patch ?? state).length
    if (room < size && room < kRecordBytes) {
      records.push(open(records.length))
      room = kRecordBytes
    }
    const record = records.at(-1)!
    if (patch === undefined) record.states[camera] = state
    else record.patches[camera] = patch
    room -= size
    bytes += size
    if (slice.isOver) await slice.next()
  }
  Object.assign(records.at(-1)!, last)
  return { records, bytes }
}

const deflated = (record: LogRecord): Promise<Uint8Array> =>
  deflate(Buffer.from(pack(record), 'latin1'), { level: constants.Z_BEST_SPEED })

async function readRecord(manager: JetStreamManager, stream: string, seq: number): Promise<LogRecord | undefined> {
  const found = await findMessage(manager, stream, { seq })
  return found && (unpackBytes(await inflate(found.data)) as LogRecord)
}
