import { ACTIVATION_MAX } from '../layout'
import { ADDEND_ENLARGED, ADDEND_SAME, FLAG_RAW, FLAG_RELU, Layer, Tensor } from '../nets/net'

/**
 * From exact sums to the layer's output, each step rounded to f32 in the order of docs/model-format.md:
 * t = sum * multiplier; t += bias; t += addend * addendMultiplier; ReLU; then the f32 itself (raw) or int16.
 */

/**
 * Constants of the current layer, four lanes each: lower bound of the output, ACTIVATION_MAX, ROUNDER, addend
 * multiplier. In memory, because V8 rebuilds a literal vector, with three instructions, at each use.
 */
const constants: usize = memory.data(64, 16)

/**
 * 1.5 * 2^23: between 2^23 and 2^24 the f32 are the integers, so adding it rounds to nearest, ties to even, and leaves
 * the result in the low bits, added to ROUNDER's own. Valid for magnitudes below 2^22; cheaper than f32x4.nearest
 * and a saturating conversion.
 */
const ROUNDER: f32 = 12582912

/** Sets the constants of a layer; must precede its first finishRun. */
export function beginLayer(layer: Layer): void {
  // ReLU commutes with rounding
  v128.store(constants, f32x4.splat((layer.flags & FLAG_RELU) != 0 ? 0 : <f32>-ACTIVATION_MAX))
  v128.store(constants, f32x4.splat(<f32>ACTIVATION_MAX), 16)
  v128.store(constants, f32x4.splat(ROUNDER), 32)
  v128.store(constants, f32x4.splat(layer.addendMultiplier), 48)
}

/**
 * Finishes 8 channels of `count` pixels of one row, from (y, x) on. `sums`: i32 [count][8]; `addend`: 0 or a Tensor,
 * x must be even when the addend is enlarged.
 */
export function finishRun(
  layer: Layer, output: Tensor, addend: usize, y: u32, x: u32, count: u32, channel: u32, sums: usize,
): void {
  const step = output.pixelStep
  const out = output.interior + y * output.rowStep + x * step + channel * (output.raw ? 4 : 2)
  const multipliers = layer.multipliers + channel * 4
  const biases = layer.biases + channel * 4
  let from: usize = 0
  let hop: usize = 0
  let flip: usize = 0
  if (addend != 0) {
    const tensor = changetype<Tensor>(addend)
    const shift: u32 = layer.addendMode == ADDEND_ENLARGED ? 1 : 0
    from = tensor.interior + (y >> shift) * tensor.rowStep + (x >> shift) * tensor.pixelStep + channel * 2
    if (layer.addendMode == ADDEND_SAME) hop = tensor.pixelStep
    else flip = tensor.pixelStep
  }
  if ((layer.flags & FLAG_RAW) != 0) {
    finishRaw(sums, count, multipliers, biases, out, step, from, hop, flip, (layer.flags & FLAG_RELU) != 0)
  } else if (from == 0) {
    finish(sums, count, multipliers, biases, out, step)
  } else {
    finishAdding(sums, count, multipliers, biases, out, step, from, hop, flip)
  }
}

function finish(sums: usize, count: u32, multipliers: usize, biases: usize, out: usize, step: usize): void {
  const bound = v128.load(constants), most = v128.load(constants, 16), rounder = v128.load(constants, 32)
  const m0 = v128.load(multipliers), m1 = v128.load(multipliers, 16)
  const b0 = v128.load(biases), b1 = v128.load(biases, 16)
  for (const end = sums + count * 32; sums < end; sums += 32) {
    const t0 = scale(v128.load(sums), m0, b0)
    const t1 = scale(v128.load(sums, 16), m1, b1)
    v128.store(out,
      i16x8.narrow_i32x4_s(roundBounded(t0, bound, most, rounder), roundBounded(t1, bound, most, rounder)))
    out += step
  }
}

/**
 * `addend`: that of the first pixel. It advances by `hop`, which is xored with `flip` each time: (step, 0) for one
 * addend per pixel, (0, step) for one per two pixels.
 */
function finishAdding(
  sums: usize, count: u32, multipliers: usize, biases: usize, out: usize, step: usize, addend: usize, hop: usize,
  flip: usize,
): void {
  const bound = v128.load(constants), most = v128.load(constants, 16), rounder = v128.load(constants, 32)
  const factor = v128.load(constants, 48)
  const m0 = v128.load(multipliers), m1 = v128.load(multipliers, 16)
  const b0 = v128.load(biases), b1 = v128.load(biases, 16)
  for (const end = sums + count * 32; sums < end; sums += 32) {
    const t0 = f32x4.add(scale(v128.load(sums), m0, b0), scaleAddend(addend, factor))
    const t1 = f32x4.add(scale(v128.load(sums, 16), m1, b1), scaleAddend(addend + 8, factor))
    v128.store(out,
      i16x8.narrow_i32x4_s(roundBounded(t0, bound, most, rounder), roundBounded(t1, bound, most, rounder)))
    out += step
    addend += hop
    hop ^= flip
  }
}

/** Stores the f32 themselves; `addend`: 0 for none. */
function finishRaw(
  sums: usize, count: u32, multipliers: usize, biases: usize, out: usize, step: usize, addend: usize, hop: usize,
  flip: usize, relu: bool,
): void {
  const factor = v128.load(constants, 48)
  const least = f32x4.splat(relu ? 0 : -Infinity)
  const m0 = v128.load(multipliers), m1 = v128.load(multipliers, 16)
  const b0 = v128.load(biases), b1 = v128.load(biases, 16)
  for (const end = sums + count * 32; sums < end; sums += 32) {
    let t0 = scale(v128.load(sums), m0, b0)
    let t1 = scale(v128.load(sums, 16), m1, b1)
    if (addend != 0) {
      t0 = f32x4.add(t0, scaleAddend(addend, factor))
      t1 = f32x4.add(t1, scaleAddend(addend + 8, factor))
      addend += hop
      hop ^= flip
    }
    v128.store(out, f32x4.pmax(least, t0))
    v128.store(out, f32x4.pmax(least, t1), 16)
    out += step
  }
}

@inline
function scale(sums: v128, multipliers: v128, biases: v128): v128 {
  return f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(sums), multipliers), biases)
}

@inline
function scaleAddend(addend: usize, factor: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(v128.load16x4_s(addend)), factor)
}

/** Clamps to [bound, most], then rounds to nearest, ties to even: with integer bounds the order is irrelevant. */
@inline
function roundBounded(t: v128, bound: v128, most: v128, rounder: v128): v128 {
  return i32x4.sub(f32x4.add(f32x4.pmax(bound, f32x4.pmin(most, t)), rounder), rounder)
}

/** Two vectors of finished f32 without ReLU to int16; for layers other than convolutions. */
@inline
export function toInt16(t0: v128, t1: v128): v128 {
  const bound = f32x4.splat(<f32>-ACTIVATION_MAX), most = f32x4.splat(<f32>ACTIVATION_MAX)
  const rounder = f32x4.splat(ROUNDER)
  return i16x8.narrow_i32x4_s(roundBounded(t0, bound, most, rounder), roundBounded(t1, bound, most, rounder))
}
