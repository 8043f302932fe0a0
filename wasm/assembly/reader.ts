import { beamWidth, calibrationA, calibrationB, marginAt, marginCount, readFloor, sigmoid } from './cascade'
import { beamPrefix, beamProbability, searchBeam } from './ctc_beam'
import { positionPosteriors } from './ctc_posterior'
import {
  ALTERNATE_BYTES, CLASSES, MAX_ALTERNATES, RECORD_ALTERNATE_COUNT, RECORD_ALTERNATES, RECORD_BYTES, RECORD_CONFIDENCE, RECORD_HEIGHT,
  RECORD_LENGTH, RECORD_POSITIONS, RECORD_SCORE, RECORD_TEXT, RECORD_WIDTH,
} from './layout'
import { Net, Tensor, tensorAt } from './net'
import { runNet } from './net_run'
import { normaliseInto } from './normalise'
import { growQuad, homographyOf, QUAD_BYTES, quadHeight, quadWidth } from './quad'
import { rateQuality } from './quality'
import { sampleHomography } from './rectify'
import { softenPositions } from './soften'

/** The reader: rectifies a quad at each margin, averages the columns, and searches them for texts. */

/** Shortest text that counts as a plate. */
const MIN_TEXT: u32 = 3

const grown: usize = memory.data(64, 16)
const homography: usize = memory.data(72, 16)
/** Averaged log probabilities, then probabilities: f64 [columns][37]. */
const columnsTable: usize = memory.data(128 * 37 * 8, 16)
const posteriors: usize = memory.data(12 * 37 * 8, 16)
const classes: usize = memory.data(16, 8)

/** Reads the plate in `quad` into `record`; false when there is none. */
export function readPlate(net: Net, quad: usize, score: f64, samples: usize, record: usize): bool {
  const output = tensorAt(net, net.layerCount)
  const columns = output.width
  memory.fill(columnsTable, 0, columns * CLASSES * 8)
  memory.fill(record, 0, RECORD_BYTES)
  for (let m: u32 = 0; m < marginCount; m++) {
    rectify(net, quad, marginAt(m), samples)
    if (m == 0) rateQuality(samples, net.width, net.height, record)
    runNet(net)
    for (let t: u32 = 0; t < columns; t++) addLogSoftmax(output.interior + t * output.pixelStep, columnsTable + t * CLASSES * 8)
  }
  for (let t: u32 = 0; t < columns; t++) renormalise(columnsTable + t * CLASSES * 8)
  memory.copy(record, quad, QUAD_BYTES)
  store<f32>(record, <f32>score, RECORD_SCORE)
  store<f32>(record, <f32>quadHeight(quad), RECORD_HEIGHT)
  store<f32>(record, <f32>quadWidth(quad), RECORD_WIDTH)
  return decode(columns, record)
}

/** The quad grown by `margin`, sampled into the net's input. */
function rectify(net: Net, quad: usize, margin: f64, samples: usize): void {
  const input = tensorAt(net, 0)
  growQuad(quad, margin, grown)
  homographyOf(grown, homography)
  const scale = max(quadWidth(grown) / <f64>input.width, quadHeight(grown) / <f64>input.height)
  sampleHomography(homography, scale, input.width, input.height, samples)
  normaliseInto(samples, input)
}

/** Adds the log softmax of 37 logits (f32) to a column of the table. */
function addLogSoftmax(logits: usize, column: usize): void {
  let top: f64 = load<f32>(logits)
  for (let c: u32 = 1; c < CLASSES; c++) top = max<f64>(top, load<f32>(logits + c * 4))
  let sum: f64 = 0
  for (let c: u32 = 0; c < CLASSES; c++) sum += Math.exp(<f64>load<f32>(logits + c * 4) - top)
  const shift = top + Math.log(sum)
  for (let c: u32 = 0; c < CLASSES; c++) {
    store<f64>(column + c * 8, load<f64>(column + c * 8) + <f64>load<f32>(logits + c * 4) - shift)
  }
}

/** Summed log probabilities of a column -> probabilities of their mean, normalised. */
function renormalise(column: usize): void {
  const share = 1 / <f64>marginCount
  let top: f64 = load<f64>(column)
  for (let c: u32 = 1; c < CLASSES; c++) top = max(top, load<f64>(column + c * 8))
  let sum: f64 = 0
  for (let c: u32 = 0; c < CLASSES; c++) {
    const p = Math.exp((load<f64>(column + c * 8) - top) * share)
    store<f64>(column + c * 8, p)
    sum += p
  }
  for (let c: u32 = 0; c < CLASSES; c++) store<f64>(column + c * 8, load<f64>(column + c * 8) / sum)
}

/** Texts, confidence and positions from the columns into `record`; false when they are no plate. */
function decode(columns: u32, record: usize): bool {
  const texts = searchBeam(columnsTable, columns, beamWidth)
  const best = beamPrefix(0)
  const length = lengthOf(best)
  if (length < MIN_TEXT) return false
  const probability = beamProbability(0)
  const confidence = calibrate(probability)
  if (!(confidence >= readFloor)) return false
  store<f32>(record, <f32>confidence, RECORD_CONFIDENCE)
  store<u32>(record, length, RECORD_LENGTH)
  writeText(best, length, record + RECORD_TEXT)

  let alternates: u32 = 0
  for (let i: u32 = 1; i < texts && alternates < MAX_ALTERNATES; i++) {
    const size = lengthOf(beamPrefix(i))
    if (size < MIN_TEXT) continue
    const at = record + RECORD_ALTERNATES + alternates++ * ALTERNATE_BYTES
    // the others share what the best leaves, in proportion
    const share = (1 - confidence) * beamProbability(i) / max(1 - probability, 1e-12)
    store<f32>(at, <f32>min(share, confidence))
    store<u32>(at, size, 4)
    writeText(beamPrefix(i), size, at + 8)
  }
  store<u32>(record, alternates, RECORD_ALTERNATE_COUNT)

  writeClasses(best, length)
  positionPosteriors(columnsTable, columns, classes, length, posteriors)
  softenPositions(posteriors, classes, length, confidence, record + RECORD_POSITIONS)
  return true
}

/** sigmoid(a * logit(p) + b), with p kept off 0 and 1. */
function calibrate(p: f64): f64 {
  const kept = max(1e-9, min(1 - 1e-9, p))
  return sigmoid(calibrationA * Math.log(kept / (1 - kept)) + calibrationB)
}

function lengthOf(prefix: u64): u32 {
  let length: u32 = 0
  for (; prefix != 0; prefix /= CLASSES) length++
  return length
}

function writeClasses(prefix: u64, length: u32): void {
  for (let i = <i32>length - 1; i >= 0; i--) {
    store<u8>(classes + i, <u8>(prefix % CLASSES))
    prefix /= CLASSES
  }
}

/** ASCII of a prefix: class 1 is '0', class 11 is 'A'. */
function writeText(prefix: u64, length: u32, out: usize): void {
  for (let i = <i32>length - 1; i >= 0; i--) {
    const c = <u32>(prefix % CLASSES)
    store<u8>(out + i, <u8>(c <= 10 ? 47 + c : 54 + c))
    prefix /= CLASSES
  }
}
