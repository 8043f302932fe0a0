import { MIN_SIDE } from '../layout'

/**
 * Level 0 is the frame's luma, each next level half of the previous one: 2x2 mean, rounded, odd edge dropped, while
 * both sides are at least 32 pixels. Levels follow each other in memory, each 64-byte aligned, rows without padding.
 */
const MAX_LEVELS: u32 = 9
/** Bytes that the 16-wide loads may read after the last level. */
const TAIL_BYTES: usize = 64

const addresses: usize = memory.data(4 * 9, 16)
let levels: u32 = 0
let frameWidth: u32 = 0
let frameHeight: u32 = 0

@inline
export function levelCount(): u32 {
  return levels
}

@inline
export function levelAddress(level: u32): usize {
  return load<u32>(addresses + level * 4)
}

@inline
export function levelWidth(level: u32): u32 {
  return frameWidth >> level
}

@inline
export function levelHeight(level: u32): u32 {
  return frameHeight >> level
}

/** Lays out the levels of a frame from `base` on; returns the end of the last. Sides 32 to 8192. */
export function layPyramid(base: usize, width: u32, height: u32): usize {
  frameWidth = width
  frameHeight = height
  levels = 0
  let at = base
  while (levels < MAX_LEVELS && (levels == 0 || min(levelWidth(levels), levelHeight(levels)) >= MIN_SIDE)) {
    store<u32>(addresses + levels * 4, <u32>at)
    at = (at + levelWidth(levels) * levelHeight(levels) + 63) & ~63
    levels++
  }
  return at + TAIL_BYTES
}

/** Computes levels 1 and up from level 0. */
export function buildPyramid(): void {
  for (let level: u32 = 1; level < levels; level++) {
    const step = levelWidth(level - 1)
    const width = levelWidth(level)
    const rows = levelHeight(level)
    const from = levelAddress(level - 1)
    const to = levelAddress(level)
    for (let y: u32 = 0; y < rows; y++) halveRow(from + 2 * y * step, step, to + y * width, width)
  }
}

/** One row of half size from two rows that begin at `from` and `from + step`. */
function halveRow(from: usize, step: u32, to: usize, width: u32): void {
  let x: u32 = 0
  for (; x + 16 <= width; x += 16) {
    const a = from + 2 * x
    const low = quarterSums(v128.load(a), v128.load(a + step))
    const high = quarterSums(v128.load(a, 16), v128.load(a + step, 16))
    v128.store(to + x, i8x16.narrow_i16x8_u(low, high))
  }
  for (; x < width; x++) {
    const a = from + 2 * x
    const b = a + step
    store<u8>(to + x, <u8>((<u32>load<u8>(a) + load<u8>(a, 1) + load<u8>(b) + load<u8>(b, 1) + 2) >> 2))
  }
}

/** (a + b + c + d + 2) >> 2 of neighbouring pairs of two rows of 16 pixels. */
@inline
function quarterSums(upper: v128, lower: v128): v128 {
  const sums = i16x8.add(i16x8.extadd_pairwise_i8x16_u(upper), i16x8.extadd_pairwise_i8x16_u(lower))
  return i16x8.shr_u(i16x8.add(sums, i16x8.splat(2)), 2)
}

/**
 * The coarsest level whose pixels are at most `scale` frame pixels: floor(log2(scale)), clamped to existing levels.
 */
export function levelFor(scale: f64): u32 {
  let level: u32 = 0
  while (level + 1 < levels && scale >= <f64>(2 << level)) level++
  return level
}
