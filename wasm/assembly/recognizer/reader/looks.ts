import { beamPrefix, beamProbability, searchBeam } from './ctc_beam'
import { positionPosteriors, textProbability } from './ctc_posterior'
import { letterFactor, shapeFactor, shapeOf, syntaxWeight } from './syntax'
import { CLASSES, MAX_BEAM, MAX_COLUMNS, MAX_MARGINS, MAX_TEXT } from '../layout'

/**
 * Several looks at one plate (one per margin) and what they say together. A character lies in other columns in each
 * look, so looks are never averaged column by column: every text that one of them proposes is judged by all of them,
 *
 *     g(text) = geometric mean over the looks of P(text | look),      rest = the same of what no proposed text explains,
 *     P(text) = g(text) / (sum of g + rest)
 *
 * With one look that is its own probability.
 */

/** f64 [columns][37] of each look. */
const tables: usize = memory.data(4 * 128 * 37 * 8, 16)
const TABLE_BYTES: usize = MAX_COLUMNS * CLASSES * 8
let lookCount: u32 = 0
let columnCount: u32 = 0

/** Proposed texts: u64 prefix (ctc_beam.ts), f64 probability; once judged, most probable first. */
const TEXT_BYTES: usize = 16
const MAX_TEXTS: u32 = MAX_MARGINS * MAX_BEAM
const texts: usize = memory.data(128 * 16, 8)
let textCount: u32 = 0

const classes: usize = memory.data(16, 8)
const single: usize = memory.data(12 * 37 * 8, 8)

/** Least probability that still counts: a look never rules a text out alone. */
const LEAST: f64 = 1e-12

export function forgetLooks(): void {
  lookCount = 0
  textCount = 0
}

/** Where the next look's columns go. */
export function nextLook(): usize {
  return tables + lookCount * TABLE_BYTES
}

/**
 * Takes the look of `columns` columns (the same for all looks that are judged together) written at nextLook(): its
 * `width` best texts are proposed. Returns the probability of its best one, 0 when that is shorter than `shortest`
 * characters.
 */
export function takeLook(columns: u32, width: u32, shortest: u32): f64 {
  columnCount = columns
  const found = searchBeam(nextLook(), columnCount, width)
  for (let i: u32 = 0; i < found; i++) propose(beamPrefix(i))
  lookCount++
  return spell(beamPrefix(0), classes) < shortest ? 0 : beamProbability(0)
}

/** Forgets all looks but the last one. */
export function keepLastLook(width: u32, shortest: u32): void {
  const last = tables + (lookCount - 1) * TABLE_BYTES
  if (last != tables) memory.copy(tables, last, TABLE_BYTES)
  forgetLooks()
  takeLook(columnCount, width, shortest)
}

/** Forgets the last look; `count` texts had been proposed before it, by looks of `columns` columns. */
export function dropLastLook(count: u32, columns: u32): void {
  lookCount--
  textCount = count
  columnCount = columns
}

/** Texts proposed so far. */
export function proposedTexts(): u32 {
  return textCount
}

function propose(prefix: u64): void {
  for (let i: u32 = 0; i < textCount; i++) if (load<u64>(texts + i * TEXT_BYTES) == prefix) return
  if (textCount < MAX_TEXTS) store<u64>(texts + TEXT_BYTES * textCount++, prefix)
}

/** Judges all proposed texts by all looks; returns their number. */
export function judgeTexts(): u32 {
  let sum: f64 = 0
  let rest: f64 = 0
  for (let look: u32 = 0; look < lookCount; look++) {
    let explained: f64 = 0
    for (let i: u32 = 0; i < textCount; i++) {
      const at = texts + i * TEXT_BYTES
      const p = textProbability(tables + look * TABLE_BYTES, columnCount, classes, spell(load<u64>(at), classes))
      explained += p
      store<f64>(at, (look == 0 ? 0 : load<f64>(at, 8)) + Math.log(max(p, LEAST)), 8)
    }
    rest += Math.log(max(1 - explained, LEAST))
  }
  const share = 1 / <f64>lookCount
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

/** Weighs each text by how usual its shape is; the sum of the probabilities stays. */
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
    while (at > 0 && (textShare(at - 1) < probability || (textShare(at - 1) == probability && textPrefix(at - 1) > prefix))) {
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
 * Posteriors of each position (ctc_posterior.ts) of a text, geometric mean over the looks, normalised: f64 [length][37]
 * at `out`.
 */
export function meanPosteriors(text: usize, length: u32, out: usize): void {
  const count = min(length, MAX_TEXT) * CLASSES
  memory.fill(out, 0, count * 8)
  for (let look: u32 = 0; look < lookCount; look++) {
    positionPosteriors(tables + look * TABLE_BYTES, columnCount, text, length, single)
    for (let k: u32 = 0; k < count; k++) {
      store<f64>(out + k * 8, load<f64>(out + k * 8) + Math.log(max(load<f64>(single + k * 8), LEAST)))
    }
  }
  const share = 1 / <f64>lookCount
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
