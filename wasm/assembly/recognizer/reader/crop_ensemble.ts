import { beamPrefix, beamProbability, searchBeam } from './ctc_beam'
import { positionPosteriors, textProbability } from './ctc_posterior'
import { letterFactor, shapeFactor, shapeOf, syntaxWeight } from './syntax'
import { CLASSES, MAX_BEAM, MAX_COLUMNS, MAX_MARGINS, MAX_TEXT } from '../layout'

/**
 * The ensemble of crops of one plate (one per margin). A character is in other columns of each crop, so crops are never
 * averaged column by column: all crops judge every text that one of them proposes,
 *
 *     g(text) = geometric mean over the crops of P(text | crop)
 *     rest    = the same of what no proposed text explains
 *     P(text) = g(text) / (sum of g + rest)
 *
 * With one crop, P(text) is the probability of that crop.
 */

/** f64 [columns][37] of each crop. */
const tables: usize = memory.data(4 * 128 * 37 * 8, 16)
const TABLE_BYTES: usize = MAX_COLUMNS * CLASSES * 8
let cropCount: u32 = 0
let columnCount: u32 = 0

/** Proposed texts: u64 prefix (ctc_beam.ts), f64 probability; once judged, most probable first. */
const TEXT_BYTES: usize = 16
const MAX_TEXTS: u32 = MAX_MARGINS * MAX_BEAM
const texts: usize = memory.data(128 * 16, 8)
let textCount: u32 = 0

const classes: usize = memory.data(16, 8)
const single: usize = memory.data(12 * 37 * 8, 8)

/** Lower bound of a probability: no crop excludes a text by itself. */
const LEAST: f64 = 1e-12

export function forgetCrops(): void {
  cropCount = 0
  textCount = 0
}

/** Address of the next crop's columns. */
export function nextCrop(): usize {
  return tables + cropCount * TABLE_BYTES
}

/**
 * Adds the crop of `columns` columns (the same for all crops that are judged together) written at nextCrop(), and
 * proposes its `width` best texts. Returns the probability of the best one, 0 when it is shorter than `shortest`
 * characters.
 */
export function takeCrop(columns: u32, width: u32, shortest: u32): f64 {
  columnCount = columns
  const found = searchBeam(nextCrop(), columnCount, width)
  for (let i: u32 = 0; i < found; i++) propose(beamPrefix(i))
  cropCount++
  return spell(beamPrefix(0), classes) < shortest ? 0 : beamProbability(0)
}

/** Discards all crops except the last one. */
export function keepLastCrop(width: u32, shortest: u32): void {
  const last = tables + (cropCount - 1) * TABLE_BYTES
  if (last != tables) memory.copy(tables, last, TABLE_BYTES)
  forgetCrops()
  takeCrop(columnCount, width, shortest)
}

/** Discards the last crop; `count` texts were proposed before it, by crops of `columns` columns. */
export function dropLastCrop(count: u32, columns: u32): void {
  cropCount--
  textCount = count
  columnCount = columns
}

/** Number of texts proposed so far. */
export function proposedTexts(): u32 {
  return textCount
}

function propose(prefix: u64): void {
  for (let i: u32 = 0; i < textCount; i++) if (load<u64>(texts + i * TEXT_BYTES) == prefix) return
  if (textCount < MAX_TEXTS) store<u64>(texts + TEXT_BYTES * textCount++, prefix)
}

/** Computes P(text) of all proposed texts; returns their number. */
export function judgeTexts(): u32 {
  let sum: f64 = 0
  let rest: f64 = 0
  for (let crop: u32 = 0; crop < cropCount; crop++) {
    let explained: f64 = 0
    for (let i: u32 = 0; i < textCount; i++) {
      const at = texts + i * TEXT_BYTES
      const p = textProbability(tables + crop * TABLE_BYTES, columnCount, classes, spell(load<u64>(at), classes))
      explained += p
      store<f64>(at, (crop == 0 ? 0 : load<f64>(at, 8)) + Math.log(max(p, LEAST)), 8)
    }
    rest += Math.log(max(1 - explained, LEAST))
  }
  const share = 1 / <f64>cropCount
  for (let i: u32 = 0; i < textCount; i++) {
    const at = texts + i * TEXT_BYTES
    const g = Math.exp(load<f64>(at, 8) * share)
    store<f64>(at, g, 8)
    sum += g
  }
  sum += Math.exp(rest * share)
  for (let i: u32 = 0; i < textCount; i++) {
    const at = texts + i * TEXT_BYTES
    store<f64>(at, load<f64>(at, 8) / sum, 8)
  }
  if (syntaxWeight != 0) countSyntaxIn()
  sortTexts()
  return textCount
}

/** Weighs each text by the share of its shape; keeps the sum of the probabilities. */
function countSyntaxIn(): void {
  let before: f64 = 0
  let after: f64 = 0
  for (let i: u32 = 0; i < textCount; i++) {
    const at = texts + i * TEXT_BYTES
    const length = spell(textPrefix(i), classes)
    const weighed = textShare(i) * shapeFactor(shapeOf(classes, length)) * letterFactor(classes, length)
    before += textShare(i)
    after += weighed
    store<f64>(at, weighed, 8)
  }
  if (!(after > 0)) return
  for (let i: u32 = 0; i < textCount; i++) store<f64>(texts + i * TEXT_BYTES, textShare(i) * (before / after), 8)
}

/** Most probable first, the smaller prefix on ties. */
function sortTexts(): void {
  for (let i: u32 = 1; i < textCount; i++) {
    const prefix = textPrefix(i)
    const probability = textShare(i)
    let at = i
    while (
      at > 0 &&
      (textShare(at - 1) < probability || (textShare(at - 1) == probability && textPrefix(at - 1) > prefix))
    ) {
      memory.copy(texts + at * TEXT_BYTES, texts + (at - 1) * TEXT_BYTES, TEXT_BYTES)
      at--
    }
    store<u64>(texts + at * TEXT_BYTES, prefix)
    store<f64>(texts + at * TEXT_BYTES, probability, 8)
  }
}

export function textPrefix(index: u32): u64 {
  return load<u64>(texts + index * TEXT_BYTES)
}

export function textShare(index: u32): f64 {
  return load<f64>(texts + index * TEXT_BYTES, 8)
}

/** Writes the classes of a prefix, u8 each, to `out` (16 bytes); returns their number. */
export function spell(prefix: u64, out: usize): u32 {
  let length: u32 = 0
  for (let rest = prefix; rest != 0; rest /= CLASSES) length++
  let at = length
  for (let rest = prefix; rest != 0; rest /= CLASSES) store<u8>(out + --at, <u8>(rest % CLASSES))
  return length
}

/**
 * Posteriors of each position (ctc_posterior.ts) of a text, the geometric mean over the crops, normalised: f64
 * [length][37] at `out`.
 */
export function meanPosteriors(text: usize, length: u32, out: usize): void {
  const count = min(length, MAX_TEXT) * CLASSES
  memory.fill(out, 0, count * 8)
  for (let crop: u32 = 0; crop < cropCount; crop++) {
    positionPosteriors(tables + crop * TABLE_BYTES, columnCount, text, length, single)
    for (let k: u32 = 0; k < count; k++) {
      store<f64>(out + k * 8, load<f64>(out + k * 8) + Math.log(max(load<f64>(single + k * 8), LEAST)))
    }
  }
  const share = 1 / <f64>cropCount
  for (let row = out; row < out + count * 8; row += CLASSES * 8) {
    let sum: f64 = 0
    for (let c: u32 = 0; c < CLASSES; c++) {
      const p = Math.exp(load<f64>(row + c * 8) * share)
      store<f64>(row + c * 8, p)
      sum += p
    }
    for (let c: u32 = 0; c < CLASSES; c++) store<f64>(row + c * 8, load<f64>(row + c * 8) / sum)
  }
}
