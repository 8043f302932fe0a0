import { Layer } from '../nets/net'
import { axisWeight, partCount, partOrder } from './winograd_axes'

/**
 * Weights as dotPlanes4x8 reads them, int16, eight adjacent output channels, inputs in pairs, so that one
 * i32x4.dot_i16x8_s multiplies a splatted pair of inputs by a pair of weights of four channels:
 *
 *     direct    [channelsOut/8][pairs] { c0k0 c0k1 c1k0 c1k1 ... c7k0 c7k1 }          32 bytes per pair
 *     Winograd  [channelsOut/8][part][channelsIn/2] { the same }                      parts as in winograd_axes.ts
 */

/**
 * Pairs of inputs of one output of a direct layer: channels of a 1x1 kernel, taps of a first layer (pack_tiles.ts).
 */
export function pairCount(layer: Layer): u32 {
  if (layer.channelsIn == 1) return layer.kernel == 3 ? 5 : 1
  return layer.channelsIn >> 1
}

export function directWeightBytes(layer: Layer): usize {
  return layer.paddedOut * pairCount(layer) * 4
}

export function winogradWeightBytes(layer: Layer): usize {
  return layer.paddedOut * partCount(layer.strideY, layer.strideX) * layer.channelsIn * 2
}

/** `source`: int8 [channelsOut][ky][kx][channelsIn] as in the file; `target`: zeroed. */
export function packDirect(layer: Layer, source: usize, target: usize): void {
  const pairs = pairCount(layer)
  const inputs = layer.kernel * layer.kernel * layer.channelsIn
  for (let c: u32 = 0; c < layer.channelsOut; c++) {
    for (let k: u32 = 0; k < inputs; k++) {
      const slot = layer.kernel == 3 ? tapSlot(k) : k
      store<i16>(
        target + ((c >> 3) * pairs + (slot >> 1)) * 32 + (c & 7) * 4 + (slot & 1) * 2,
        load<i8>(source + c * inputs + k))
    }
  }
}

/** Index of tap `k` of a one-channel 3x3 kernel in the five pairs: (0,1) (3,4) (6,7) (2,5) (8,-). */
function tapSlot(k: u32): u32 {
  const row = k / 3
  const column = k % 3
  return column < 2 ? row * 2 + column : 6 + row
}

export function packWinograd(layer: Layer, source: usize, target: usize): void {
  const inputs = layer.channelsIn
  const order = partOrder(layer.strideY, layer.strideX)
  const parts = partCount(layer.strideY, layer.strideX)
  for (let c: u32 = 0; c < layer.channelsOut; c++) {
    for (let part: u32 = 0; part < parts; part++) {
      const row = <u32>load<u8>(order + part) / 5
      const column = <u32>load<u8>(order + part) % 5
      const at = target + ((c >> 3) * parts + part) * inputs * 16 + (c & 7) * 4
      for (let k: u32 = 0; k < inputs; k++) {
        const from = source + c * 9 * inputs + k
        store<i16>(at + (k >> 1) * 32 + (k & 1) * 2, <i16>axisWeight(layer.strideX, column,
          tapDown(layer, from, row), tapDown(layer, from + inputs, row), tapDown(layer, from + 2 * inputs, row)))
      }
    }
  }
}

/** Row part `part` of the kernel column that begins at `from`. */
function tapDown(layer: Layer, from: usize, part: u32): i32 {
  const step = layer.channelsIn * 3
  return axisWeight(
    layer.strideY, part, <i32>load<i8>(from), <i32>load<i8>(from + step), <i32>load<i8>(from + 2 * step))
}
