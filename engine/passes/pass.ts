import type { Camera } from '../model/camera.js'
import type { Capture } from '../model/capture.js'
import { isUntrackable, type Observation } from '../model/observation.js'
import type { Read } from '../model/read.js'
import { type Box, boxOf } from './geometry.js'
import { MemberTimes } from './member_times.js'
import { isElsewhere, isParked, metresBetween, movementOf } from './movement.js'
import type { Gaps } from './pace.js'
import type { PassJson, PassState } from './pass_state.js'
import { around, between, extendTrail, placesOf, type Near } from './trail.js'
import { viewOf, weightOf } from './view.js'
import { Vote } from './vote.js'

const MAX_TEXTS = 8

/** Motion is trusted for this long ahead, ms; beyond, a car has braked or turned. */
const AHEAD_MS = 500

/** A vehicle of which a camera reports may be reported again for so long, ms. */
const REPORTED_MS = 60_000

/** The detections of one vehicle so far, voted into one read. */
export class OpenPass {
  /** Closed because another pass continues it. */
  private next = false

  /** @param sole the only detection of a pass that cannot have another */
  private constructor(
    readonly state: PassState,
    public vote: Vote,
    private readonly members: MemberTimes,
    private readonly sole?: Observation,
  ) {}

  /** @param readId derived from the position of this detection on the stream */
  static open(readId: string, capture: Capture, detection: Observation): OpenPass {
    const box = detection.quad && boxOf(detection.quad)
    const untrackable = isUntrackable(detection)
    const state: PassState = {
      readId,
      first: { ts: capture.capturedAt, lat: capture.lat, lon: capture.lon, width: box?.width ?? 0, box },
      last: { ts: capture.capturedAt, box, width: box?.width ?? 0 },
      arrivedAt: capture.arrivedAt,
      track: detection.track,
      heading: capture.heading,
      speed: capture.speed,
      feed: capture.feed,
      frames: untrackable ? 1 : 0,
      texts: {},
      regions: {},
      hits: {},
      best: viewOf(capture, detection),
    }
    const members = MemberTimes.of(capture.capturedAt)
    if (untrackable) return new OpenPass(state, Vote.empty(), members, detection)
    const pass = new OpenPass(state, Vote.empty(), members)
    pass.extend(capture, detection, 0)
    return pass
  }

  /**
   * The pass that continues this one, which must be closed now, at another place, because its camera moved. It has the
   * vote of this one and shares its hits, so that a vehicle that is followed is one hit.
   * @param readId derived from the position of this detection on the stream
   */
  continueWith(readId: string, capture: Capture, detection: Observation, jitterMs: number): OpenPass {
    const { state } = this
    const opened = OpenPass.open(readId, capture, detection).state
    const next = new OpenPass(
      {
        ...opened,
        last: state.last,
        velocity: state.velocity,
        frames: 0,
        texts: structuredClone(state.texts),
        regions: { ...state.regions },
        hits: state.hits,
        followed: {
          readId: state.followed?.readId ?? state.readId,
          ts: state.followed?.ts ?? state.first.ts,
          frames: this.votes,
        },
      },
      Vote.fromJSON(this.vote.toJSON()),
      MemberTimes.of(capture.capturedAt),
    )
    next.extend(capture, detection, jitterMs)
    this.next = true
    return next
  }

  /** Adds a detection of the same vehicle. @param jitterMs how far behind it others may come */
  extend(capture: Capture, detection: Observation, jitterMs: number): void {
    const { state } = this
    const box = detection.quad && boxOf(detection.quad)
    const ts = capture.capturedAt
    const width = box?.width ?? 0
    this.members.add(ts, (state.start ?? state.first).ts)
    if (ts >= state.last.ts) this.advance(capture, box, jitterMs)
    else if (ts < (state.start ?? state.first).ts) state.start = { ts, box, width }
    const movedM = metresBetween(state.first, capture)
    if (movedM > (state.movedM ?? 0)) state.movedM = Math.ceil(movedM * 10) / 10
    state.arrivedAt = Math.max(this.arrivedAt, capture.arrivedAt)
    state.frames += 1
    if (detection.report) this.hear(capture, detection)
    else this.vote.add(detection.positions, weightOf(detection))
    this.count(detection)
    const view = viewOf(capture, detection)
    if (view.merit > state.best.merit) state.best = view
  }

  /** When its last detection arrived on the stream, ms: decides which versions of the hot lists apply to it. */
  get arrivedAt(): number {
    return this.state.arrivedAt ?? this.state.last.ts
  }

  /** Whether a detection at this time may be of this vehicle. */
  reaches(at: number, gaps: Gaps): boolean {
    const { first, start = first, last } = this.state
    return at <= last.ts + this.gapOf(gaps) && at >= start.ts - gaps.passMs
  }

  /** Whether it has a detection at this time, or may have had: the times of older ones are forgotten. */
  mayHave(at: number): boolean {
    const { first, start = first } = this.state
    return this.members.mayHave(at, start.ts)
  }

  /** Whether this vehicle is gone. @param now event time of its track, ms @param capture the last one of its track */
  isOver(now: number, capture: Capture, gaps: Gaps): boolean {
    const { first, last } = this.state
    if (now - last.ts > this.gapOf(gaps)) return true
    return capture.capturedAt > last.ts && isElsewhere(last.at ?? first, capture)
  }

  /** Whether its read has another place than this capture: it began too far from here. */
  isElsewhere(capture: Capture): boolean {
    return capture.capturedAt >= this.state.last.ts && isElsewhere(this.state.first, capture)
  }

  /** Where the vehicle was about that time; undefined when the camera did not say where in its picture. */
  near(at: number): Near | undefined {
    const { first, start = first, last, trail = [], velocity } = this.state
    if (!first.box || !start.box || !last.box) return undefined
    const ms = at >= last.ts ? at - last.ts : at < start.ts ? at - start.ts : undefined
    if (ms === undefined) {
      const places = [{ ts: start.ts, ...start.box }, ...placesOf(trail, first.ts), { ts: last.ts, ...last.box }]
      const { before, after } = around(places, at)
      return between(before!, after!, at)
    }
    const { x, y, width } = ms >= 0 ? last.box : start.box
    const ahead = Math.max(-AHEAD_MS, Math.min(ms, AHEAD_MS))
    const expected = velocity && ([x + velocity.x * ahead, y + velocity.y * ahead] as const)
    return { x, y, width, seconds: Math.abs(ms) / 1_000, expected }
  }

  /** Whether it stayed in one place for at least 5 s: parked or in a queue, not driving by. */
  get parked(): boolean {
    return isParked(this.state)
  }

  /** What its detections read, misreads too: at most 8 texts. */
  get texts(): string[] {
    return this.sole ? [this.sole.plate] : Object.keys(this.state.texts)
  }

  /** Its read is in the store, pictures and all, or will be with the next checkpoint. */
  noteStored({ version, tsLast }: Read): void {
    this.state.stored = { frames: version, ts: tsLast }
  }

  /** Whether its read is in the store as it is now: nothing is left to do until another detection comes. */
  get isStored(): boolean {
    return this.state.stored?.frames === this.state.frames
  }

  /** Whether late detections may join it when it has closed. */
  get canLinger(): boolean {
    return !this.sole && !this.next
  }

  /** Whether a picture of its best view is still to be made. */
  get needsPicture(): boolean {
    const { best, pictures, pictureless } = this.state
    return best.seq !== undefined && pictures?.seq !== best.seq && pictureless !== best.seq
  }

  /** Whether another pass continues it: that one updates their hits. */
  get continued(): boolean {
    return this.next
  }

  /** Detections in the vote: with those of the passes that it continues. */
  private get votes(): number {
    return this.state.frames + (this.state.followed?.frames ?? 0)
  }

  private gapOf(gaps: Gaps): number {
    if (this.state.reported && !this.state.lost) return Math.max(REPORTED_MS, gaps.passMs)
    return this.parked ? gaps.parkedMs : gaps.passMs
  }

  /** The latest report replaces those before, also one that came out of order. */
  private hear({ capturedAt: ts }: Capture, detection: Observation): void {
    const { state } = this
    if (detection.report === 'lost') state.lost = true
    const before = state.reported
    if (before && ts < before.ts) return
    const { plate, confidence, region, alternates } = detection
    state.reported = { ts, plate, confidence, region: region ?? before?.region ?? '', alternates: [...alternates] }
    this.vote = Vote.empty()
    this.vote.add(detection.positions, weightOf(detection))
    // What was found for the former text must be checked, however many reports there were.
    if (before && before.plate !== plate) delete state.checked
  }

  /** Moves to the latest detection. */
  private advance({ capturedAt: ts, lat, lon }: Capture, box: Box | undefined, jitterMs: number): void {
    const { state } = this
    const { first, last } = state
    const elapsed = ts - last.ts
    if (elapsed > 0 && box && last.box) {
      const { x, y } = { x: (box.x - last.box.x) / elapsed, y: (box.y - last.box.y) / elapsed }
      const old = state.velocity ?? { x, y }
      state.velocity = { x: Math.fround((old.x + x) / 2), y: Math.fround((old.y + y) / 2) }
      extendTrail((state.trail ??= []), first.ts, { ts: last.ts, ...last.box }, jitterMs)
    }
    state.last = { ts, box, width: box?.width ?? 0 }
    if (lat !== first.lat || lon !== first.lon) state.last.at = { lat, lon }
  }

  /** 0..1: the mean certainty of the detections that read `plate`; more for more of them, less when others disagree. */
  confidenceOf(plate: string): number {
    const agreeing = this.state.texts[plate]
    if (!agreeing) return this.vote.best(1)[0]?.probability ?? 0
    const certainty = sigmoid(agreeing.logits / agreeing.frames + 0.7 * Math.log(agreeing.frames))
    return certainty * (0.5 + (0.5 * agreeing.frames) / this.votes)
  }

  /** The read according to the current votes. */
  toRead(camera: Camera, { module, model, lists }: { module: string; model: string; lists: string }): Read {
    const {
      state: { readId, frames, first, last, best, pictures, feed },
      sole,
    } = this
    const { plate, confidence, alternates, region, positions } = this.voted()
    const { direction, heading } = movementOf(this.state, camera)
    // Written out: tens of thousands are made per second, and spreading other objects into one costs several times as
    // much.
    const read: Read = {
      readId,
      version: frames,
      plate,
      confidence,
      alternates,
      region,
      camera: camera.id,
      ts: first.ts,
      tsLast: last.ts,
      lat: first.lat,
      lon: first.lon,
      heading,
      direction,
      frames,
      quality: best.quality,
      crop: pictures?.crop,
      picture: pictures?.picture,
      feed,
      module,
      model,
      lists,
      positions,
    }
    if (sole) read.only = true
    return read
  }

  /** The result of the votes; for a pass of one detection, that detection. */
  private voted(): Pick<Read, 'plate' | 'confidence' | 'alternates' | 'region' | 'positions'> {
    if (this.sole)
      return {
        plate: this.sole.plate,
        confidence: this.sole.confidence,
        alternates: this.sole.alternates,
        region: this.sole.region ?? '',
        positions: this.sole.positions,
      }
    const { reported } = this.state
    if (reported) {
      const { plate, confidence, alternates, region } = reported
      return { plate, confidence, alternates, region, positions: this.vote.likelyPositions() }
    }
    const [top, ...others] = this.vote.best(6)
    const plate = top?.plate ?? ''
    return {
      plate,
      confidence: this.confidenceOf(plate),
      alternates: others
        .filter((text) => text.plate !== '')
        .slice(0, 5)
        .map((text) => ({ plate: text.plate, confidence: text.probability })),
      region: heaviest(this.state.regions),
      positions: this.vote.likelyPositions(),
    }
  }

  toJSON(): PassJson {
    const members = this.members.toJSON()
    return { state: this.state, vote: this.vote.toJSON(), ...(members.length > 0 && { members }) }
  }

  static fromJSON(json: PassJson): OpenPass {
    const { state, vote, members } = json
    return new OpenPass(state, Vote.fromJSON(vote), MemberTimes.fromJSON(state.last.ts, members))
  }

  private count(detection: Observation): void {
    const { texts, regions } = this.state
    const entry = (texts[detection.plate] ??= { frames: 0, logits: 0 })
    entry.frames += 1
    entry.logits = Math.fround(entry.logits + logit(detection.confidence))
    if (detection.region) regions[detection.region] = (regions[detection.region] ?? 0) + detection.regionConfidence
    const names = Object.keys(texts)
    if (names.length > MAX_TEXTS) {
      const weakest = names.reduce((a, b) => (texts[b]!.frames < texts[a]!.frames ? b : a))
      delete texts[weakest]
    }
  }
}

/** Keeps confidences away from 0 and 1, where one detection would outvote any number of others. */
function logit(p: number): number {
  const q = Math.min(0.995, Math.max(0.005, p))
  return Math.log(q / (1 - q))
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

/** The name with the largest weight, '' when there is none. */
function heaviest(weights: Record<string, number>): string {
  return Object.entries(weights).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0]?.[0] ?? ''
}
