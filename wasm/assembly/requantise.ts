import { ACTIVATION_MAX } from './layout'
import { ADDEND_ENLARGED, FLAG_RAW, FLAG_RELU, Layer, Tensor } from './net'

/**
 * From exact sums to the layer's output, each step rounded to f32 in the order of docs/model-format.md:
 * t = sum * multiplier; t += bias; t += addend * addendMultiplier; ReLU; then f32 as it is (raw) or int16.
 */

/** Address of the addend of output pixel (y, x), 0 when the layer has none. `addend` is 0 or a Tensor. */
@inline
export function addendAt(layer: Layer, addend: usize, y: u32, x: u32): usize {
  if (addend == 0) return 0
  const tensor = changetype<Tensor>(addend)
  const shift: u32 = layer.addendMode == ADDEND_ENLARGED ? 1 : 0
  return tensor.interior + (y >> shift) * tensor.rowStep + (x >> shift) * tensor.pixelStep
}

/** Lower bound of an int16 output: ReLU commutes with rounding. */
@inline
export function lowerBound(layer: Layer): v128 {
  return f32x4.splat((layer.flags & FLAG_RELU) != 0 ? 0 : <f32>-ACTIVATION_MAX)
}

/**
 * Finishes channels `channel .. channel+7` of one pixel. `low`, `high`: their sums, i32x4 each; `addend`: address of the
 * addend pixel or 0; `out`: address of the output pixel; `bound`: lowerBound(layer).
 */
@inline
export function finishPixel(layer: Layer, channel: usize, low: v128, high: v128, addend: usize, out: usize, bound: v128): void {
  const multipliers = layer.multipliers + channel * 4
  const biases = layer.biases + channel * 4
  let t0 = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(low), v128.load(multipliers)), v128.load(biases))
  let t1 = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(high), v128.load(multipliers, 16)), v128.load(biases, 16))
  if (addend != 0) {
    const values = v128.load(addend + channel * 2)
    const factor = f32x4.splat(layer.addendMultiplier)
    t0 = f32x4.add(t0, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(values)), factor))
    t1 = f32x4.add(t1, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(values)), factor))
  }
  if ((layer.flags & FLAG_RAW) != 0) {
    if ((layer.flags & FLAG_RELU) != 0) {
      t0 = f32x4.max(t0, f32x4.splat(0))
      t1 = f32x4.max(t1, f32x4.splat(0))
    }
    v128.store(out + channel * 4, t0)
    v128.store(out + channel * 4, t1, 16)
    return
  }
  v128.store(out + channel * 2, toInt16(t0, t1, bound))
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
