import type { DecidedHit } from '../hits/decided_hit.js'
import type { Append, LogAppender } from './log_appender.js'
import { deflated, kRecordBytes } from './log_record.js'
import type { Packed } from './packed.js'

/** Most hits of one record. */
const kMostHits = 256

/** The place of a hit in the log: unique, and in the order in which hits were decided. */
export const placeOf = (seq: number, index: number): number => seq * kMostHits + index

/**
 * Decided hits that go to the log in one record: those that are there when it is its turn. So hits that come while a
 * record is being appended wait for that one and the next, however many they are.
 */
export class HitGroup implements Append {
  readonly hits: DecidedHit[] = []
  /** Bytes before compression. */
  bytes = 0
  private readonly packed: Packed[] = []
  private record: Promise<Uint8Array> | undefined
  private appending: Promise<number> | undefined

  /** @param written takes the sequence, as soon as the record is known to be on the log */
  constructor(
    private readonly appender: LogAppender,
    private readonly onWritten: (group: HitGroup, seq: number) => void,
  ) {}

  /** Not when the record is on its way. */
  hasRoomFor(packed: Packed): boolean {
    if (this.record) return false
    return this.hits.length === 0 || (this.hits.length < kMostHits && this.bytes + packed.length <= kRecordBytes)
  }

  /** @returns the index of the hit */
  add(hit: DecidedHit, packed: Packed): number {
    this.bytes += packed.length
    this.packed.push(packed)
    return this.hits.push(hit) - 1
  }

  /** One attempt for all hits, or the one that is being made. @returns the sequence @throws like LogAppender.append */
  write(): Promise<number> {
    this.appending ??= this.appender.append(this).finally(() => {
      this.appending = undefined
    })
    return this.appending
  }

  data(): Promise<Uint8Array> {
    this.record ??= deflated({ part: -1, hits: this.packed, states: {}, patches: {} })
    return this.record
  }

  written(seq: number): void {
    this.onWritten(this, seq)
  }
}
