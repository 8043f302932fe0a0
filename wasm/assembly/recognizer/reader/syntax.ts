import { CLASSES, MAX_REGION_LETTERS, MAX_REGION_SHAPES } from '../layout'
import { regionCount, regionShare } from './region'

/**
 * Plate syntax: "7ABC123" has the shape 9AAA999. The model's table gives the natural logarithm of each shape's share
 * among plates, and one for all others; a text's probability is multiplied by share ^ weight. That decides between 0
 * and O, 1 and I, 8 and B where the picture cannot.
 *
 * The plates of one state have few shapes: the table for a plate mixes the table of all plates with those of its
 * probable regions.
 *
 * A shape of n characters is the number with bit n set and bit n-1-i set where character i is a letter: 9AAA999 = 1
 * 0111000.
 */
const SHAPES: u32 = 1 << 13
const logs: usize = memory.data(8192 * 4, 16)
/** Characters before the letters: the blank and ten digits. */
const LETTERS_FROM: u32 = 11

export let syntaxWeight: f64 = 0

/**
 * Sets the weight (0: syntax does not count) and the logarithm of unlisted shapes; setShape follows for the others.
 */
export function resetSyntax(weight: f64, other: f32): void {
  syntaxWeight = weight
  for (let shape: u32 = 0; shape < SHAPES; shape++) store<f32>(logs + shape * 4, other)
}

export function setShape(shape: u32, log: f32): void {
  if (shape < SHAPES) store<f32>(logs + shape * 4, log)
}

/**
 * Shapes by region, in ascending order of the shape: u16 shape, u16 region, f32 share of that region's plates, f32 log
 * among all plates.
 */
const ENTRY_BYTES: usize = 12
const entries: usize = memory.data(4096 * 12, 4)
let entryCount: u32 = 0
let regionWeight: f64 = 0

/** Clears the shapes by region; `weight` (0..1) is their share in the mixed table. */
export function resetRegionShapes(weight: f64): void {
  entryCount = 0
  regionWeight = weight
}

/** Adds the share of a shape among a region's plates. Ascending by shape, after all of setShape. */
export function addRegionShape(shape: u32, region: u32, share: f32): void {
  if (entryCount == MAX_REGION_SHAPES || shape >= SHAPES || region >= regionCount) return
  const at = entries + ENTRY_BYTES * entryCount++
  store<u16>(at, <u16>shape)
  store<u16>(at, <u16>region, 2)
  store<f32>(at, share, 4)
  store<f32>(at, load<f32>(logs + shape * 4), 8)
}

/**
 * Rare letters by region: u16 class, u16 region, f32 ratio to the average letter. `ratios`: their mixture for one
 * plate, f64 by class.
 */
const LETTER_BYTES: usize = 8
const letterEntries: usize = memory.data(2048 * 8, 4)
const ratios: usize = memory.data(37 * 8, 8)
let letterCount: u32 = 0
let letterWeight: f64 = 0

/** Clears the rare letters; `weight` is the exponent of their ratios (0: letters do not count). */
export function resetLetters(weight: f64): void {
  letterCount = 0
  letterWeight = weight
  evenLetters()
}

/** Adds the frequency of a letter (class 11 to 36) in the serials of a region; 1 is the average. */
export function addRegionLetter(letter: u32, region: u32, ratio: f32): void {
  if (letterCount == MAX_REGION_LETTERS || letter < LETTERS_FROM || letter >= CLASSES || region >= regionCount) return
  const at = letterEntries + LETTER_BYTES * letterCount++
  store<u16>(at, <u16>letter)
  store<u16>(at, <u16>region, 2)
  store<f32>(at, ratio, 4)
}

function evenLetters(): void {
  for (let c: u32 = 0; c < CLASSES; c++) store<f64>(ratios + c * 8, 1)
}

/** Mixes the ratio of each letter for one plate by the probabilities of its regions. */
function mixLetters(): void {
  evenLetters()
  if (letterWeight == 0) return
  const end = letterEntries + LETTER_BYTES * letterCount
  for (let at = letterEntries; at < end; at += LETTER_BYTES) {
    const ratio = ratios + <usize>load<u16>(at) * 8
    store<f64>(ratio, load<f64>(ratio) - regionShare(load<u16>(at, 2)) * (1 - <f64>load<f32>(at, 4)))
  }
  for (let c: u32 = LETTERS_FROM; c < CLASSES; c++) {
    store<f64>(ratios + c * 8, Math.pow(load<f64>(ratios + c * 8), letterWeight))
  }
}

/** Product of the ratios of a serial's letters; 1 for a text without a digit (a vanity plate may have any letter). */
export function letterFactor(classes: usize, length: u32): f64 {
  let factor: f64 = 1
  let digits: u32 = 0
  for (let i: u32 = 0; i < length; i++) {
    const c: u32 = load<u8>(classes + i)
    if (c < LETTERS_FROM) digits++
    factor *= load<f64>(ratios + c * 8)
  }
  return digits == 0 ? 1 : factor
}

/** Computes the tables of one plate from the probabilities of its regions. */
export function mixSyntax(): void {
  mixLetters()
  if (regionWeight == 0 || syntaxWeight == 0) return
  let at = entries
  const end = entries + ENTRY_BYTES * entryCount
  while (at < end) {
    const shape: u32 = load<u16>(at)
    const all = Math.exp(<f64>load<f32>(at, 8))
    let sum: f64 = 0
    for (; at < end && load<u16>(at) == shape; at += ENTRY_BYTES) {
      sum += regionShare(load<u16>(at, 2)) * <f64>load<f32>(at, 4)
    }
    store<f32>(logs + shape * 4, <f32>Math.log((1 - regionWeight) * all + regionWeight * sum))
  }
}

/** share ^ weight of a shape. */
export function shapeFactor(shape: u32): f64 {
  return Math.exp(syntaxWeight * <f64>load<f32>(logs + shape * 4))
}

/** Shape of a text: u8 classes, 1..36. At most 12 characters. */
export function shapeOf(classes: usize, length: u32): u32 {
  let shape: u32 = 1
  for (let i: u32 = 0; i < length; i++) shape = (shape << 1) | (load<u8>(classes + i) >= LETTERS_FROM ? 1 : 0)
  return shape
}

/** Number of digits in a shape of `length` characters. */
function digitsOf(shape: u32, length: u32): u32 {
  return length + 1 - popcnt<u32>(shape)
}

/**
 * Applies syntax to the posteriors of a text's positions (f64 [length][37], class 0 'left out'): weighs each
 * alternative by the shape that the text has with it, then normalises each row.
 */
export function weighPositions(posteriors: usize, classes: usize, length: u32): void {
  if (syntaxWeight == 0) return
  const shape = shapeOf(classes, length)
  const digits = digitsOf(shape, length)
  for (let i: u32 = 0; i < length; i++) {
    const row = posteriors + i * CLASSES * 8
    const bit: u32 = 1 << (length - 1 - i)
    const digit = shapeFactor(shape & ~bit)
    const letter = shapeFactor(shape | bit)
    // without character i: the bits above it move down by one
    const without = ((shape >> 1) & ~(bit - 1)) | (shape & (bit - 1))
    let sum: f64 = 0
    for (let c: u32 = 0; c < CLASSES; c++) {
      const factor = c == 0 ? shapeFactor(without) : c >= LETTERS_FROM ? letter : digit
      // whether the text is a serial with this alternative: a digit at another position makes it one
      const serial = digits > (load<u8>(classes + i) < LETTERS_FROM ? 1 : 0)
      const p = load<f64>(row + c * 8) * factor * (serial ? load<f64>(ratios + c * 8) : 1)
      store<f64>(row + c * 8, p)
      sum += p
    }
    if (sum > 0) for (let c: u32 = 0; c < CLASSES; c++) store<f64>(row + c * 8, load<f64>(row + c * 8) / sum)
  }
}
