import { ACTIVATION_MAX } from './layout'
import { ADDEND_ENLARGED, FLAG_RAW, FLAG_RELU, Layer, Tensor } from './net'

/**
 * From exact sums to the layer's output, each step rounded to f32 in the order of docs/model-format.md:
 * t = sum * multiplier; t += bias; t += addend * addendMultiplier; ReLU; then f32 as it is (raw) or int16.
 */

/** Address of the addend of channel `channel` of output pixel (y, x), 0 when the layer has none. `addend` is 0 or a Tensor. */
@inline
export function addendAt(layer: Layer, addend: usize, y: u32, x: u32, channel: u32): usize {
  if (addend == 0) return 0
  const tensor = changetype<Tensor>(addend)
  const shift: u32 = layer.addendMode == ADDEND_ENLARGED ? 1 : 0
  return tensor.interior + (y >> shift) * tensor.rowStep + (x >> shift) * tensor.pixelStep + channel * 2
}

/** Lower bound of an int16 output: ReLU commutes with rounding. */
@inline
export function lowerBound(layer: Layer): v128 {
  return f32x4.splat((layer.flags & FLAG_RELU) != 0 ? 0 : <f32>-ACTIVATION_MAX)
}

/**
 * Finishes 8 channels of one pixel. `low`, `high`: their sums, i32x4 each; `m0`, `m1`, `b0`, `b1`: their multipliers and biases, loaded once
 * by the caller for many pixels; `factor`: the addend's multiplier, splatted; `addend`: address of the 8 addends or 0; `out`: where the 8 results
 * go; `bound`: lowerBound(layer).
 */
@inline
export function finishPixel(
  low: v128, high: v128, m0: v128, m1: v128, b0: v128, b1: v128, factor: v128, addend: usize, out: usize, bound: v128, flags: u32,
): void {
  let t0 = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(low), m0), b0)
  let t1 = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(high), m1), b1)
  if (addend != 0) {
    const values = v128.load(addend)
    t0 = f32x4.add(t0, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(values)), factor))
    t1 = f32x4.add(t1, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(values)), factor))
  }
  if ((flags & FLAG_RAW) != 0) {
    if ((flags & FLAG_RELU) != 0) {
      t0 = f32x4.max(t0, f32x4.splat(0))
      t1 = f32x4.max(t1, f32x4.splat(0))
    }
    v128.store(out, t0)
    v128.store(out, t1, 16)
    return
  }
  v128.store(out, toInt16(t0, t1, bound))
}

/**
 * 1.5 * 2^23: between 2^23 and 2^24 the f32 are the whole numbers, so adding it rounds to nearest, ties to even, and leaves the
 * result in the low bits. Good for magnitudes below 2^22; cheaper than f32x4.nearest and a saturating conversion.
 */
const ROUNDER: f32 = 12582912
const ROUNDER_BITS: i32 = 0x4b400000

/** Into [bound, ACTIVATION_MAX], then round to nearest, ties to even: the bounds are whole, so the order does not matter. */
@inline
export function toInt16(t0: v128, t1: v128, bound: v128): v128 {
  return i16x8.narrow_i32x4_s(roundBounded(t0, bound), roundBounded(t1, bound))
}

@inline
function roundBounded(t: v128, bound: v128): v128 {
  const bounded = f32x4.pmax(bound, f32x4.pmin(f32x4.splat(<f32>ACTIVATION_MAX), t))
  return i32x4.sub(f32x4.add(bounded, f32x4.splat(ROUNDER)), i32x4.splat(ROUNDER_BITS))
}
