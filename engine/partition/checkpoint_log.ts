import { constants, deflateRaw, inflateRaw } from 'node:zlib'
import { promisify } from 'node:util'
import type { JetStreamClient, JetStreamManager } from 'nats'
import { AlprError, codeOf } from '../errors.js'
import type { DecidedHit } from '../hits/decided_hit.js'
import { isWrongLastSequence } from '../nats/errors.js'
import { findMessage } from '../nats/find_message.js'
import { partitionName, stateStreamOf, stateSubjectOf, type Partition } from '../nats/topology.js'
import { Semaphore } from '../runtime/semaphore.js'
import type { Position } from './position.js'

/** What one checkpoint changes. */
export interface Checkpoint {
  position: Position
  /** Cameras whose state changed, as text (`stateText`). */
  states: readonly (readonly [camera: string, text: string])[]
  /** Cameras whose state is dropped. */
  gone?: readonly string[]
  /** Places of the decided hits that it contains. */
  decided?: readonly number[]
}

/** One message of the log: JSON, deflated. */
interface LogRecord {
  /** Its place in its checkpoint, from 0; -1: a decided hit, which may be between the records of a checkpoint. */
  part: number
  hit?: DecidedHit
  /** In part 0: the checkpoint replaces everything before it. */
  snapshot?: true
  cameras: Record<string, unknown>
  gone?: string[]
  /** Only in the last record of a checkpoint. One without it never happened. */
  position?: Position
  /** Beside it: places of the decided hits that the checkpoint contains. */
  decided?: number[]
}

/** Text of one record, characters before compression. */
const kRecordChars = 524_288
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
 * A checkpoint is the states of the cameras that changed and the position of the partition, together: either both are
 * durable or neither. A large one is split; it counts once its last record is there. From time to time one contains all
 * cameras, and what is before it is deleted. A hit is noted before it is published; a later checkpoint contains it.
 *
 * Every append names the sequence it expects before it (compare-and-set). Whoever opens the log appends first: from
 * then on, the previous owner is refused (ALPR_ERR_STATE_FENCED).
 */
export class CheckpointLog {
  /** The state of every camera as text: what a snapshot contains. */
  readonly cameras = new Map<string, string>()
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
  /** Characters of the last snapshot, and of all records since. */
  /** Bytes written by this owner. */
  bytesWritten = 0
  private snapshotChars = 0
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
    return this.position === undefined || this.grown > Math.max(kLeastLog, kGrowth * this.snapshotChars)
  }

  /**
   * Makes a checkpoint that can be written in several attempts: a failed `write` may be called again.
   * @param snapshot write all cameras, not only the changed ones
   */
  async prepare(checkpoint: Checkpoint, snapshot = this.snapshotDue): Promise<{ write(): Promise<void> }> {
    for (const [camera, json] of checkpoint.states) this.cameras.set(camera, json)
    for (const camera of checkpoint.gone ?? []) this.cameras.delete(camera)
    const texts = recordTexts(snapshot ? { ...checkpoint, states: [...this.cameras], gone: [] } : checkpoint, snapshot)
    const records = await Promise.all(texts.map(recordOf))
    const chars = texts.reduce((sum, text) => sum + text.length, 0)
    let written = 0
    let first = 0
    return {
      write: async () => {
        for (; written < records.length; written++) {
          const seq = await this.append(records[written]!)
          this.bytesWritten += records[written]!.length
          if (written === 0) first = seq
        }
        this.position = checkpoint.position
        for (const place of checkpoint.decided ?? []) this.decided.delete(place)
        if (!snapshot) this.grown += chars
        else await this.dropBefore(first, chars)
      },
    }
  }

  /**
   * Notes a decided hit, in several attempts if need be. @returns `write` its place: a later checkpoint names it
   */
  async prepareHit(hit: DecidedHit): Promise<{ write(): Promise<number> }> {
    // `cameras`: an earlier release skips it.
    const record = await recordOf(JSON.stringify({ part: -1, cameras: {}, hit } satisfies LogRecord))
    return {
      write: async () => {
        const place = await this.append(record)
        this.decided.set(place, hit)
        return place
      },
    }
  }

  /** Deletes what a snapshot replaces. A failure costs space only: the next snapshot makes up for it. */
  private async dropBefore(first: number, chars: number): Promise<void> {
    this.snapshotChars = chars
    this.grown = 0
    const kept = Math.min(first, ...this.decided.keys())
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
    let chars = 0
    for (const { cameras, gone = [] } of records) {
      for (const [camera, state] of Object.entries(cameras)) {
        const json = JSON.stringify(state)
        chars += json.length
        this.cameras.set(camera, json)
      }
      for (const camera of gone) this.cameras.delete(camera)
    }
    this.snapshotChars = snapshot ? chars : this.snapshotChars
    this.grown = snapshot ? 0 : this.grown + chars
  }
}

/** Whether a write failed because another engine owns the partition. */
export const isFenced = (error: unknown): boolean => codeOf(error) === 'ALPR_ERR_STATE_FENCED'

/** The records of a checkpoint, as text. */
function recordTexts({ position, states, gone = [], decided = [] }: Checkpoint, snapshot: boolean): string[] {
  const texts: string[] = []
  let cameras: string[] = []
  let chars = 0
  const close = (tail = '') => {
    const part = texts.length
    const head =
      part > 0 ? '' : `${snapshot ? ',"snapshot":true' : ''}${gone.length > 0 ? `,"gone":${JSON.stringify(gone)}` : ''}`
    texts.push(`{"part":${part}${head},"cameras":{${cameras.join(',')}}${tail}}`)
    cameras = []
    chars = 0
  }
  for (const [camera, json] of states) {
    if (chars > 0 && chars + json.length > kRecordChars) close()
    cameras.push(`${JSON.stringify(camera)}:${json}`)
    chars += json.length
  }
  close(`,"position":${JSON.stringify(position)}${decided.length > 0 ? `,"decided":${JSON.stringify(decided)}` : ''}`)
  return texts
}

const recordOf = (text: string): Promise<Uint8Array> => deflate(text, { level: constants.Z_BEST_SPEED })

async function readRecord(manager: JetStreamManager, stream: string, seq: number): Promise<LogRecord | undefined> {
  const found = await findMessage(manager, stream, { seq })
  return found && (JSON.parse((await inflate(found.data)).toString('utf8')) as LogRecord)
}
