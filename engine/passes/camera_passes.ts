import type { Capture } from '../model/capture.js'
import { hourOf, type LedgerRow } from '../model/ledger.js'
import type { Observation } from '../model/observation.js'
import { HourCounts, type HourJson, type Outcome } from './hour_counts.js'
import type { OpenPass } from './pass.js'
import { RecentMessages } from './recent_messages.js'
import { type Advance, Tracks, type TracksJson } from './tracks.js'

/** How the passes of an entrance are formed. */
export interface PassRules {
  /** A pass closes after this much event time without a detection, ms; with a slow camera, after some of its frames. */
  gapMs: number
  /**
   * Added to the sequence that names a part of the ledger, so that a camera that sends to both entrances never has one
   * part for both. @default 0
   */
  firstPart?: number
}

/** The state of a camera in a checkpoint. */
export interface CameraJson extends TracksJson {
  camera: string
  seq: number
  /** Latest arrival of its captures by the clock of nats-server, ms; missing in the state of an older release. */
  arrivedAt?: number
  /** `RecentMessages`; missing in the state of an older release, which has `ids` of another form. */
  recent?: Uint8Array
  hours: HourJson[]
}

/**
 * The state of one camera between messages: its passes, live and late, and its counts. It is the unit of the
 * checkpoint: `seq` is the last message it contains, and messages up to there are not applied again.
 */
export class CameraPasses {
  private constructor(
    readonly camera: string,
    /** Sequence of the last message applied. */
    public seq: number,
    private readonly tracks: Tracks,
    private readonly recent: RecentMessages,
    private readonly hours: HourCounts,
    private arrivedAt = -Infinity,
  ) {}

  static empty(camera: string, { gapMs, firstPart = 0 }: PassRules): CameraPasses {
    return new CameraPasses(camera, 0, Tracks.empty(gapMs), RecentMessages.empty(), new HourCounts(camera, firstPart))
  }

  get openCount(): number {
    return this.tracks.open.length
  }

  open(): Iterable<OpenPass> {
    return this.tracks.open
  }

  /** Passes that may change: the open ones, and closed ones that late detections may still join. */
  *changeable(): Iterable<OpenPass> {
    yield* this.tracks.open
    yield* this.tracks.lingeringPasses
  }

  /** Whether closed passes wait for late detections. */
  get lingers(): boolean {
    return this.tracks.lingeringPasses.length > 0
  }

  /** Whether each of its passes is in the store as it is: nothing is left to do until the camera sends again. */
  get isStored(): boolean {
    for (const pass of this.changeable()) if (!pass.isStored) return false
    return true
  }

  /** Its next message comes from another stream. Frames of the old one cannot be fetched any more. */
  forgetSequences(): void {
    this.seq = 0
    for (const { state } of this.changeable()) delete state.best.seq
  }

  /** Closes every open pass: nothing will be added to them. */
  closeAll(): OpenPass[] {
    return this.tracks.closeAll()
  }

  /** Lets no closed pass wait for late detections. @returns those that took some: they close once more */
  stopLingering(): OpenPass[] {
    return this.tracks.stopLingering()
  }

  /** The camera's usual step from one capture to the next in event time, ms; undefined when it is not known. */
  get intervalMs(): number | undefined {
    return this.tracks.intervalMs
  }

  /**
   * Whether a message is new; from now on it is not.
   * @param digest of its content
   * @param newest event time of its newest capture, ms. One that is newer than all others needs no comparison
   */
  isNew(digest: number, newest = -Infinity): boolean {
    if (newest <= this.tracks.newest && this.recent.has(digest)) return false
    const { intervalMs = 0, count } = this.tracks
    this.recent.add(digest, intervalMs / count)
    return true
  }

  /** Whether a message with this content was applied lately. */
  hasApplied(digest: number): boolean {
    return this.recent.has(digest)
  }

  /**
   * Adds the detections of one capture. It counts as having arrived no earlier than those before it: when the clock of
   * nats-server is set back, the hot lists that applied to them apply to it too.
   */
  advance(capture: Capture, detections: readonly Observation[], readIdOf: (index: number) => string): Advance {
    this.seq = capture.seq
    const outcome: Outcome = detections.length > 0 ? 'withReads' : 'withoutPlate'
    this.hours.add(hourOf(capture.capturedAt), outcome, capture.jpeg ? 1 : detections.length, capture.seq)
    if (capture.arrivedAt < this.arrivedAt)
      return this.tracks.advance({ ...capture, arrivedAt: this.arrivedAt }, detections, readIdOf)
    this.arrivedAt = capture.arrivedAt
    return this.tracks.advance(capture, detections, readIdOf)
  }

  /** Counts a message that went to DEAD. @param time decides in which hour, ms */
  dead(seq: number, time: number): void {
    this.seq = seq
    this.hours.add(hourOf(time), 'dead', 1, seq)
  }

  /** Ledger rows changed since the last call. Totals, not differences: writing one twice changes nothing. */
  takeLedger(): LedgerRow[] {
    return this.hours.take()
  }

  toJSON(): CameraJson {
    const { camera, seq, tracks, recent, hours, arrivedAt } = this
    return {
      camera,
      seq,
      ...(arrivedAt > 0 && { arrivedAt }),
      ...tracks.toJSON(),
      recent: recent.toJSON(),
      hours: hours.toJSON(),
    }
  }

  static fromJSON(json: CameraJson, { gapMs, firstPart = 0 }: PassRules): CameraPasses {
    const { camera, seq, recent, hours, arrivedAt } = json
    return new CameraPasses(
      camera,
      seq,
      Tracks.fromJSON(json, gapMs),
      RecentMessages.fromJSON(recent),
      new HourCounts(camera, firstPart, hours),
      arrivedAt,
    )
  }
}
