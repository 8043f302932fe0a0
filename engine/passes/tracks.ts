import type { Capture } from '../model/capture.js'
import { isUntrackable, type Observation } from '../model/observation.js'
import { associate } from './association.js'
import { type Gaps, Pace } from './pace.js'
import { OpenPass } from './pass.js'
import type { PassJson } from './pass_state.js'
import { RecentPasses } from './recent_passes.js'
import { Track } from './track.js'

/** A late track closes after this much live event time without a capture of its own, ms; of a slow camera, its gap. */
const LATE_OVER_MS = 60_000
/** Most late tracks of a camera; beyond it the one that got nothing for longest is closed. */
const MAX_LATE = 4
/** Most open passes of a camera; beyond it the one not seen for longest is closed. */
const MAX_OPEN = 64

/** What one capture did to the passes of its camera. */
export interface Advance {
  closed: OpenPass[]
  /** Passes that took a detection and are still open. */
  touched: OpenPass[]
  /** Detections of vehicles whose read exists: their frame was sent again, or came too late to change it. */
  repeated: number
  /** Names of the bounds that closed a pass early. */
  bounds: string[]
}

interface TrackJson {
  /** null before the first capture. */
  watermark: number | null
  open: PassJson[]
}

/** The tracks of a camera in a checkpoint. */
export interface TracksJson {
  live: TrackJson
  /** Missing when there are none. An older release had one, with or without passes, and its `at` beside it. */
  late?: (TrackJson & { at?: number })[] | TrackJson
  lateAt?: number
  /** `Pace`; missing before the second capture and in the state of an older release. */
  steps?: number[]
  /** `RecentPasses`; missing when there are none. */
  passed?: Uint8Array
}

/**
 * All open passes of one camera. The live track has the newest captures; one that is late (more than the jitter behind)
 * is on a late track, so that it neither disturbs live passes nor gets lost. A late track begins with a late detection
 * and takes captures that follow it without a gap: of several segments that are sent side by side each has its own.
 *
 *     event time ->   ....a1 a2 a3.......b1 b2.............................c7 c8 c9
 *     tracks          late (a)           late (b)                          live
 *
 * Tracks decide when a pass closes, not what belongs to it: a detection joins the pass of its vehicle at its time on
 * whichever track that is.
 */
export class Tracks {
  private constructor(
    private readonly gapMs: number,
    private readonly live: Track,
    private late: Track[],
    private readonly pace: Pace,
    private readonly passed: RecentPasses,
  ) {}

  static empty(gapMs: number): Tracks {
    return new Tracks(gapMs, new Track(), [], Pace.unknown(), RecentPasses.empty())
  }

  get open(): readonly OpenPass[] {
    return this.late.length === 0 ? this.live.open : this.all.flatMap((track) => track.open)
  }

  /** Tracks, the live one included. */
  get count(): number {
    return 1 + this.late.length
  }

  private get all(): readonly Track[] {
    return [this.live, ...this.late]
  }

  /** Event time of the newest capture, ms. */
  get newest(): number {
    return this.live.watermark
  }

  /** The camera's usual step from one capture to the next, ms, if known. */
  get intervalMs(): number | undefined {
    return this.pace.intervalMs
  }

  /** Adds the detections of one capture. */
  advance(capture: Capture, detections: readonly Observation[], readIdOf: (index: number) => string): Advance {
    const at = capture.capturedAt
    const result: Advance = { closed: [], touched: [], repeated: 0, bounds: [] }
    const track = at > this.newest ? this.live : this.nearestOf(at)
    if (track === this.live) this.pace.note(at)
    track?.advance(at, Math.max(at, this.newest))
    if (track && track.open.length > 0) result.closed.push(...track.closeOver(capture, this.gaps))
    if (detections.length > 0) this.place(capture, detections, readIdOf, track, result)
    if (this.late.length > 0) this.closeLate(result)
    this.closeBeyondBounds(result)
    for (const pass of result.closed) this.remember(pass)
    return result
  }

  /** Closes every open pass. */
  closeAll(): OpenPass[] {
    const closed = this.all.flatMap((track) => track.closeAll())
    for (const pass of closed) this.remember(pass)
    this.late = []
    return closed
  }

  toJSON(): TracksJson {
    const late = this.late.map((track) => ({ ...trackJson(track), at: track.at }))
    const steps = this.pace.toJSON()
    const passed = this.passed.toJSON()
    return {
      live: trackJson(this.live),
      ...(late.length > 0 && { late }),
      ...(steps.length > 0 && { steps }),
      ...(passed.length > 0 && { passed }),
    }
  }

  static fromJSON({ live, late = [], lateAt = 0, steps, passed }: TracksJson, gapMs: number): Tracks {
    const tracks = (Array.isArray(late) ? late : [{ ...late, at: lateAt }]).filter(({ open }) => open.length > 0)
    const newest = live.watermark ?? -Infinity
    return new Tracks(
      gapMs,
      trackFrom(live),
      tracks.map((track) => trackFrom(track)),
      Pace.fromJSON(newest, steps),
      RecentPasses.fromJSON(passed),
    )
  }

  private get gaps(): Gaps {
    return this.pace.gaps(this.gapMs)
  }

  /** The track that a capture continues that is not newer than all others; undefined when it is late and begins one. */
  private nearestOf(at: number): Track | undefined {
    let nearest: Track | undefined
    for (const track of this.all) {
      const ahead = at - track.watermark
      if (ahead > this.gaps.passMs || (ahead <= 0 && !this.isInJitter(at, track))) continue
      if (!nearest || Math.abs(ahead) < Math.abs(at - nearest.watermark)) nearest = track
    }
    return nearest
  }

  /** Whether a capture that is older than the newest of a track comes out of order, not late. */
  private isInJitter(at: number, track: Track): boolean {
    const { jitterMs } = this.gaps
    return at >= track.watermark - jitterMs && this.newest - track.at <= jitterMs
  }

  /** Puts each detection into its pass, or opens one. @param track of the capture, if it continues one */
  private place(
    capture: Capture,
    detections: readonly Observation[],
    readIdOf: (index: number) => string,
    track: Track | undefined,
    result: Advance,
  ): void {
    const at = capture.capturedAt
    const isLate = at < this.newest && at < this.newest - this.gaps.jitterMs
    const assigned = this.open.length > 0 ? associate(this.open, capture, detections, this.gaps) : undefined
    let own = track
    const owning = () => (own ??= this.openLate(at))
    detections.forEach((detection, index) => {
      const pass = assigned?.get(index)
      if (pass) {
        const owner = this.all.find((one) => one.open.includes(pass))!
        // Where a vehicle was too long ago is not read again: its frame may have been sent twice.
        if (at <= pass.state.last.ts && !this.isInJitter(at, owner)) result.repeated += 1
        else this.extend(pass, capture, detection, readIdOf(index), owner, owning, result)
      } else if (isLate && this.passed.has(at, detection.plate)) result.repeated += 1
      else {
        const opened = OpenPass.open(readIdOf(index), capture, detection)
        if (isUntrackable(detection)) return void result.closed.push(opened)
        owning().add(opened)
        result.touched.push(opened)
      }
    })
  }

  /** Adds a detection to its pass, or to one that continues it. The track that has the newest detection closes it. */
  private extend(
    pass: OpenPass,
    capture: Capture,
    detection: Observation,
    readId: string,
    owner: Track,
    owning: () => Track,
    { closed, touched }: Advance,
  ): void {
    const { jitterMs } = this.gaps
    if (pass.isElsewhere(capture)) {
      const next = pass.continueWith(readId, capture, detection, jitterMs)
      closed.push(pass)
      owner.remove(pass)
      owning().add(next)
      touched.push(next)
      return
    }
    if (capture.capturedAt > pass.state.last.ts && owner !== owning()) {
      owner.remove(pass)
      owning().add(pass)
    }
    pass.extend(capture, detection, jitterMs)
    touched.push(pass)
  }

  private openLate(at: number): Track {
    const track = new Track(at, [], this.newest)
    this.late.push(track)
    return track
  }

  /** Ends late tracks without passes, and those that got nothing for a while: their segment is over. */
  private closeLate({ closed }: Advance): void {
    const overMs = Math.max(LATE_OVER_MS, this.gaps.passMs)
    for (const track of this.late) if (this.newest - track.at > overMs) closed.push(...track.closeAll())
    this.late = this.late.filter((track) => track.open.length > 0)
  }

  /** Closes what is too much. It is stored as it is; nothing is dropped. */
  private closeBeyondBounds(result: Advance): void {
    const { closed, bounds } = result
    while (this.late.length > MAX_LATE) {
      const idle = this.late.reduce((a, b) => (b.at < a.at ? b : a))
      this.late.splice(this.late.indexOf(idle), 1)
      closed.push(...idle.closeAll())
      bounds.push('late_tracks')
    }
    for (let left = this.open.length - MAX_OPEN; left > 0; left--) {
      const oldest = this.open.reduce((a, b) => (b.state.last.ts < a.state.last.ts ? b : a))
      this.remove(oldest)
      closed.push(oldest)
      if (left === 1) bounds.push('open_passes')
    }
    if (bounds.length > 0) result.touched = result.touched.filter((pass) => !closed.includes(pass))
  }

  private remove(pass: OpenPass): void {
    for (const track of this.all) if (track.remove(pass)) return
  }

  private remember({ state: { first, start = first, last }, texts }: OpenPass): void {
    this.passed.add(start.ts, last.ts, texts)
  }
}

const trackJson = (track: Track): TrackJson => ({
  watermark: Number.isFinite(track.watermark) ? track.watermark : null,
  open: track.open.map((pass) => pass.toJSON()),
})

const trackFrom = ({ watermark, open, at }: TrackJson & { at?: number }): Track =>
  new Track(
    watermark ?? -Infinity,
    open.map((pass) => OpenPass.fromJSON(pass)),
    at,
  )
