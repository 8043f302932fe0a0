import type { Quad } from '../../wasm/mod.js'
import type { Camera } from '../model/camera.js'
import type { Capture } from '../model/capture.js'
import type { Hit } from '../model/hit.js'
import type { CropRef, Read } from '../model/read.js'
import { boxOf, distance, type Box } from './geometry.js'
import { isUntrackable, type Observation } from '../model/observation.js'
import { Vote } from './vote.js'

/** The detection that shows the plate best so far: the pictures are made from its frame. */
export interface BestView {
  /** Sequence of its frame; undefined without a frame, and then there will be no pictures. */
  seq?: number
  ts: number
  /** Plate height in pixels x sharpness x confidence x absence of glare; only its order matters. */
  merit: number
  quad?: Quad
  quality: Read['quality']
}

/** The last published revision of a hit of this pass. Part of the checkpoint, so revisions continue after a restart. */
export interface PublishedHit {
  revision: number
  state: 'possible' | 'withdrawn'
  /** Frames of the pass when this revision was made. */
  frames: number
  /** What it said about the list: a withdrawal repeats it, even when the entry no longer exists. */
  listed: Pick<Hit, 'listName' | 'listVersion' | 'listLoadedAt' | 'reason' | 'priority'>
}

/** A pass that is still open: one vehicle passing one camera. Plain data, written to the checkpoint as it is. */
export interface PassState {
  readId: string
  /** Width 0 and no box mean that the camera did not say where in its picture the plate was. */
  first: { ts: number; lat: number; lon: number; width: number; box?: Box }
  last: { ts: number; box?: Box; width: number }
  /** The camera's own name for the vehicle, if it gives one. */
  track?: string
  /** Pixels per millisecond, smoothed; unknown until the second detection. */
  velocity?: { x: number; y: number }
  heading?: number
  speed?: number
  feed: string
  frames: number
  /** Sum of logit(confidence) of the detections by their text: at most 8 texts, the rarest is dropped. */
  texts: Record<string, { frames: number; logits: number }>
  /** Sum of the confidences of each region. */
  regions: Record<string, number>
  best: BestView
  /** By `<list>.<listed plate>`. */
  hits: Record<string, PublishedHit>
  /** The frame of the best view, when no picture can be made of it. */
  pictureless?: number
  /** The pictures made last, and the frame they were made from. */
  pictures?: { seq: number; crop: CropRef; picture: CropRef }
}

/** A pass in a checkpoint. */
export interface PassJson {
  state: PassState
  vote: ReturnType<Vote['toJSON']>
}

const MAX_TEXTS = 8

/** The detections of one vehicle so far, voted into one read. */
export class OpenPass {
  /** @param sole the only detection of a pass that cannot have another */
  private constructor(
    readonly state: PassState,
    readonly vote: Vote,
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
    if (untrackable) return new OpenPass(state, Vote.empty(), detection)
    const pass = new OpenPass(state, Vote.empty())
    pass.extend(capture, detection)
    return pass
  }

  /** Adds a detection of the same vehicle. */
  extend(capture: Capture, detection: Observation): void {
    const { state } = this
    const box = detection.quad && boxOf(detection.quad)
    const elapsed = capture.capturedAt - state.last.ts
    if (elapsed > 0 && box && state.last.box) {
      const now = { x: (box.x - state.last.box.x) / elapsed, y: (box.y - state.last.box.y) / elapsed }
      const old = state.velocity
      state.velocity = old ? { x: (old.x + now.x) / 2, y: (old.y + now.y) / 2 } : now
    }
    if (capture.capturedAt >= state.last.ts) state.last = { ts: capture.capturedAt, box, width: box?.width ?? 0 }
    state.frames += 1
    this.vote.add(detection.positions, weightOf(detection))
    this.count(detection)
    const view = viewOf(capture, detection)
    if (view.merit > state.best.merit) state.best = view
  }

  /** Whether it stayed in one place for at least 5 s: parked or in a queue, not driving by. */
  get parked(): boolean {
    const { first, last } = this.state
    if (!first.box || !last.box) return false
    return (
      last.ts - first.ts >= 5_000 && distance([first.box.x, first.box.y], [last.box.x, last.box.y]) < first.box.width
    )
  }

  /** 0..1: the mean certainty of the detections that read `plate`; more for more of them, less when others disagree. */
  confidenceOf(plate: string): number {
    const agreeing = this.state.texts[plate]
    if (!agreeing) return this.vote.best(1)[0]?.probability ?? 0
    const certainty = sigmoid(agreeing.logits / agreeing.frames + 0.7 * Math.log(agreeing.frames))
    return certainty * (0.5 + (0.5 * agreeing.frames) / this.state.frames)
  }

  /** The read according to the current votes. */
  toRead(camera: Camera, { module, model, lists }: { module: string; model: string; lists: string }): Read {
    const {
      state: { readId, frames, first, last, best, pictures, feed },
      sole,
    } = this
    const { plate, confidence, alternates, region, positions } = this.voted()
    const { direction, heading } = this.movement(camera)
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
    return { state: this.state, vote: this.vote.toJSON() }
  }

  static fromJSON(json: PassJson): OpenPass {
    return new OpenPass(json.state, Vote.fromJSON(json.vote))
  }

  /**
   * A plate that grows approaches. For a fixed camera that gives the compass direction too: an approaching vehicle
   * drives against the camera's view, a leaving one along it.
   */
  private movement(camera: Camera): Pick<Read, 'direction' | 'heading'> {
    const { first, last, frames } = this.state
    if (frames < 2) return { direction: 'unknown' }
    if (this.parked) return { direction: 'still' }
    const growth = last.width / first.width
    const direction = growth > 1.1 ? 'approaching' : growth < 0.9 ? 'leaving' : 'unknown'
    if (direction === 'unknown' || camera.kind !== 'fixed' || camera.heading === undefined) return { direction }
    return { direction, heading: direction === 'leaving' ? camera.heading : (camera.heading + 180) % 360 }
  }

  private count(detection: Observation): void {
    const { texts, regions } = this.state
    const entry = (texts[detection.plate] ??= { frames: 0, logits: 0 })
    entry.frames += 1
    entry.logits += logit(detection.confidence)
    if (detection.region) regions[detection.region] = (regions[detection.region] ?? 0) + detection.regionConfidence
    const names = Object.keys(texts)
    if (names.length > MAX_TEXTS) {
      const weakest = names.reduce((a, b) => (texts[b]!.frames < texts[a]!.frames ? b : a))
      delete texts[weakest]
    }
  }
}

function viewOf(capture: Capture, detection: Observation): BestView {
  const { heightPx, sharpness, contrast, glare } = detection.quality
  return {
    seq: capture.jpeg ? capture.seq : undefined,
    ts: capture.capturedAt,
    quad: detection.quad,
    merit: heightPx * Math.max(sharpness, 1e-3) * Math.max(detection.confidence, 1e-3) * (1 - Math.min(glare, 0.9)),
    quality: { heightPx, sharpness, contrast, glare },
  }
}

/**
 * Plate height (pixels) and sharpness beyond which a detection's weight no longer grows; share of blown-out pixels that
 * halves it.
 */
const ENOUGH = { heightPx: 24, sharpness: 0.5, glare: 0.25 }

/** The weight of a detection in the vote, 0.05..1: more for a confident, large, sharp one without glare. */
export function weightOf({ confidence, quality }: Pick<Observation, 'confidence' | 'quality'>): number {
  // A camera that reads plates itself does not report the quality of its picture.
  if (quality.heightPx === 0) return Math.max(0.05, confidence)
  const size = Math.min(1, quality.heightPx / ENOUGH.heightPx)
  const sharpness = Math.min(1, quality.sharpness / ENOUGH.sharpness)
  return Math.max(0.05, (confidence * size * sharpness) / (1 + quality.glare / ENOUGH.glare))
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
