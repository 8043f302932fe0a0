import { Tensor } from './net'

/** Least deviation that still counts as a picture, grey values. */
const MIN_DEVIATION: f64 = 8
const LIMIT: f32 = 4
const SCALE: f32 = 512

/**
 * Samples (f32 grey values, row by row) into the input tensor: v = clamp((p - mean) / max(deviation, 8), -4, 4), round(512 v).
 * Mean and deviation (population) over all samples.
 */
export function normaliseInto(samples: usize, input: Tensor): void {
  const width = input.width
  const count = width * input.height
  let sum: f64 = 0
  for (let i: u32 = 0; i < count; i++) sum += load<f32>(samples + i * 4)
  const mean = sum / <f64>count
  let squares: f64 = 0
  for (let i: u32 = 0; i < count; i++) {
    const d = <f64>load<f32>(samples + i * 4) - mean
    squares += d * d
  }
  const gain = <f32>(1 / max(sqrt(squares / <f64>count), MIN_DEVIATION))
  for (let y: u32 = 0; y < input.height; y++) {
    normaliseRow(samples + y * width * 4, <f32>mean, gain, input.interior + y * input.rowStep, width)
  }
}

function normaliseRow(samples: usize, mean: f32, gain: f32, out: usize, width: u32): void {
  for (let x: u32 = 0; x < width; x++) {
    const v = (load<f32>(samples + x * 4) - mean) * gain
    store<i16>(out + x * 2, <i16>nearest(SCALE * max(-LIMIT, min(LIMIT, v))))
  }
}
