import type { Capture } from '../model/capture.js'
import { hourOf, type LedgerRow } from '../model/ledger.js'
import { Track } from './track.js'
import { OpenPass } from './pass.js'
import { RecentIds } from './recent_ids.js'
import type { Observation } from '../model/observation.js'

/**
 * Frames up to this much older than the newest are network jitter; older ones come from a vehicle that was offline.
 * Event time.
 */
export const LATE_AFTER_MS = 10_000

/** Live event time without a late frame after which the late lane's passes end. */
export const LATE_OVER_MS = 60_000

/** How the passes of an entrance are kept. */
export interface PassRules {
  /** Event time without a detection that closes a pass, ms. */
  gapMs: number
  /**
   * Added to the sequence that names a part of the ledger, so that the streams of a camera that sends to both entrances
   * do not share one. @default 0
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

/**
 * All that is remembered of one camera between frames: its passes, live and late, and its counts. It is the unit of the
 * checkpoint: `seq` says up to which frame of the stream it holds, and frames up to there are not applied again.
 */
export class CameraPasses {
  /** Sequence of the last frame applied. */
  seq = 0
  /** Live watermark when the last late frame came. */
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

  /** Whether a message under this id was not here before; from now on it was. `arrivedAt` ms. */
  isNew(id: string | undefined, arrivedAt: number): boolean {
    return this.ids.add(id, arrivedAt)
  }

  /**
   * Takes the detections of one moment. Late frames run in a lane of their own, so that they neither disturb live
   * passes nor get lost; within it, a jump back in time ends what was open.
   */
  advance(moment: Capture, detections: readonly Observation[], readIdOf: (index: number) => string): Advance {
    this.seq = moment.seq
    this.count(
      hourOf(moment.capturedAt),
      detections.length > 0 ? 'withReads' : 'withoutPlate',
      moment.jpeg ? 1 : detections.length,
    )
    if (moment.capturedAt >= this.live.watermark - LATE_AFTER_MS) {
      const advance = this.live.advance(moment, detections, readIdOf)
      // No late frame for a while of live time: the run that was being sent is over.
      const over = this.live.watermark - this.lateAt > LATE_OVER_MS ? this.late.closeAll() : []
      return { ...advance, closed: [...advance.closed, ...over] }
    }
    this.lateAt = this.live.watermark
    const cut = moment.capturedAt < this.late.watermark - LATE_AFTER_MS ? this.late.closeAll() : []
    const advance = this.late.advance(moment, detections, readIdOf)
    return { ...advance, closed: [...cut, ...advance.closed] }
  }

  /** A frame that went to DEAD: it is counted in the hour it has or else arrived in. */
  dead(seq: number, time: number): void {
    this.seq = seq
    this.count(hourOf(time), 'dead')
  }

  /** Ledger rows changed since the last call. Totals, not differences: writing one twice changes nothing. */
  takeLedger(): LedgerRow[] {
    const rows = [...this.hours.values()].filter((row) => row.version > this.ledgerSeq)
    this.ledgerSeq = this.seq
    // An hour that leaves the state stays in the store; a frame that comes for it later starts a new part, which adds
    // to it.
    const kept = [...this.hours.keys()].sort((a, b) => b - a).slice(0, CameraPasses.MAX_HOURS)
    for (const hour of this.hours.keys()) if (!kept.includes(hour)) this.hours.delete(hour)
    return rows.map((row) => ({ ...row }))
  }
  private ledgerSeq = 0
  /** Hours of counts that a camera keeps in its state. */
  static readonly MAX_HOURS = 24

  toJSON(): unknown {
    return {
      camera: this.camera,
      seq: this.seq,
      lateAt: this.lateAt,
      live: laneJSON(this.live),
      late: laneJSON(this.late),
      ids: this.ids,
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

  static fromJSON(json: any, { gapMs, firstPart = 0 }: PassRules): CameraPasses {
    const hours = new Map<number, LedgerRow>(
      (json.hours as number[][]).map(([hour, framesIn, withReads, withoutPlate, dead, part, version]) => [
        hour!,
        {
          camera: json.camera,
          hour: hour!,
          framesIn: framesIn!,
          withReads: withReads!,
          withoutPlate: withoutPlate!,
          dead: dead!,
          part: part!,
          version: version!,
        },
      ]),
    )
    const passes = new CameraPasses(
      json.camera,
      laneFrom(json.live, gapMs),
      laneFrom(json.late, gapMs),
      hours,
      firstPart,
      RecentIds.fromJSON(json.ids),
    )
    passes.seq = json.seq
    passes.lateAt = json.lateAt
    passes.ledgerSeq = json.seq
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
    row.version = this.seq
    this.hours.set(hour, row)
  }
}

const laneJSON = (lane: Track) => ({
  watermark: Number.isFinite(lane.watermark) ? lane.watermark : null,
  open: lane.open.map((pass) => pass.toJSON()),
})

const laneFrom = (json: any, gapMs: number): Track =>
  new Track(
    gapMs,
    (json.open as any[]).map((pass) => OpenPass.fromJSON(pass)),
    json.watermark ?? -Infinity,
  )
