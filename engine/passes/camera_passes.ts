import type { Capture } from '../model/capture.js'
import { hourOf, type LedgerRow } from '../model/ledger.js'
import { Track } from './track.js'
import { OpenPass } from './pass.js'
import { RecentIds } from './recent_ids.js'
import type { Observation } from '../model/observation.js'

/**
 * Captures up to this much older than the newest are network jitter; older ones come from a vehicle that was offline.
 * Event time.
 */
export const LATE_AFTER_MS = 10_000

/** The passes of the late-event track end after this much live event time without a late capture. */
export const LATE_OVER_MS = 60_000

/** How the passes of an entrance are formed. */
export interface PassRules {
  /** A pass closes after this much event time without a detection, ms. */
  gapMs: number
  /**
   * Added to the sequence that names a part of the ledger, so that a camera that sends to both entrances never has one
   * part for both. @default 0
   */
  firstPart?: number
}

/** What a frame counts as in the ledger. */
export type Outcome = 'withReads' | 'withoutPlate' | 'dead'

export interface Advance {
  closed: OpenPass[]
  touched: OpenPass[]
  overflowed: boolean
}

interface TrackJson {
  /** null before the first capture. */
  watermark: number | null
  open: ReturnType<OpenPass['toJSON']>[]
}

/** The state of a camera in a checkpoint. */
export interface CameraJson {
  camera: string
  seq: number
  lateAt: number
  live: TrackJson
  late: TrackJson
  /** Missing in the state of an older version. */
  ids?: string
  hours: [
    hour: number,
    framesIn: number,
    withReads: number,
    withoutPlate: number,
    dead: number,
    part: number,
    version: number,
  ][]
}

/**
 * The state of one camera between messages: its passes, live and late, and its counts. It is the unit of the
 * checkpoint: `seq` is the last message it contains, and messages up to there are not applied again.
 */
export class CameraPasses {
  /** Sequence of the last message applied. */
  seq = 0
  /** Live watermark when the last late capture came. */
  private lateAt = 0

  private constructor(
    readonly camera: string,
    private readonly live: Track,
    private readonly late: Track,
    private readonly hours: Map<number, LedgerRow>,
    private readonly firstPart: number,
    private readonly ids: RecentIds,
  ) {}

  static empty(camera: string, { gapMs, firstPart = 0 }: PassRules): CameraPasses {
    return new CameraPasses(camera, new Track(gapMs), new Track(gapMs), new Map(), firstPart, RecentIds.empty())
  }

  get openCount(): number {
    return this.live.open.length + this.late.open.length
  }

  *open(): Iterable<OpenPass> {
    yield* this.live.open
    yield* this.late.open
  }

  /** Its next message comes from another stream. Frames of the old one cannot be fetched any more. */
  forgetSequences(): void {
    this.seq = 0
    for (const { state } of this.open()) delete state.best.seq
  }

  /** Closes every open pass: nothing will be added to them. */
  closeAll(): OpenPass[] {
    return [...this.live.closeAll(), ...this.late.closeAll()]
  }

  /** Whether a message with this id is new; from now on it is not. @param arrivedAt ms */
  isNew(id: string | undefined, arrivedAt: number): boolean {
    return this.ids.add(id, arrivedAt)
  }

  /**
   * Adds the detections of one capture. Late captures go to their own track, so that they neither disturb live passes
   * nor get lost; on it, a jump back in time closes every open pass.
   */
  advance(capture: Capture, detections: readonly Observation[], readIdOf: (index: number) => string): Advance {
    this.seq = capture.seq
    this.count(
      hourOf(capture.capturedAt),
      detections.length > 0 ? 'withReads' : 'withoutPlate',
      capture.jpeg ? 1 : detections.length,
    )
    if (capture.capturedAt >= this.live.watermark - LATE_AFTER_MS) {
      const advance = this.live.advance(capture, detections, readIdOf)
      // No late capture for a while of live time: the camera has sent all of its backlog.
      const over = this.live.watermark - this.lateAt > LATE_OVER_MS ? this.late.closeAll() : []
      return { ...advance, closed: [...advance.closed, ...over] }
    }
    this.lateAt = this.live.watermark
    const cut = capture.capturedAt < this.late.watermark - LATE_AFTER_MS ? this.late.closeAll() : []
    const advance = this.late.advance(capture, detections, readIdOf)
    return { ...advance, closed: [...cut, ...advance.closed] }
  }

  /** Counts a message that went to DEAD. @param time decides in which hour, ms */
  dead(seq: number, time: number): void {
    this.seq = seq
    this.count(hourOf(time), 'dead')
  }

  /** Ledger rows changed since the last call. Totals, not differences: writing one twice changes nothing. */
  takeLedger(): LedgerRow[] {
    const rows = [...this.changedHours].map((hour) => this.hours.get(hour)!)
    this.changedHours.clear()
    // The store keeps an hour that leaves the state; a later frame of that hour starts a new part, which adds to it.
    const kept = [...this.hours.keys()].sort((a, b) => b - a).slice(0, CameraPasses.MAX_HOURS)
    for (const hour of this.hours.keys()) if (!kept.includes(hour)) this.hours.delete(hour)
    return rows.map((row) => ({ ...row }))
  }
  private readonly changedHours = new Set<number>()
  /** Hours of counts that the state of a camera contains. */
  static readonly MAX_HOURS = 24

  toJSON(): CameraJson {
    return {
      camera: this.camera,
      seq: this.seq,
      lateAt: this.lateAt,
      live: trackJSON(this.live),
      late: trackJSON(this.late),
      ids: this.ids.toJSON(),
      hours: [...this.hours.values()].map((r) => [
        r.hour,
        r.framesIn,
        r.withReads,
        r.withoutPlate,
        r.dead,
        r.part,
        r.version,
      ]),
    }
  }

  static fromJSON(json: CameraJson, { gapMs, firstPart = 0 }: PassRules): CameraPasses {
    const hours = new Map<number, LedgerRow>(
      json.hours.map(([hour, framesIn, withReads, withoutPlate, dead, part, version]) => [
        hour,
        { camera: json.camera, hour, framesIn, withReads, withoutPlate, dead, part, version },
      ]),
    )
    const passes = new CameraPasses(
      json.camera,
      trackFrom(json.live, gapMs),
      trackFrom(json.late, gapMs),
      hours,
      firstPart,
      RecentIds.fromJSON(json.ids),
    )
    passes.seq = json.seq
    passes.lateAt = json.lateAt
    return passes
  }

  private count(hour: number, outcome: Outcome, by = 1): void {
    const row = this.hours.get(hour) ?? {
      camera: this.camera,
      hour,
      framesIn: 0,
      withReads: 0,
      withoutPlate: 0,
      dead: 0,
      part: this.firstPart + this.seq,
      version: 0,
    }
    row.framesIn += by
    row[outcome] += by
    row.version += by
    this.hours.set(hour, row)
    this.changedHours.add(hour)
  }
}

const trackJSON = (track: Track): TrackJson => ({
  watermark: Number.isFinite(track.watermark) ? track.watermark : null,
  open: track.open.map((pass) => pass.toJSON()),
})

const trackFrom = (json: TrackJson, gapMs: number): Track =>
  new Track(
    gapMs,
    json.open.map((pass) => OpenPass.fromJSON(pass)),
    json.watermark ?? -Infinity,
  )
