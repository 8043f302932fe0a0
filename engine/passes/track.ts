import type { Capture } from '../model/capture.js'
import { boxOf, distance } from './geometry.js'
import { OpenPass } from './pass.js'
import { isUntrackable, type Observation } from '../model/observation.js'
import { similarity } from './vote.js'

/**
 * The passes of one camera along one line of event time. A track takes captures in stream order and adds each detection
 * to an open pass or opens a new one. Position, motion and text together decide which detections belong together:
 *
 *     text of both              how far apart they may be, in plate widths
 *     about the same (>= 0.7)   2 + 45 a second, at most 30: a fast car at a low frame rate. Never unbounded: text
 *                               alone does not merge
 *     half the same (>= 0.35)   1.5 + 6 a second, at most 6, from the expected position: a misread or a blurred frame
 *     different                 0.5, and at most 0.6 s apart: nothing else can be there so soon, so it is a misread,
 *                               not a second car
 *
 * No two detections of one capture go to one pass. When a camera names its vehicles (`track`), the name decides; a
 * detection with neither position nor name is a pass of its own, closed at once.
 */
export class Track {
  constructor(
    private readonly gapMs: number,
    private passes: OpenPass[] = [],
    public watermark = -Infinity,
  ) {}

  /** Others may hide a parked car for a long time; it remains one read. */
  static readonly PARKED_GAP_MS = 120_000
  /** Most open passes of a track; beyond it the one not seen for longest is closed. */
  static readonly MAX_OPEN = 64

  get open(): readonly OpenPass[] {
    return this.passes
  }

  /**
   * Advances event time to this capture and adds its detections.
   * @returns the closed passes, the passes that took a detection, and whether the bound on open passes took effect
   */
  advance(
    capture: Capture,
    detections: readonly Observation[],
    readIdOf: (index: number) => string,
  ): { closed: OpenPass[]; touched: OpenPass[]; overflowed: boolean } {
    this.watermark = Math.max(this.watermark, capture.capturedAt)
    const closed = this.closeQuiet()
    const assigned = this.associate(capture, detections)
    const touched: OpenPass[] = []
    detections.forEach((detection, index) => {
      const pass = assigned.get(index) ?? OpenPass.open(readIdOf(index), capture, detection)
      if (isUntrackable(detection)) return void closed.push(pass)
      if (assigned.has(index)) pass.extend(capture, detection)
      else this.passes.push(pass)
      touched.push(pass)
    })
    const overflowed = this.passes.length > Track.MAX_OPEN
    while (this.passes.length > Track.MAX_OPEN) closed.push(this.removeOldest())
    return { closed, touched, overflowed }
  }

  /** Closes every pass: event time went back, so none can continue. */
  closeAll(): OpenPass[] {
    this.watermark = -Infinity
    return this.passes.splice(0)
  }

  private closeQuiet(): OpenPass[] {
    const quiet = (pass: OpenPass) =>
      this.watermark - pass.state.last.ts > (pass.parked ? Track.PARKED_GAP_MS : this.gapMs)
    const closed = this.passes.filter(quiet)
    if (closed.length > 0) this.passes = this.passes.filter((pass) => !quiet(pass))
    return closed
  }

  /**
   * Greedy from the best pair on; ties go to the older pass and the better detection, so that a replay decides alike.
   */
  private associate(capture: Capture, detections: readonly Observation[]): Map<number, OpenPass> {
    const pairs: { cost: number; pass: number; detection: number }[] = []
    this.passes.forEach((pass, p) => {
      detections.forEach((detection, d) => {
        const cost = costOf(pass, capture, detection)
        if (cost < Infinity) pairs.push({ cost, pass: p, detection: d })
      })
    })
    pairs.sort((a, b) => a.cost - b.cost || a.pass - b.pass || a.detection - b.detection)
    const assigned = new Map<number, OpenPass>()
    const taken = new Set<number>()
    for (const pair of pairs) {
      if (taken.has(pair.pass) || assigned.has(pair.detection)) continue
      taken.add(pair.pass)
      assigned.set(pair.detection, this.passes[pair.pass]!)
    }
    return assigned
  }

  private removeOldest(): OpenPass {
    const oldest = this.passes.reduce((a, b) => (b.state.last.ts < a.state.last.ts ? b : a))
    this.passes.splice(this.passes.indexOf(oldest), 1)
    return oldest
  }
}

/** The cost of adding a detection to a pass: lower is likelier, Infinity is impossible. */
function costOf(pass: OpenPass, capture: Capture, detection: Observation): number {
  const { last, velocity, track } = pass.state
  if (track !== undefined || detection.track !== undefined) return track === detection.track ? 0 : Infinity
  if (!last.box || !detection.quad) return Infinity
  const box = boxOf(detection.quad)
  const seconds = Math.abs(capture.capturedAt - last.ts) / 1000
  const width = Math.max(box.width, last.box.width)
  const ratio = box.width / last.box.width
  if (ratio > 1.6 + 3 * seconds || ratio < 1 / (1.6 + 3 * seconds)) return Infinity

  const alike = similarity(pass.vote.positions(), detection.positions)
  const straight = distance([box.x, box.y], [last.box.x, last.box.y]) / width
  // Motion is trusted for half a second ahead; beyond, a car has braked or turned.
  const ahead = Math.min(seconds, 0.5) * 1000
  const expected = velocity
    ? distance([box.x, box.y], [last.box.x + velocity.x * ahead, last.box.y + velocity.y * ahead]) / width
    : straight
  const nearest = Math.min(straight, expected)
  const allowed =
    alike >= 0.7
      ? Math.min(30, 2 + 45 * seconds)
      : alike >= 0.35
        ? Math.min(6, 1.5 + 6 * seconds)
        : seconds <= 0.6
          ? 0.5
          : 0
  return nearest <= allowed ? nearest / (allowed + 1e-9) + 2 * (1 - alike) : Infinity
}
