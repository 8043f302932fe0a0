import type { Capture } from '../model/capture.js'
import { isUntrackable, type Observation } from '../model/observation.js'
import { associate } from './association.js'
import { type Ended, type LingeringJson, LingeringPasses } from './lingering_passes.js'
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
  /** Passes that closed, and those that took late detections after they had closed and take no more. */
  closed: OpenPass[]
  /** Passes that took a detection and are still open, or linger. */
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
  /** Missing when there are none. */
  lingering?: LingeringJson[]
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
 * whichever track that is. A late one also joins a pass that closed lately; only what closed earlier takes no more.
 */
export class Tracks {
  private constructor(
    private readonly gapMs: number,
    private readonly live: Track,
    private late: Track[],
    private readonly pace: Pace,
    private readonly lingering: LingeringPasses,
    private readonly passed: RecentPasses,
  ) {}

  static empty(gapMs: number): Tracks {
    return new Tracks(gapMs, new Track(), [], Pace.unknown(), LingeringPasses.empty(), RecentPasses.empty())
  }

  get open(): readonly OpenPass[] {
    return this.late.length === 0 ? this.live.open : this.all.flatMap((track) => track.open)
  }

  /** Closed passes that late detections may still join. */
  get lingeringPasses(): readonly OpenPass[] {
    return this.lingering.passes
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
    // They take detections of this capture already: it may have made the gap shorter.
    const over = track && track.open.length > 0 ? track.closeOver(capture, this.gaps) : []
    for (const pass of over) this.linger(pass)
    if (detections.length > 0) this.place(capture, detections, readIdOf, track, result)
    if (this.late.length > 0) this.closeLate(result)
    this.closeBeyondBounds(result)
    for (const pass of result.closed) this.linger(pass)
    result.closed.push(...over, ...this.end(this.lingering.takeOver(this.newest)))
    if (result.closed.length > 0 && result.touched.length > 0)
      result.touched = result.touched.filter((pass) => !result.closed.includes(pass))
    return result
  }

  /** Closes every open pass. None lingers. */
  closeAll(): OpenPass[] {
    const closed = this.all.flatMap((track) => track.closeAll())
    for (const pass of closed) this.remember(pass)
    this.late = []
    return [...closed, ...this.stopLingering()]
  }

  /** Lets no closed pass linger on. @returns those that took late detections: they close once more */
  stopLingering(): OpenPass[] {
    return this.end(this.lingering.takeAll())
  }

  toJSON(): TracksJson {
    const late = this.late.map((track) => ({ ...trackJson(track), at: track.at }))
    const steps = this.pace.toJSON()
    const lingering = this.lingering.toJSON()
    const passed = this.passed.toJSON()
    return {
      live: trackJson(this.live),
      ...(late.length > 0 && { late }),
      ...(steps.length > 0 && { steps }),
      ...(lingering.length > 0 && { lingering }),
      ...(passed.length > 0 && { passed }),
    }
  }

  static fromJSON({ live, late = [], lateAt = 0, steps, lingering, passed }: TracksJson, gapMs: number): Tracks {
    const tracks = (Array.isArray(late) ? late : [{ ...late, at: lateAt }]).filter(({ open }) => open.length > 0)
    const newest = live.watermark ?? -Infinity
    return new Tracks(
      gapMs,
      trackFrom(live),
      tracks.map((track) => trackFrom(track)),
      Pace.fromJSON(newest, steps),
      LingeringPasses.fromJSON(lingering),
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
    const candidates =
      at < this.newest && this.lingering.size > 0 ? [...this.open, ...this.lingering.passes] : this.open
    const assigned = candidates.length > 0 ? associate(candidates, capture, detections, this.gaps) : undefined
    let own = track
    const owning = () => (own ??= this.openLate(at))
    detections.forEach((detection, index) => {
      // Of a vehicle whose read is complete: its frame is sent again, or comes too late to change it.
      if (isLate && this.passed.has(at, detection.plate)) return void (result.repeated += 1)
      const pass = assigned?.get(index)
      if (pass && this.add(pass, capture, detection, readIdOf(index), owning, result)) return
      const opened = OpenPass.open(readIdOf(index), capture, detection)
      if (isUntrackable(detection)) return void result.closed.push(opened)
      owning().add(opened)
      result.touched.push(opened)
    })
  }

  /**
   * Adds a detection to its pass, unless the pass has it.
   * @returns false when the pass has closed at another place: the detection begins a new one
   */
  private add(
    pass: OpenPass,
    capture: Capture,
    detection: Observation,
    readId: string,
    owning: () => Track,
    result: Advance,
  ): boolean {
    const at = capture.capturedAt
    const owner = this.all.find((one) => one.open.includes(pass))
    if (!owner && pass.isElsewhere(capture)) return false
    // A report may have the time of the first: what it corrects must not wait for another vehicle.
    const isReport = detection.report !== undefined && at === pass.state.last.ts
    const isInOrder = at > pass.state.last.ts || isReport || (owner && this.isInJitter(at, owner))
    if (!isInOrder && pass.mayHave(at)) result.repeated += 1
    else if (owner) this.extend(pass, capture, detection, readId, owner, owning, result)
    else {
      pass.extend(capture, detection, this.gaps.jitterMs)
      result.touched.push(pass)
    }
    return true
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
  }

  private remove(pass: OpenPass): void {
    for (const track of this.all) if (track.remove(pass)) return
  }

  /** A pass has closed. */
  private linger(pass: OpenPass): void {
    if (pass.canLinger) this.lingering.add(pass, this.newest)
    else this.remember(pass)
  }

  /** @returns those that changed after they had closed */
  private end(ended: readonly Ended[]): OpenPass[] {
    for (const { pass } of ended) this.remember(pass)
    return ended.filter(({ changed }) => changed).map(({ pass }) => pass)
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
