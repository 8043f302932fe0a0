import type { Capture } from '../model/capture.js'
import type { Observation } from '../model/observation.js'
import { boxOf, distance } from './geometry.js'
import type { Gaps } from './pace.js'
import type { OpenPass } from './pass.js'
import { similarity } from './vote.js'

/**
 * Decides which detections of a capture belong to which open pass. Time, position, motion and text decide together:
 *
 *     text of both              how far apart they may be, in plate widths
 *     about the same (>= 0.7)   2 + 45 a second, at most 30: a fast car at a low frame rate. Never unbounded: text
 *                               alone does not merge
 *     half the same (>= 0.35)   1.5 + 6 a second, at most 6, from the expected position: a misread or a blurred frame;
 *                               never when a slow camera has not looked for longer than `misreadMs`, and then 0.75 is
 *                               the least of the line above: cars that stop at one line, or trigger the camera at one
 *                               place, often share some characters
 *     different                 0.5, and at most 0.6 s apart: nothing else can be there so soon, so it is a misread,
 *                               not a second car
 *
 * No two detections of one capture go to one pass. When a camera names its vehicles (`track`), the name decides. The
 * order of arrival does not: a detection that comes late is compared with where the vehicle was at that time.
 *
 * Greedy from the best pair on; ties go to the older pass and the better detection, so that a replay decides alike.
 * @returns the pass of each detection that has one, by index
 */
export function associate(
  passes: readonly OpenPass[],
  capture: Capture,
  detections: readonly Observation[],
  gaps: Gaps,
): Map<number, OpenPass> {
  const pairs: { cost: number; pass: number; detection: number }[] = []
  passes.forEach((pass, p) => {
    if (!pass.reaches(capture.capturedAt, gaps)) return
    detections.forEach((detection, d) => {
      const cost = costOf(pass, capture, detection, gaps)
      if (cost < Infinity) pairs.push({ cost, pass: p, detection: d })
    })
  })
  pairs.sort((a, b) => a.cost - b.cost || a.pass - b.pass || a.detection - b.detection)
  const assigned = new Map<number, OpenPass>()
  const taken = new Set<number>()
  for (const pair of pairs) {
    if (taken.has(pair.pass) || assigned.has(pair.detection)) continue
    taken.add(pair.pass)
    assigned.set(pair.detection, passes[pair.pass]!)
  }
  return assigned
}

/** Reports that begin the same vehicle come within this time, ms: a camera may send the first one twice. */
const NEW_MS = 3_000

/** The cost of adding a detection to a pass: lower is likelier, Infinity is impossible. */
function costOf(pass: OpenPass, capture: Capture, detection: Observation, gaps: Gaps): number {
  const { track } = pass.state
  if (track !== undefined || detection.track !== undefined) {
    if (track !== detection.track) return Infinity
    if (!detection.report) return 0
    const ms = Math.abs(capture.capturedAt - pass.state.last.ts)
    // A camera that counts its vehicles begins again now and then: `new` is another one. The nearest has the name now.
    return detection.report === 'new' && ms > NEW_MS ? Infinity : ms / 1e9
  }
  const near = pass.near(capture.capturedAt)
  if (!near || !detection.quad) return Infinity
  const box = boxOf(detection.quad)
  const { seconds } = near
  const width = Math.max(box.width, near.width)
  const ratio = box.width / near.width
  if (ratio > 1.6 + 3 * seconds || ratio < 1 / (1.6 + 3 * seconds)) return Infinity

  const alike = similarity(pass.vote.positions(), detection.positions)
  const straight = distance([box.x, box.y], [near.x, near.y]) / width
  const expected = near.expected ? distance([box.x, box.y], near.expected) / width : straight
  const nearest = Math.min(straight, expected)
  const allowed = allowedWidths(alike, seconds, gaps)
  // A camera whose vehicles stop at one place gives a distance of exactly 0.
  return allowed > 0 && nearest <= allowed ? nearest / (allowed + 1e-9) + 2 * (1 - alike) : Infinity
}

function allowedWidths(alike: number, seconds: number, { misreadMs }: Gaps): number {
  const least = seconds * 1_000 > misreadMs ? 0.75 : 0.7
  if (alike >= least) return Math.min(30, 2 + 45 * seconds)
  if (seconds * 1_000 > misreadMs) return 0
  if (alike >= 0.35) return Math.min(6, 1.5 + 6 * seconds)
  return seconds <= 0.6 ? 0.5 : 0
}
