import { candidates, coarseFloor, coarseShare, crowdFloor, sigmoid } from './cascade'
import { MAX_CANDIDATES } from '../layout'
import { Net, Tensor, tensorAt } from '../nets/net'
import { runNet } from '../nets/net_run'
import { normaliseInto } from '../nets/normalise'
import { sampleWindow } from './sample'

/** The coarse look: the whole frame at a fixed number of pixels proposes boxes that may hold a plate. */

/** Output pixels of the coarse input per cell. */
const CELL: f64 = 8
/** Overlap above which the weaker of two boxes is dropped. */
const SAME_PLACE: f64 = 0.4
/** Peaks kept for the overlap test, best first. */
const MAX_PEAKS: u32 = 128
/** Limit of the predicted log sizes: no frame has e^7 cells. */
const MAX_LOG_SIZE: f64 = 7

/** A box in frame pixels: f64 centre x, centre y, width, height, score. */
export const BOX_BYTES: usize = 40
const peaks: usize = memory.data(128 * 40, 16)
const boxes: usize = memory.data(16 * 40, 16)
let peakCount: u32 = 0
let boxCount: u32 = 0
export let sureBoxCount: u32 = 0

@inline
export function boxAt(index: u32): usize {
  return boxes + index * BOX_BYTES
}

export let coarseWidth: u32 = 0
export let coarseHeight: u32 = 0

/**
 * Input size for a frame: about nominalWidth * nominalHeight pixels in the frame's aspect ratio, sides multiples of 16
 * and at least 32; never enlarged except by rounding up.
 */
export function sizeCoarseInput(net: Net, width: u32, height: u32): void {
  const area = net.nominalWidth * net.nominalHeight
  const k = sqrt(<f64>area / (<f64>width * <f64>height))
  if (k >= 1) {
    coarseWidth = (width + 15) & ~15
    coarseHeight = (height + 15) & ~15
  } else {
    coarseWidth = <u32>Math.floor(<f64>width * k / 16 + 0.5) << 4
    coarseHeight = <u32>Math.floor(<f64>height * k / 16 + 0.5) << 4
  }
  coarseWidth = max<u32>(coarseWidth, 32)
  coarseHeight = max<u32>(coarseHeight, 32)
  while (coarseWidth * coarseHeight > area && max(coarseWidth, coarseHeight) > 32) {
    if (coarseWidth >= coarseHeight) coarseWidth -= 16
    else coarseHeight -= 16
  }
}

/** Takes the coarse look at the frame. Returns the number of boxes, which are sorted by score, best first. */
export function lookAtFrame(net: Net, width: u32, height: u32, samples: usize): u32 {
  const input = tensorAt(net, 0)
  sampleWindow(0, 0, width, height, input.width, input.height, samples)
  normaliseInto(samples, input)
  runNet(net)
  const output = tensorAt(net, net.layerCount)
  peakCount = 0
  for (let y: u32 = 0; y < output.height; y++) collectPeaks(output, y)
  return keepBest(<f64>width / <f64>input.width, <f64>height / <f64>input.height)
}

/**
 * Collects the peaks of one row: cells above the floor that are the largest of their 3x3 neighbourhood, the first on
 * ties.
 */
function collectPeaks(map: Tensor, y: u32): void {
  for (let x: u32 = 0; x < map.width; x++) {
    const cell = map.interior + y * map.rowStep + x * map.pixelStep
    const heat = load<f32>(cell)
    const score = sigmoid(heat)
    if (!(score > coarseFloor) || !isPeak(map, cell, heat, y, x)) continue
    insertPeak(
      (<f64>x + 0.5 + load<f32>(cell, 4)) * CELL, (<f64>y + 0.5 + load<f32>(cell, 8)) * CELL,
      CELL * Math.exp(bounded(load<f32>(cell, 12))), CELL * Math.exp(bounded(load<f32>(cell, 16))), score)
  }
}

@inline
function bounded(size: f64): f64 {
  return max(-MAX_LOG_SIZE, min(MAX_LOG_SIZE, size))
}

function isPeak(map: Tensor, cell: usize, heat: f32, y: u32, x: u32): bool {
  for (let dy: i32 = -1; dy <= 1; dy++) {
    for (let dx: i32 = -1; dx <= 1; dx++) {
      if (dy == 0 && dx == 0) continue
      if (<u32>(<i32>y + dy) >= map.height || <u32>(<i32>x + dx) >= map.width) continue
      const other = load<f32>(cell + dy * <i32>map.rowStep + dx * <i32>map.pixelStep)
      const earlier = dy < 0 || (dy == 0 && dx < 0)
      if (earlier ? other >= heat : other > heat) return false
    }
  }
  return true
}

/** Inserts into `peaks`, sorted by score, the earlier first on ties; a full list drops the worst. */
function insertPeak(x: f64, y: f64, width: f64, height: f64, score: f64): void {
  let at = peakCount
  if (at == MAX_PEAKS) {
    at--
    if (load<f64>(peaks + at * BOX_BYTES, 32) >= score) return
  } else {
    peakCount++
  }
  while (at > 0 && load<f64>(peaks + (at - 1) * BOX_BYTES, 32) < score) {
    memory.copy(peaks + at * BOX_BYTES, peaks + (at - 1) * BOX_BYTES, BOX_BYTES)
    at--
  }
  storeBox(peaks + at * BOX_BYTES, x, y, width, height, score)
}

export function storeBox(box: usize, x: f64, y: f64, width: f64, height: f64, score: f64): void {
  store<f64>(box, x)
  store<f64>(box, y, 8)
  store<f64>(box, width, 16)
  store<f64>(box, height, 24)
  store<f64>(box, score, 32)
}

/**
 * Drops peaks that overlap a better one and copies the best into `boxes`, in frame pixels: `candidates` of them, more
 * when more have a high score. The first `sureBoxCount` are near the best score; the others are examined only when no
 * plate is read in these.
 */
function keepBest(scaleX: f64, scaleY: f64): u32 {
  boxCount = 0
  sureBoxCount = 0
  const least = coarseShare * load<f64>(peaks, 32)
  for (let i: u32 = 0; i < peakCount && boxCount < MAX_CANDIDATES; i++) {
    const peak = peaks + i * BOX_BYTES
    const score = load<f64>(peak, 32)
    if (boxCount >= candidates && score < crowdFloor) break
    let free = true
    for (let k: u32 = 0; k < boxCount && free; k++) free = boxOverlap(peak, boxAt(k)) <= SAME_PLACE
    if (!free) continue
    memory.copy(boxAt(boxCount++), peak, BOX_BYTES)
    if (score >= least) sureBoxCount = boxCount
  }
  for (let k: u32 = 0; k < boxCount; k++) {
    const box = boxAt(k)
    storeBox(box, load<f64>(box) * scaleX, load<f64>(box, 8) * scaleY,
      load<f64>(box, 16) * scaleX, load<f64>(box, 24) * scaleY, load<f64>(box, 32))
  }
  return boxCount
}

/** Intersection over union of two boxes. */
function boxOverlap(a: usize, b: usize): f64 {
  const aw = load<f64>(a, 16), ah = load<f64>(a, 24), bw = load<f64>(b, 16), bh = load<f64>(b, 24)
  const w = min(load<f64>(a) + aw / 2, load<f64>(b) + bw / 2) - max(load<f64>(a) - aw / 2, load<f64>(b) - bw / 2)
  const h = min(load<f64>(a, 8) + ah / 2, load<f64>(b, 8) + bh / 2) -
    max(load<f64>(a, 8) - ah / 2, load<f64>(b, 8) - bh / 2)
  if (!(w > 0 && h > 0)) return 0
  return w * h / (aw * ah + bw * bh - w * h)
}
