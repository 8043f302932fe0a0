import { Layer } from './net'

/**
 * Weights as the kernels read them, int16, eight output channels side by side, pairs of inputs together, so that one
 * i32x4.dot_i16x8_s multiplies a splatted pair of inputs with a pair of weights of four channels:
 *
 *     direct    [channelsOut/8][ky][segment/2] { c0k0 c0k1 c1k0 c1k1 ... c7k0 c7k1 }   32 bytes a pair
 *     Winograd  [16][channelsOut/8][channelsIn/2] { the same }
 *
 * `segment` is what one kernel row covers in one piece: kernel * channelsIn values, or 4 for a one-channel 3x3 kernel (three
 * taps and a zero).
 */

/** int16 values of one kernel row; a multiple of 2. */
export function segmentLength(layer: Layer): u32 {
  const length = layer.kernel * layer.channelsIn
  return (length + 1) & ~1
}

export function directWeightBytes(layer: Layer): usize {
  return layer.paddedOut * layer.kernel * segmentLength(layer) * 2
}

export function winogradWeightBytes(layer: Layer): usize {
  return 16 * layer.paddedOut * layer.channelsIn * 2
}

/** `source`: int8 [channelsOut][ky][kx][channelsIn] as in the file; `target`: zeroed. */
export function packDirect(layer: Layer, source: usize, target: usize): void {
  const segment = segmentLength(layer)
  const row = layer.kernel * layer.channelsIn
  for (let c: u32 = 0; c < layer.channelsOut; c++) {
    for (let ky: u32 = 0; ky < layer.kernel; ky++) {
      const from = source + (c * layer.kernel + ky) * row
      const to = target + ((c >> 3) * layer.kernel + ky) * segment * 16 + (c & 7) * 4
      for (let k: u32 = 0; k < row; k++) {
        store<i16>(to + (k >> 1) * 32 + (k & 1) * 2, load<i8>(from + k))
      }
    }
  }
}

/**
 * 4 * G g G' of each 3x3 kernel g, exact in integers: 2G = [2 0 0; 1 1 1; 1 -1 1; 0 0 2].
 * At most 9 * 127, so it fits int16; the sums come out four times too large and are divided exactly (conv3x3_winograd_i16.ts).
 */
export function packWinograd(layer: Layer, source: usize, target: usize): void {
  const inputs = layer.channelsIn
  const blocks = layer.paddedOut >> 3
  for (let c: u32 = 0; c < layer.channelsOut; c++) {
    for (let k: u32 = 0; k < inputs; k++) {
      const from = source + c * 9 * inputs + k
      for (let i: u32 = 0; i < 4; i++) {
        const t0 = halfTransform(from, inputs * 3, i)
        const t1 = halfTransform(from + inputs, inputs * 3, i)
        const t2 = halfTransform(from + 2 * inputs, inputs * 3, i)
        const at = target + (c >> 3) * inputs * 16 + (k >> 1) * 32 + (c & 7) * 4 + (k & 1) * 2
        const step = blocks * inputs * 16
        store<i16>(at + (i * 4) * step, <i16>(2 * t0))
        store<i16>(at + (i * 4 + 1) * step, <i16>(t0 + t1 + t2))
        store<i16>(at + (i * 4 + 2) * step, <i16>(t0 - t1 + t2))
        store<i16>(at + (i * 4 + 3) * step, <i16>(2 * t2))
      }
    }
  }
}

/** Row `i` of 2G times a kernel column whose three values are `step` bytes apart. */
function halfTransform(column: usize, step: usize, i: u32): i32 {
  const a = <i32>load<i8>(column)
  const b = <i32>load<i8>(column + step)
  const c = <i32>load<i8>(column + 2 * step)
  if (i == 0) return 2 * a
  if (i == 1) return a + b + c
  if (i == 2) return a - b + c
  return 2 * c
}
