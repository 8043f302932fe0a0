import { Tensor } from './net'

/** Lower bound of the deviation, grey values, so that noise on an even picture is not amplified. */
const MIN_DEVIATION: f64 = 8
const LIMIT: f32 = 4
const SCALE: f32 = 512

/**
 * Normalises samples (f32 grey values, row by row) into the input tensor: v = clamp((p - mean) / max(deviation, 8), -4,
 * 4), round(512 v). Mean and deviation (population) over all samples; rows are summed in f32, in four lanes, and the
 * rows in f64.
 */
export function normaliseInto(samples: usize, input: Tensor): void {
  const width = input.width
  const count = width * input.height
  let sum: f64 = 0
  for (let y: u32 = 0; y < input.height; y++) sum += sumRow(samples + y * width * 4, width)
  const mean = <f32>(sum / <f64>count)
  let squares: f64 = 0
  for (let y: u32 = 0; y < input.height; y++) squares += sumSquares(samples + y * width * 4, width, mean)
  const gain = <f32>(1 / max(sqrt(squares / <f64>count), MIN_DEVIATION))
  for (let y: u32 = 0; y < input.height; y++) {
    normaliseRow(samples + y * width * 4, mean, gain, input.interior + y * input.rowStep, width)
  }
}

@inline
function total(lanes: v128): f32 {
  return f32x4.extract_lane(lanes, 0) + f32x4.extract_lane(lanes, 1) + f32x4.extract_lane(lanes, 2) +
    f32x4.extract_lane(lanes, 3)
}

function sumRow(row: usize, width: u32): f64 {
  let lanes = f32x4.splat(0)
  let x: u32 = 0
  for (; x + 4 <= width; x += 4) lanes = f32x4.add(lanes, v128.load(row + x * 4))
  let sum = total(lanes)
  for (; x < width; x++) sum += load<f32>(row + x * 4)
  return sum
}

function sumSquares(row: usize, width: u32, mean: f32): f64 {
  const centre = f32x4.splat(mean)
  let lanes = f32x4.splat(0)
  let x: u32 = 0
  for (; x + 4 <= width; x += 4) {
    const d = f32x4.sub(v128.load(row + x * 4), centre)
    lanes = f32x4.add(lanes, f32x4.mul(d, d))
  }
  let sum = total(lanes)
  for (; x < width; x++) {
    const d = load<f32>(row + x * 4) - mean
    sum += d * d
  }
  return sum
}

function normaliseRow(samples: usize, mean: f32, gain: f32, out: usize, width: u32): void {
  let x: u32 = 0
  for (; x + 8 <= width; x += 8) {
    const at = samples + x * 4
    v128.store(out + x * 2,
      i16x8.narrow_i32x4_s(quantise(v128.load(at), mean, gain), quantise(v128.load(at, 16), mean, gain)))
  }
  for (; x < width; x++) {
    const v = (load<f32>(samples + x * 4) - mean) * gain
    store<i16>(out + x * 2, <i16>nearest(SCALE * max(-LIMIT, min(LIMIT, v))))
  }
}

@inline
function quantise(values: v128, mean: f32, gain: f32): v128 {
  const v = f32x4.mul(f32x4.sub(values, f32x4.splat(mean)), f32x4.splat(gain))
  const clamped = f32x4.max(f32x4.splat(-LIMIT), f32x4.min(f32x4.splat(LIMIT), v))
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(clamped, f32x4.splat(SCALE))))
}
