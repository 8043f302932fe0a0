import { RECORD_CONTRAST, RECORD_GLARE, RECORD_SHARPNESS } from '../layout'

/** Image quality of a plate: sharpness, contrast, glare. */

/** Grey value from which a pixel counts as blown out. */
const GLARE_LEVEL: u32 = 250
/** Share of pixels beyond the dark and the bright end of the contrast range. */
const TAIL: f64 = 0.05

const histogram: usize = memory.data(256 * 4, 16)

/**
 * Writes the quality of a rectified plate (f32 grey values, row by row) to `record`, each 0..1. Contrast: bright minus
 * dark end (95th, 5th percentile) over 255. Glare: share of blown-out pixels. Sharpness: mean step between neighbours
 * in a row over the contrast, times 4; near 1 for crisp strokes, under 0.3 for a blur.
 */
export function rateQuality(samples: usize, width: u32, height: u32, record: usize): void {
  memory.fill(histogram, 0, 1024)
  const count = width * height
  let steps: f64 = 0
  for (let y: u32 = 0; y < height; y++) steps += rateRow(samples + y * width * 4, width)
  const tail = <u32>(TAIL * <f64>count)
  let dark: u32 = 0
  let below = load<u32>(histogram)
  while (below <= tail && dark < 255) below += load<u32>(histogram + ++dark * 4)
  let bright: u32 = 255
  let above = load<u32>(histogram + 255 * 4)
  while (above <= tail && bright > 0) above += load<u32>(histogram + --bright * 4)
  let blown: u32 = 0
  for (let level = GLARE_LEVEL; level < 256; level++) blown += load<u32>(histogram + level * 4)
  const range = bright > dark ? <f64>(bright - dark) : 1
  const step = steps / <f64>(count - height)
  store<f32>(record, <f32>min<f64>(1, 4 * step / range), RECORD_SHARPNESS)
  store<f32>(record, <f32>(range / 255), RECORD_CONTRAST)
  store<f32>(record, <f32>(<f64>blown / <f64>count), RECORD_GLARE)
}

/** Counts one row into the histogram; returns the sum of steps between neighbours. */
function rateRow(row: usize, width: u32): f64 {
  let steps: f64 = 0
  let previous = load<f32>(row)
  for (let x: u32 = 0; x < width; x++) {
    const value = load<f32>(row + x * 4)
    const bin = histogram + (<u32>value & 255) * 4
    store<u32>(bin, load<u32>(bin) + 1)
    steps += abs(value - previous)
    previous = value
  }
  return steps
}
