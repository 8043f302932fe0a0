import { ALIGNED, EXTRA, MAX_LENGTH, MISSING } from './layout'
import { emission, MISSING_PRIOR, positions, skip } from './read'

/**
 * The probability of one listed plate given the read: the best of the alignments with at most one gap. With n positions:
 *
 *     length n       product of emissions
 *     length n - 1   one position g of the read is no character: ... * skip(g) * ...
 *     length n + 1   one character g of the plate was not read:  ... * MISSING_PRIOR * ...
 *
 * Ties go to the leftmost gap. The product is taken from left to right up to the gap, from right to left behind it.
 */
const plate: usize = memory.data(16, 8)
const tails: usize = memory.data(24 * 8, 8)

/** How the last plate was aligned. */
export let alignment: u32 = ALIGNED
export let gap: u32 = 0

@inline
function at(i: u32): u32 {
  return load<u8>(plate + i)
}

/** `planes`: address of the plate's first character; the next is `stride` bytes on. length: positions - 1 to positions + 1. */
export function probabilityOf(planes: usize, stride: usize, length: u32): f64 {
  for (let i: u32 = 0; i < min(length, MAX_LENGTH); i++) store<u8>(plate + i, load<u8>(planes + i * stride))
  alignment = ALIGNED
  gap = 0
  if (length == positions) {
    let product: f64 = 1
    for (let i: u32 = 0; i < positions; i++) product *= emission(i, at(i))
    return product
  }
  return length < positions ? withExtra() : withMissing()
}

/** tails[k] = product over read positions from k on, each aligned to the plate's character k + shift. */
function fillTails(from: u32, shift: i32): void {
  let product: f64 = 1
  store<f64>(tails + positions * 8, product)
  for (let k = <i32>positions - 1; k >= <i32>from; k--) {
    product *= emission(k, at(k + shift))
    store<f64>(tails + k * 8, product)
  }
}

function withExtra(): f64 {
  alignment = EXTRA
  fillTails(1, -1)
  let best: f64 = -1
  let head: f64 = 1
  for (let g: u32 = 0; g < positions; g++) {
    const p = head * skip(g) * load<f64>(tails + (g + 1) * 8)
    if (p > best) {
      best = p
      gap = g
    }
    if (g + 1 < positions) head *= emission(g, at(g))
  }
  return best
}

function withMissing(): f64 {
  alignment = MISSING
  fillTails(0, 1)
  let best: f64 = -1
  let head: f64 = 1
  for (let g: u32 = 0; g <= positions; g++) {
    const p = head * MISSING_PRIOR * load<f64>(tails + g * 8)
    if (p > best) {
      best = p
      gap = g
    }
    if (g < positions) head *= emission(g, at(g))
  }
  return best
}
