import { fineFloor, fineZoom, sigmoid } from './cascade'
import { storeBox } from './coarse'
import { MAX_CANDIDATES } from '../layout'
import { Net, tensorAt } from '../nets/net'
import { runNet } from '../nets/net_run'
import { normaliseInto } from '../nets/normalise'
import { boundsOverlap, isConvex, QUAD_BYTES } from './quad'
import { sampleWindow } from './sample'

/** The fine look: one window per box, in full resolution, gives the plate's four corners. */

const CELL: f64 = 8
/** Window pixels per unit of a predicted corner offset. */
const CORNER_UNIT: f64 = 32
/** Minimum window width, frame pixels. */
const MIN_WINDOW: f64 = 48
/** Overlap of bounding boxes above which two quads are one plate. */
const SAME_PLATE: f64 = 0.5
/** Overlap of a plate's and the frame's bounds from which the plate fills the frame. */
const FILLS: f64 = 0.4

const whole: usize = memory.data(40, 8)
const frame: usize = memory.data(64, 8)

/** Quads and their scores (f64), in the order found; after settleQuads sorted by score, without duplicates. */
const quads: usize = memory.data(16 * 64, 16)
const scores: usize = memory.data(16 * 8, 8)
let quadCount: u32 = 0
/** The only quad is that of a frame that shows one plate, so the frame's edges do not cut it. */
export let isCloseUp: bool = false

@inline
export function quadAt(index: u32): usize {
  return quads + index * QUAD_BYTES
}

@inline
export function quadScore(index: u32): f64 {
  return load<f64>(scores + index * 8)
}

export function forgetQuads(): void {
  quadCount = 0
  isCloseUp = false
}

/** Takes a fine look at a box (coarse.ts); true when it holds a plate with usable corners. */
export function lookAtBox(net: Net, box: usize, samples: usize): bool {
  const input = tensorAt(net, 0)
  const width = max(max(fineZoom * load<f64>(box, 16), 2 * fineZoom * load<f64>(box, 24)), MIN_WINDOW)
  const height = width * <f64>input.height / <f64>input.width
  const left = load<f64>(box) - width / 2
  const top = load<f64>(box, 8) - height / 2
  sampleWindow(left, top, width, height, input.width, input.height, samples)
  normaliseInto(samples, input)
  runNet(net)

  const map = tensorAt(net, net.layerCount)
  let best: usize = map.interior
  let bestX: u32 = 0
  let bestY: u32 = 0
  for (let y: u32 = 0; y < map.height; y++) {
    for (let x: u32 = 0; x < map.width; x++) {
      const cell = map.interior + y * map.rowStep + x * map.pixelStep
      if (load<f32>(cell) <= load<f32>(best)) continue
      best = cell
      bestX = x
      bestY = y
    }
  }
  const score = sigmoid(load<f32>(best))
  if (!(score > fineFloor) || quadCount == MAX_CANDIDATES) return false
  const unit = width / <f64>input.width
  const quad = quadAt(quadCount)
  for (let i: u32 = 0; i < 4; i++) {
    const x = (<f64>bestX + 0.5) * CELL + CORNER_UNIT * load<f32>(best + i * 8, 4)
    const y = (<f64>bestY + 0.5) * CELL + CORNER_UNIT * load<f32>(best + i * 8, 8)
    store<f64>(quad + i * 16, left + x * unit)
    store<f64>(quad + i * 16, top + y * unit, 8)
  }
  if (!isConvex(quad)) return false
  store<f64>(scores + 8 * quadCount++, score)
  return true
}

/**
 * Treats the frame (sides in pixels) as a picture of one plate: the corners are those of the fine look when they fill
 * the frame, otherwise the frame's own. The finder is not trained on such pictures, which come from people and from
 * other cameras; the reader decides whether it is a plate.
 */
export function lookAtWhole(net: Net, width: u32, height: u32, samples: usize): void {
  isCloseUp = true
  storeBox(whole, <f64>width / 2, <f64>height / 2, width, height, 1)
  for (let i: usize = 0; i < 4; i++) {
    store<f64>(frame + i * 16, i == 1 || i == 2 ? <f64>width : 0)
    store<f64>(frame + i * 16, i >= 2 ? <f64>height : 0, 8)
  }
  if (lookAtBox(net, whole, samples) && boundsOverlap(quadAt(0), frame) >= FILLS) return
  memory.copy(quadAt(0), frame, QUAD_BYTES)
  store<f64>(scores, fineFloor)
  quadCount = 1
}

/** Sorts the quads by score and drops duplicates; returns the number of plates left. */
export function settleQuads(): u32 {
  let kept: u32 = 0
  for (let i: u32 = 0; i < quadCount; i++) {
    // selection sort
    let best = i
    for (let k = i + 1; k < quadCount; k++) if (quadScore(k) > quadScore(best)) best = k
    if (best != i) swapQuads(i, best)
    let free = true
    for (let k: u32 = 0; k < kept && free; k++) free = boundsOverlap(quadAt(i), quadAt(k)) <= SAME_PLATE
    if (!free) continue
    if (kept != i) swapQuads(kept, i)
    kept++
  }
  quadCount = kept
  return kept
}

function swapQuads(a: u32, b: u32): void {
  for (let i: usize = 0; i < QUAD_BYTES; i += 8) {
    const value = load<f64>(quadAt(a) + i)
    store<f64>(quadAt(a) + i, load<f64>(quadAt(b) + i))
    store<f64>(quadAt(b) + i, value)
  }
  const score = quadScore(a)
  store<f64>(scores + a * 8, quadScore(b))
  store<f64>(scores + b * 8, score)
}
