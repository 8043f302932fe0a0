import {
  beamWidth, calibrationA, calibrationB, marginAt, marginCount, readFloor, readHopeless, readSure, sigmoid,
  twoLineBelow,
} from '../cascade/cascade'
import { isCloseUp } from '../cascade/fine'
import {
  ALTERNATE_BYTES, CLASSES, MAX_ALTERNATES, RECORD_ALTERNATE_COUNT, RECORD_ALTERNATES, RECORD_BYTES, RECORD_CONFIDENCE,
  RECORD_HEIGHT,
  RECORD_LENGTH, RECORD_POSITIONS, RECORD_REGION, RECORD_REGION_CONFIDENCE, RECORD_SCORE, RECORD_TEXT, RECORD_WIDTH,
} from '../layout'
import {
  dropLastCrop, forgetCrops, judgeTexts, keepLastCrop, meanPosteriors, nextCrop, proposedTexts, spell, takeCrop,
  textPrefix, textShare,
} from './crop_ensemble'
import { Net, tensorAt } from '../nets/net'
import { runNet } from '../nets/net_run'
import { levelHeight, levelWidth } from '../cascade/pyramid'
import { QUAD_BYTES, quadHeight, quadWidth, quadX, quadY } from '../cascade/quad'
import { rateQuality } from './quality'
import { LOWER_LINE, showQuad, UPPER_LINE, WHOLE } from './reader_input'
import { lookForRegion, namedRegion, regionShare } from './region'
import { softenPositions } from './soften'
import { mixSyntax, weighPositions } from './syntax'

/** The reader: runs the net on a quad at each margin and weighs the texts that result. */

/** Factor of the confidence of a plate that the frame's edge cuts: its text is probably incomplete. */
const CUT_FACTOR: f64 = 0.25
/**
 * A side nearer to the edge than this fraction of the width is cut, because the quad encloses only the visible part.
 * Above and below, this fraction of the height may be missing.
 */
const CUT_ASIDE: f64 = 0.12
const CUT_ABOVE: f64 = 0.15

/** Shortest text that counts as a plate. */
const MIN_TEXT: u32 = 3

const posteriors: usize = memory.data(12 * 37 * 8, 16)
const classes: usize = memory.data(16, 8)

/**
 * Reads the plate in `quad` into `record`; false when there is none. The first margin decides whether the others are
 * read: a certain text needs no second crop; a hopeless or too short one has no plate (most false boxes read as
 * nothing). A nearly square quad without a certain text is also read as two lines; the more probable form wins. The
 * `issuer` net then names the region of a plate with a text, which determines its syntax.
 */
export function readPlate(net: Net, issuer: Net, quad: usize, score: f64, samples: usize, record: usize): bool {
  memory.fill(record, 0, RECORD_BYTES)
  forgetCrops()
  let best = readCrop(net, quad, 0, false, samples)
  rateQuality(samples, net.width, net.height, record)
  let twoLines = false
  if (best < readSure && quadWidth(quad) < twoLineBelow * quadHeight(quad)) {
    const proposed = proposedTexts()
    const other = readCrop(net, quad, 0, true, samples)
    twoLines = other > best
    if (twoLines) {
      best = other
      keepLastCrop(beamWidth, MIN_TEXT)
    } else {
      dropLastCrop(proposed, tensorAt(net, net.layerCount).width)
    }
  }
  if (best == 0 || best < readHopeless) return false
  for (let m: u32 = 1; m < marginCount && best < readSure; m++) readCrop(net, quad, m, twoLines, samples)
  lookForRegion(issuer, quad, marginAt(0), samples)
  mixSyntax()
  memory.copy(record, quad, QUAD_BYTES)
  store<f32>(record, <f32>score, RECORD_SCORE)
  store<f32>(record, <f32>quadHeight(quad), RECORD_HEIGHT)
  store<f32>(record, <f32>quadWidth(quad), RECORD_WIDTH)
  describeRegion(record)
  return describeTexts(judgeTexts(), record)
}

/**
 * Reads one crop of a quad, with margin `m`; returns the probability of its best text, 0 when that is too short for a
 * plate. Two lines are read one after the other, each scaled like a plate of one line; the columns of the lower line
 * follow those of the upper one.
 */
function readCrop(net: Net, quad: usize, m: u32, twoLines: bool, samples: usize): f64 {
  const columns = tensorAt(net, net.layerCount).width
  showQuad(quad, marginAt(m), twoLines ? UPPER_LINE : WHOLE, samples, tensorAt(net, 0))
  runNet(net)
  softmaxColumns(net, nextCrop())
  if (!twoLines) return takeCrop(columns, beamWidth, MIN_TEXT)
  showQuad(quad, marginAt(m), LOWER_LINE, samples, tensorAt(net, 0))
  runNet(net)
  softmaxColumns(net, nextCrop() + columns * CLASSES * 8)
  return takeCrop(2 * columns, beamWidth, MIN_TEXT)
}

/** Softmax of the net's output, column by column, to f64 [columns][37] at `out`. */
function softmaxColumns(net: Net, out: usize): void {
  const output = tensorAt(net, net.layerCount)
  for (let t: u32 = 0; t < output.width; t++) softmax(output.interior + t * output.pixelStep, out + t * CLASSES * 8)
}

/** Softmax of 37 logits (f32). */
function softmax(logits: usize, out: usize): void {
  let top: f64 = load<f32>(logits)
  for (let c: u32 = 1; c < CLASSES; c++) top = max<f64>(top, load<f32>(logits + c * 4))
  let sum: f64 = 0
  for (let c: u32 = 0; c < CLASSES; c++) {
    const p = Math.exp(<f64>load<f32>(logits + c * 4) - top)
    store<f64>(out + c * 8, p)
    sum += p
  }
  for (let c: u32 = 0; c < CLASSES; c++) store<f64>(out + c * 8, load<f64>(out + c * 8) / sum)
}

function describeRegion(record: usize): void {
  const region = namedRegion()
  store<i32>(record, region, RECORD_REGION)
  if (region >= 0) store<f32>(record, <f32>regionShare(region), RECORD_REGION_CONFIDENCE)
}

/**
 * Writes text, confidence, alternates and positions to `record`; false when the best text is not a plate.
 */
function describeTexts(count: u32, record: usize): bool {
  const length = spell(textPrefix(0), classes)
  if (length < MIN_TEXT) return false
  const probability = textShare(0)
  const certainty = calibrate(probability)
  if (!(certainty >= readFloor)) return false
  const confidence = certainty * (!isCloseUp && isCut(record) ? CUT_FACTOR : 1)
  store<f32>(record, <f32>confidence, RECORD_CONFIDENCE)
  store<u32>(record, length, RECORD_LENGTH)
  writeText(length, record + RECORD_TEXT)
  meanPosteriors(classes, length, posteriors)
  weighPositions(posteriors, classes, length)
  softenPositions(posteriors, classes, length, confidence, record + RECORD_POSITIONS)

  let alternates: u32 = 0
  for (let i: u32 = 1; i < count && alternates < MAX_ALTERNATES; i++) {
    const size = spell(textPrefix(i), classes)
    if (size < MIN_TEXT) continue
    const at = record + RECORD_ALTERNATES + alternates++ * ALTERNATE_BYTES
    // the others share the remaining probability in proportion
    const share = (1 - confidence) * textShare(i) / max(1 - probability, 1e-12)
    store<f32>(at, <f32>min(share, confidence))
    store<u32>(at, size, 4)
    writeText(size, at + 8)
  }
  store<u32>(record, alternates, RECORD_ALTERNATE_COUNT)
  return true
}

/**
 * Whether the frame's edge cuts the quad, so that characters may be missing. A plate that reaches both edges is a
 * close-up that shows all of it.
 */
function isCut(quad: usize): bool {
  const aside = CUT_ASIDE * quadWidth(quad)
  const above = CUT_ABOVE * quadHeight(quad)
  const left = (quadX(quad, 0) + quadX(quad, 3)) / 2
  const right = (quadX(quad, 1) + quadX(quad, 2)) / 2
  const top = (quadY(quad, 0) + quadY(quad, 1)) / 2
  const bottom = (quadY(quad, 3) + quadY(quad, 2)) / 2
  return (left < aside) != (right > <f64>levelWidth(0) - aside) ||
    (top < -above) != (bottom > <f64>levelHeight(0) + above)
}

/** sigmoid(a * logit(p) + b), with p clamped away from 0 and 1. */
function calibrate(p: f64): f64 {
  const kept = max(1e-6, min(1 - 1e-6, p))
  return sigmoid(calibrationA * Math.log(kept / (1 - kept)) + calibrationB)
}

/** ASCII of `classes`: class 1 is '0', class 11 is 'A'. */
function writeText(length: u32, out: usize): void {
  for (let i: u32 = 0; i < length; i++) {
    const c = load<u8>(classes + i)
    store<u8>(out + i, c <= 10 ? 47 + c : 54 + c)
  }
}
