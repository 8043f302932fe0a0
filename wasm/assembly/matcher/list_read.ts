import {
  CHARACTERS, CLASSES, MAX_POSITIONS, READ_AT, READ_BESTS, READ_CANDIDATES, READ_CANDIDATE_COUNTS, READ_EMISSIONS,
  READ_EXTRA_WEIGHTS, READ_KIND_WEIGHTS, READ_MATRIX, READ_MISSING, READ_SKIPS, READ_WAYS, WAY_BYTES, WAY_KEY,
  WAY_LENGTH, WAY_SCALE, WAY_STEP,
} from './layout'
import { workspace } from './workspace'

/**
 * The read that is being matched (drawing in layout.ts). The host writes the distribution and the weights of plate
 * syntax; `takeRead` computes for position i:
 *
 *     emission[i][c]  P(the plate has c there) = sum over r of P(r | i) * matrix[r][c]; characters of the other kind
 *                     (digit, letter) than the top one weighed by syntax, none above the top one, the sum unchanged
 *     skip[i]         P(the position is not on the plate) = P(none | i) + extra * (1 - P(none | i)), extra weighed by
 *                     syntax
 *     missing[i][k]   P(a character of kind k (0 digit, 1 letter) before position i was not read), weighed by syntax
 */
const DIGITS: u32 = 10

export let positions: u32 = 0

@inline
function read(): usize {
  return workspace + READ_AT
}

@inline
export function skip(position: u32): f64 {
  return load<f64>(read() + READ_SKIPS + position * 8)
}

@inline
export function missing(position: u32, kind: u32): f64 {
  return load<f64>(read() + READ_MISSING + (position * 2 + kind) * 8)
}

/** Upper bound of the product of positions from i on. */
@inline
export function bestFrom(position: u32): f64 {
  return load<f64>(read() + READ_BESTS + position * 8)
}

@inline
export function candidateCount(position: u32): u32 {
  return load<u32>(read() + READ_CANDIDATE_COUNTS + position * 4)
}

/** Address of a position's candidates, most probable first. */
@inline
export function candidates(position: u32): usize {
  return read() + READ_CANDIDATES + position * (CHARACTERS * 16)
}

/** Whether a row is a distribution: 37 values of at least 0 whose sum is within 0.01 of 1. */
function isDistribution(row: usize): bool {
  let sum = f32x4.splat(0)
  let fine = i8x16.splat(-1)
  for (let c: usize = 0; c < 144; c += 16) {
    const v = v128.load(row + c)
    sum = f32x4.add(sum, v)
    fine = v128.and(fine, f32x4.ge(v, f32x4.splat(0)))
  }
  const last = load<f32>(row, 144)
  const total = f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1) + f32x4.extract_lane(sum, 2) +
    f32x4.extract_lane(sum, 3) + last
  return i32x4.all_true(fine) && last >= 0 && Math.abs(<f64>total - 1) < 0.01
}

/**
 * Computes the tables for `count` positions, at most 16. `extra`: P(a character read is not on the plate). @returns
 * false when a position is not a distribution
 */
export function takeRead(count: u32, extra: f64): bool {
  positions = min(count, MAX_POSITIONS)
  const base = read()
  for (let i: u32 = 0; i < positions; i++) if (!isDistribution(base + i * CLASSES * 4)) return false
  for (let i: u32 = 0; i < positions; i++) {
    const row = base + i * CLASSES * 4
    const out = base + READ_EMISSIONS + i * CHARACTERS * 8
    mixEighteen(row, base + READ_MATRIX, out)
    mixEighteen(row, base + READ_MATRIX + 144, out + 144)
    weigh(row, out, load<f64>(base + READ_KIND_WEIGHTS + i * 8))
    const none = <f64>load<f32>(row + CHARACTERS * 4)
    store<f64>(base + READ_SKIPS + i * 8, none + extra * load<f64>(base + READ_EXTRA_WEIGHTS + i * 8) * (1 - none))
  }
  store<f64>(base + READ_BESTS + positions * 8, 1)
  for (let i = <i32>positions - 1; i >= 0; i--) {
    const most = Math.max(skip(i), mostOf(base + READ_EMISSIONS + i * CHARACTERS * 8))
    store<f64>(base + READ_BESTS + i * 8, most * bestFrom(i + 1))
  }
  return true
}

/** The greatest of a position's emissions. */
@inline
function mostOf(row: usize): f64 {
  let a = v128.load(row)
  let b = v128.load(row, 16)
  for (let c: usize = 32; c < CHARACTERS * 8; c += 32) {
    a = f64x2.pmax(a, v128.load(row + c))
    b = f64x2.pmax(b, v128.load(row + c, 16))
  }
  a = f64x2.pmax(a, b)
  return Math.max(f64x2.extract_lane(a, 0), f64x2.extract_lane(a, 1))
}

/**
 * Sums P(read) * matrix[read][c] over the characters read, for eighteen c: as many sums as fit the registers.
 */
function mixEighteen(row: usize, matrix: usize, out: usize): void {
  let s0 = f64x2.splat(0)
  let s1 = s0
  let s2 = s0
  let s3 = s0
  let s4 = s0
  let s5 = s0
  let s6 = s0
  let s7 = s0
  let s8 = s0
  for (const end = row + CHARACTERS * 4; row < end; row += 4) {
    const p = f64x2.splat(<f64>load<f32>(row))
    s0 = f64x2.add(s0, f64x2.mul(p, v128.load(matrix)))
    s1 = f64x2.add(s1, f64x2.mul(p, v128.load(matrix, 16)))
    s2 = f64x2.add(s2, f64x2.mul(p, v128.load(matrix, 32)))
    s3 = f64x2.add(s3, f64x2.mul(p, v128.load(matrix, 48)))
    s4 = f64x2.add(s4, f64x2.mul(p, v128.load(matrix, 64)))
    s5 = f64x2.add(s5, f64x2.mul(p, v128.load(matrix, 80)))
    s6 = f64x2.add(s6, f64x2.mul(p, v128.load(matrix, 96)))
    s7 = f64x2.add(s7, f64x2.mul(p, v128.load(matrix, 112)))
    s8 = f64x2.add(s8, f64x2.mul(p, v128.load(matrix, 128)))
    matrix += CHARACTERS * 8
  }
  v128.store(out, s0)
  v128.store(out, s1, 16)
  v128.store(out, s2, 32)
  v128.store(out, s3, 48)
  v128.store(out, s4, 64)
  v128.store(out, s5, 80)
  v128.store(out, s6, 96)
  v128.store(out, s7, 112)
  v128.store(out, s8, 128)
}

/** Weighs the other kind of character than the most probable one by syntax, capped at the most probable one. */
function weigh(read: usize, row: usize, weight: f64): void {
  if (weight == 1) return
  let top: u32 = 0
  for (let r: u32 = 1; r < CHARACTERS; r++) if (load<f32>(read + r * 4) > load<f32>(read + top * 4)) top = r
  const cap = load<f64>(row + top * 8)
  const from: u32 = top < DIGITS ? DIGITS : 0
  const to: u32 = top < DIGITS ? CHARACTERS : DIGITS
  let before: f64 = 0
  let after: f64 = 0
  for (let c: u32 = 0; c < CHARACTERS; c++) {
    const p = load<f64>(row + c * 8)
    before += p
    if (c >= from && c < to) {
      const weighed = p > cap ? p : min(p * weight, cap)
      store<f64>(row + c * 8, weighed)
      after += weighed
    } else {
      after += p
    }
  }
  const scale = before / after
  for (let c: u32 = 0; c < CHARACTERS; c++) store<f64>(row + c * 8, load<f64>(row + c * 8) * scale)
}

/**
 * Lists for each position the characters that a text of probability `least` can have there, most probable first, and
 * finds the best way on from each position. `rankOfClass`: u8[36].
 */
export function listCandidates(least: f64, rankOfClass: usize): void {
  const base = read()
  for (let i: u32 = 0; i < positions; i++) {
    const list = candidates(i)
    // slightly more than the other positions can contribute, because of the division
    const others = bestFrom(0) / topOf(i) * (1 + 1e-9)
    const row = base + READ_EMISSIONS + i * CHARACTERS * 8
    let hopeful: u64 = 0
    for (let c: u32 = 0; c < CHARACTERS; c += 2) {
      const products = f64x2.mul(v128.load(row + c * 8), f64x2.splat(others))
      hopeful |= <u64>i64x2.bitmask(f64x2.ge(products, f64x2.splat(least))) << <u64>c
    }
    let count: u32 = 0
    for (; hopeful != 0; hopeful &= hopeful - 1) {
      const c = <u32>ctz(hopeful)
      const p = load<f64>(row + c * 8)
      let place = count++
      while (place > 0 && load<f64>(list + (place - 1) * 16) < p) {
        v128.store(list + place * 16, v128.load(list + (place - 1) * 16))
        place--
      }
      store<f64>(list + place * 16, p)
      store<u32>(list + place * 16, load<u8>(rankOfClass + c), 8)
    }
    store<u32>(base + READ_CANDIDATE_COUNTS + i * 4, count)
  }
  findWays()
}

@inline
function topOf(position: u32): f64 {
  return bestFrom(position) / bestFrom(position + 1)
}

/** The best way from a position on (drawing in layout.ts). */
@inline
export function way(position: u32): usize {
  return read() + READ_WAYS + position * WAY_BYTES
}

/** Upper bound of all ways from here on except the best. */
@inline
export function otherFrom(position: u32): f64 {
  return load<f64>(way(position))
}

function findWays(): void {
  const end = way(positions)
  store<f64>(end, Math.max(missing(positions, 0), missing(positions, 1)))
  store<u64>(end, 0, WAY_KEY)
  store<u64>(end, 1, WAY_SCALE)
  store<u32>(end, 0, WAY_LENGTH)
  for (let i = <i32>positions - 1; i >= 0; i--) {
    const here = way(i)
    const next = here + WAY_BYTES
    const list = candidates(i)
    const count = candidateCount(i)
    const top: f64 = count > 0 ? load<f64>(list) : 0
    const second: f64 = count > 1 ? load<f64>(list, 16) : 0
    const none = skip(i)
    const taken = top >= none
    const scale = load<u64>(next, WAY_SCALE)
    store<f64>(here, taken ? top : none, WAY_STEP)
    store<u64>(here, (taken ? <u64>load<u32>(list, 8) * scale : 0) + load<u64>(next, WAY_KEY), WAY_KEY)
    store<u64>(here, taken ? scale * 37 : scale, WAY_SCALE)
    store<u32>(here, load<u32>(next, WAY_LENGTH) + (taken ? 1 : 0), WAY_LENGTH)
    const other = Math.max(taken ? second : top, taken ? none : 0) * bestFrom(i + 1)
    const later = Math.max(top, none) * load<f64>(next)
    const lacking = Math.max(missing(i, 0), missing(i, 1)) * bestFrom(i)
    store<f64>(here, Math.max(Math.max(other, later), lacking))
  }
}
