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

/** Lower bound of an int16 output: ReLU commutes with rounding, so it is a bound of the rounded value. */
@inline
export function lowerBound(layer: Layer): v128 {
  return i16x8.splat((layer.flags & FLAG_RELU) != 0 ? 0 : <i16>-ACTIVATION_MAX)
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

/** round to nearest, ties to even; then into [bound, ACTIVATION_MAX]. */
@inline
export function toInt16(t0: v128, t1: v128, bound: v128): v128 {
  const low = i32x4.trunc_sat_f32x4_s(f32x4.nearest(t0))
  const high = i32x4.trunc_sat_f32x4_s(f32x4.nearest(t1))
  const packed = i16x8.narrow_i32x4_s(low, high)
  return i16x8.max_s(i16x8.min_s(packed, i16x8.splat(<i16>ACTIVATION_MAX)), bound)
}
