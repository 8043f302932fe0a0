import type { JetStreamClient, JetStreamManager } from 'nats'
import { codeOf } from '../errors.js'
import type { DecidedHit } from '../hits/decided_hit.js'
import { stateStreamOf, type Partition } from '../nats/topology.js'
import { HitGroup, placeOf } from './hit_group.js'
import { type Append, LogAppender } from './log_appender.js'
import { type Change, type Content, deflated, type LogRecord, readRecord, recordsOf } from './log_record.js'
import { pack, unpack, type Packed } from './packed.js'
import { patched } from './patch.js'
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

/** Records that are read at the same time. */
const kReadAhead = 64
/** A snapshot is due when the log has grown by this many times the size of the last one, and by at least kLeastLog. */
const kGrowth = 4
const kLeastLog = 1_048_576
/** A snapshot is also due after this many records: a reader asks for each of them, however small. */
const kMostRecords = 4_000

/**
 * The checkpoints of one partition: a stream of its own, in which each checkpoint is one append.
 *
 *     [ snapshot: all cameras, position ] [ cameras of an epoch, position ] [ decided hits ] [ ... ] [ ... ]
 *
 * A checkpoint is the changes of the cameras' states and the position of the partition, together: either both are
 * durable or neither. A large one is split; it counts once its last record is there. From time to time one contains all
 * cameras, and what is before it is deleted. A hit is noted before it is published; a later checkpoint contains it.
 * Hits that no checkpoint contains yet are carried by the snapshot.
 *
 * Every append names the sequence it expects before it (compare-and-set). The engine that opens the log appends first:
 * from then on, the previous owner is refused (ALPR_ERR_STATE_FENCED).
 */
export class CheckpointLog {
  /** The state of every camera: what a snapshot contains. */
  readonly cameras = new Map<string, Packed>()
  position: Position | undefined
  /** Decided hits that no checkpoint contains, by place. */
  readonly decided = new Map<number, DecidedHit>()
  /** Bytes of checkpoints written by this owner. */
  bytesWritten = 0
  private readonly appender: LogAppender
  /** Takes hits that are decided now. */
  private group: HitGroup
  private firstSeq: number
  /** Size of the last snapshot, bytes before compression, and of what came since. */
  private snapshotBytes = 0
  private grown = { bytes: 0, records: 0 }

  private constructor(
    js: JetStreamClient,
    private readonly manager: JetStreamManager,
    readonly partition: Partition,
    state: { first_seq: number; last_seq: number },
  ) {
    this.appender = new LogAppender(js, manager, partition, state.last_seq)
    this.firstSeq = Math.max(1, state.first_seq)
    this.group = this.newGroup()
  }

  /** Reads the log. @throws when NATS does not answer, or when the log changes meanwhile */
  static async open(js: JetStreamClient, manager: JetStreamManager, partition: Partition): Promise<CheckpointLog> {
    const { state } = await manager.streams.info(stateStreamOf(partition))
    const log = new CheckpointLog(js, manager, partition, state)
    await log.read()
    return log
  }

  /**
   * The position of a partition, whoever owns it.
   * @returns undefined when it has no checkpoint yet
   */
  static async positionOf(manager: JetStreamManager, partition: Partition): Promise<Position | undefined> {
    const stream = stateStreamOf(partition)
    const { first_seq: first, last_seq: last } = (await manager.streams.info(stream)).state
    if (last < Math.max(1, first)) return undefined
    const newest = await readRecord(manager, stream, last)
    if (newest?.position) return newest.position
    // Decided hits have no position, and neither has a checkpoint that was cut short: the one before it counts.
    const read = (back: number) => readRecord(manager, stream, last - back)
    for await (const [, record] of inOrder(read, 1, last - Math.max(1, first)))
      if (record?.position) return record.position
    return undefined
  }

  /** Whether the next checkpoint should be a snapshot. */
  get snapshotDue(): boolean {
    const { bytes, records } = this.grown
    const isLarge = bytes > Math.max(kLeastLog, kGrowth * this.snapshotBytes)
    return this.position === undefined || isLarge || records > kMostRecords
  }

  /**
   * Makes a checkpoint that can be written in several attempts: a failed `write` may be called again.
   * @param snapshot write all cameras, not only the changed ones
   */
  prepare(checkpoint: Checkpoint, snapshot = this.snapshotDue): { write(): Promise<void> } {
    const { position, gone = [], decided = [] } = checkpoint
    const changes: Change[] = []
    for (const [camera, state] of new Map(checkpoint.states)) {
      if (!snapshot) changes.push({ camera, state, old: this.cameras.get(camera) })
      this.cameras.set(camera, state)
    }
    for (const camera of gone) this.cameras.delete(camera)
    if (snapshot) for (const [camera, state] of this.cameras) changes.push({ camera, state })
    const last = { position, decided }
    const content: Content = snapshot
      ? { changes, hits: this.openHits(decided), head: { snapshot }, last }
      : { changes, hits: [], head: { gone }, last }
    // What is appended from now on, a snapshot does not contain.
    const kept = this.appender.lastSeq + 1
    let made: { records: LogRecord[]; bytes: number } | undefined
    let written = 0
    let append: Append | undefined
    return {
      write: async () => {
        const { records, bytes } = (made ??= await recordsOf(content))
        // Deflated one by one: the states of 100,000 cameras are some 100 MB.
        for (; written < records.length; written++) {
          append ??= appendOf(records[written]!)
          await this.appender.append(append)
          this.bytesWritten += (await append.data()).length
          append = undefined
        }
        this.position = position
        for (const place of decided) this.decided.delete(place)
        if (snapshot) await this.replaceBefore(kept, bytes)
        else this.grow(bytes, records.length)
      },
    }
  }

  /**
   * Notes a decided hit, in several attempts if need be. @returns `write` its place: a later checkpoint names it
   */
  prepareHit(hit: DecidedHit): { write(): Promise<number> } {
    let noted: { group: HitGroup; index: number } | undefined
    return {
      write: async () => {
        const { group, index } = (noted ??= this.join(hit))
        return placeOf(await group.write(), index)
      },
    }
  }

  private join(hit: DecidedHit): { group: HitGroup; index: number } {
    const packed = pack(hit)
    if (!this.group.hasRoomFor(packed)) this.group = this.newGroup()
    return { group: this.group, index: this.group.add(hit, packed) }
  }

  private newGroup(): HitGroup {
    return new HitGroup(this.appender, ({ hits, bytes }, seq) => {
      for (const [index, hit] of hits.entries()) this.decided.set(placeOf(seq, index), hit)
      this.grow(bytes, 1)
    })
  }

  /** Hits that no checkpoint contains, not even the one that contains `decided`. */
  private openHits(decided: readonly number[]): [place: number, hit: DecidedHit][] {
    const contained = new Set(decided)
    return [...this.decided].filter(([place]) => !contained.has(place))
  }

  private grow(bytes: number, records: number): void {
    this.grown.bytes += bytes
    this.grown.records += records
  }

  private noteSnapshot(bytes: number): void {
    this.snapshotBytes = bytes
    this.grown = { bytes: 0, records: 0 }
  }

  /**
   * Deletes what a snapshot replaces: all before `kept`. A failure costs space only: the next snapshot makes up for it.
   */
  private async replaceBefore(kept: number, bytes: number): Promise<void> {
    this.noteSnapshot(bytes)
    // The server takes `seq: 1` for "everything".
    if (kept <= this.firstSeq) return
    await this.manager.streams.purge(stateStreamOf(this.partition), { seq: kept }).then(
      () => {
        this.firstSeq = kept
      },
      () => {},
    )
  }

  private async read(): Promise<void> {
    const stream = stateStreamOf(this.partition)
    const read = (seq: number) => readRecord(this.manager, stream, seq)
    let pending: LogRecord[] = []
    for await (const [seq, record] of inOrder(read, this.firstSeq, this.appender.lastSeq)) {
      if (!record) continue
      if (record.part === -1) {
        this.readHits(record, (index) => placeOf(seq, index))
        this.grow(bytesOf(record), 1)
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
    this.sortHits()
  }

  private readHits({ hits = [] }: LogRecord, place: (index: number) => number): void {
    for (const [index, hit] of hits.entries()) this.decided.set(place(index), unpack(hit) as DecidedHit)
  }

  /** Those that a snapshot carries are read after later ones. */
  private sortHits(): void {
    const sorted = [...this.decided].sort(([one], [other]) => one - other)
    this.decided.clear()
    for (const [place, hit] of sorted) this.decided.set(place, hit)
  }

  private apply(records: readonly LogRecord[]): void {
    const { snapshot } = records[0]!
    if (snapshot) this.cameras.clear()
    let bytes = 0
    for (const record of records) {
      const { states, patches, gone = [], places = [] } = record
      bytes += bytesOf(record)
      for (const [camera, state] of Object.entries(states)) this.cameras.set(camera, state)
      for (const [camera, patch] of Object.entries(patches))
        this.cameras.set(camera, patched(this.cameras.get(camera)!, patch))
      for (const camera of gone) this.cameras.delete(camera)
      this.readHits(record, (index) => places[index]!)
    }
    if (snapshot) this.noteSnapshot(bytes)
    else this.grow(bytes, records.length)
  }
}

/** Whether a write failed because another engine owns the partition. */
export const isFenced = (error: unknown): boolean => codeOf(error) === 'ALPR_ERR_STATE_FENCED'

function appendOf(record: LogRecord): Append {
  const data = deflated(record)
  return { data: () => data }
}

/** Size of its states and hits before compression. */
const bytesOf = ({ states, patches, hits = [] }: LogRecord): number =>
  [Object.values(states), Object.values(patches), hits].flat().reduce((sum, { length }) => sum + length, 0)

/** Reads records ahead of their use. @returns them in order; undefined: there is none of this sequence */
async function* inOrder(
  read: (seq: number) => Promise<LogRecord | undefined>,
  first: number,
  last: number,
): AsyncGenerator<[seq: number, record: LogRecord | undefined]> {
  const ahead: Promise<LogRecord | undefined>[] = []
  for (let seq = first; seq <= last; seq++) {
    for (let next = seq + ahead.length; next <= last && ahead.length < kReadAhead; next++) {
      const reading = read(next)
      // A failure is thrown where it is awaited.
      reading.catch(() => {})
      ahead.push(reading)
    }
    yield [seq, await ahead.shift()]
  }
}
