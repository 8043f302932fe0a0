import { levelAddress, levelFor, levelHeight, levelWidth } from './pyramid'

/**
 * Bilinear sampling of an axis-aligned window of the frame (rule 3 of docs/model-format.md): maps output pixel centres
 * to frame coordinates and reads the pyramid level that fits the scale, with edge pixels repeated outside. Results are
 * grey values 0..255 as f32, row by row. rectify.ts does the same through a homography.
 *
 * Each output row takes two steps: blend two source rows into `blended` (8 pixels at a time), then blend two
 * neighbours of that row into every output pixel (4 at a time).
 */

/** Maximum of output columns, and of source columns under them. */
const MAX_COLUMNS: u32 = 8192
/** Per output column: byte offset of its left neighbour in `blended` (u32), and weight of the right one (f32). */
const offsets: usize = memory.data(8192 * 4 + 16, 16)
const weights: usize = memory.data(8192 * 4 + 16, 16)
const blended: usize = memory.data(8192 * 4 + 64, 16)

/**
 * Samples the window with corner (left, top) and size (width, height), in frame pixels, to outWidth x outHeight values
 * at `out`, which must have room for 4 more. outWidth <= 8192.
 */
export function sampleWindow(
  left: f64, top: f64, width: f64, height: f64, outWidth: u32, outHeight: u32, out: usize,
): void {
  const stepX = width / <f64>outWidth
  const stepY = height / <f64>outHeight
  const level = levelFor(max(stepX, stepY))
  const unit = 1.0 / <f64>(1 << level)
  const first = fillColumns(left * unit, stepX * unit, outWidth, levelWidth(level))
  const last = load<u32>(offsets + (outWidth - 1) * 4) / 4 + 1
  const rows = levelHeight(level)
  const step = levelWidth(level)
  const source = levelAddress(level) + first
  for (let y: u32 = 0; y < outHeight; y++) {
    const at = inside((top + (<f64>y + 0.5) * stepY) * unit - 0.5, <f64>(rows - 1))
    const upper = min(<u32>at, rows - 2)
    blendRows(source + upper * step, step, <f32>(at - <f64>upper), last + 1)
    takeColumns(outWidth, out)
    out += outWidth * 4
  }
}

/**
 * Fills `offsets` and `weights` for columns at (x + 0.5) * step + left, level pixels; returns the first source column
 * used.
 */
function fillColumns(left: f64, step: f64, count: u32, sourceWidth: u32): u32 {
  const first = min(<u32>inside(left + 0.5 * step - 0.5, <f64>(sourceWidth - 1)), sourceWidth - 2)
  const padded = min((count + 3) & ~3, MAX_COLUMNS)
  for (let x: u32 = 0; x < padded; x++) {
    const at = inside(left + (<f64>min(x, count - 1) + 0.5) * step - 0.5, <f64>(sourceWidth - 1))
    const whole = min(<u32>at, sourceWidth - 2)
    store<u32>(offsets + x * 4, (whole - first) * 4)
    store<f32>(weights + x * 4, <f32>(at - <f64>whole))
  }
  return first
}

/** blended[i] = upper[i] + (lower[i] - upper[i]) * weight; reads up to 7 bytes after `count`. */
function blendRows(upper: usize, step: usize, weight: f32, count: u32): void {
  const factor = f32x4.splat(weight)
  for (let i: u32 = 0; i < count; i += 8) {
    const a = v128.load8x8_u(upper + i)
    const b = v128.load8x8_u(upper + step + i)
    const d = i16x8.sub(b, a)
    v128.store(blended + i * 4, f32x4.add(
      f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(a)),
      f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(d)), factor)))
    v128.store(blended + i * 4, f32x4.add(
      f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(a)),
      f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(d)), factor)), 16)
  }
}

/** One output row from `blended`, 4 values at a time: left + (right - left) * weight. */
function takeColumns(count: u32, out: usize): void {
  for (let x: u32 = 0; x < count; x += 4) {
    const at = offsets + x * 4
    // pairs (left, right) of columns 0 and 1, then of 2 and 3
    const p = v128.load64_lane(blended + load<u32>(at, 4), v128.load64_zero(blended + load<u32>(at)), 1)
    const q = v128.load64_lane(blended + load<u32>(at, 12), v128.load64_zero(blended + load<u32>(at, 8)), 1)
    const lefts = v128.shuffle<f32>(p, q, 0, 2, 4, 6)
    const rights = v128.shuffle<f32>(p, q, 1, 3, 5, 7)
    v128.store(out + x * 4,
      f32x4.add(lefts, f32x4.mul(f32x4.sub(rights, lefts), v128.load(weights + x * 4))))
  }
}

/** `at` clamped to 0..last; NaN becomes 0. */
@inline
export function inside(at: f64, last: f64): f64 {
  return at > 0 ? (at < last ? at : last) : 0
}
