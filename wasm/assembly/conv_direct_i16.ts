import { dotTile4x8 } from './dot_tile_4x8_i16'
import { Layer, Tensor } from './net'
import { segmentLength } from './pack_weights'
import { addendAt, finishPixel, lowerBound } from './requantise'

/** Sums of one tile: 4 pixels x 8 channels x i32. */
const sums: usize = memory.data(128, 16)

/**
 * One row of a direct convolution: kernel 1 or 3, any stride, also the first layer (one input channel). A kernel row is one
 * contiguous piece of the bordered input, so there is no im2col. `addend`: 0 or a Tensor.
 */
export function convDirectRow(layer: Layer, source: Tensor, output: Tensor, addend: usize, y: u32): void {
  const blocks = layer.paddedOut >> 3
  const segment: usize = segmentLength(layer) * 2
  const blockBytes = layer.kernel * segment * 8
  const step = layer.strideX * source.pixelStep
  // kernel 3 begins one pixel up and left of the output's own pixel, which is where the border begins
  const origin = layer.kernel == 3 ? source.base : source.interior
  const inputRow = origin + y * layer.strideY * source.rowStep
  const outputRow = output.interior + y * output.rowStep
  const width = output.width
  const bound = lowerBound(layer)
  const factor = f32x4.splat(layer.addendMultiplier)
  const flags = layer.flags
  const pixelStep = output.pixelStep
  const valueBytes: usize = output.raw ? 4 : 2
  for (let block: u32 = 0; block < blocks; block++) {
    const weights = layer.weights + block * blockBytes
    const channel = block << 3
    const m0 = v128.load(layer.multipliers + channel * 4)
    const m1 = v128.load(layer.multipliers + channel * 4, 16)
    const b0 = v128.load(layer.biases + channel * 4)
    const b1 = v128.load(layer.biases + channel * 4, 16)
    let out = outputRow + channel * valueBytes
    for (let x: u32 = 0; x < width; x += 4) {
      // the last tile may compute pixels beyond the row from whatever lies there; they are not finished
      dotTile4x8(inputRow + x * step, step, source.rowStep, layer.kernel, segment, weights, sums, 32)
      const count = min<u32>(4, width - x)
      for (let i: u32 = 0; i < count; i++) {
        const at = sums + i * 32
        finishPixel(v128.load(at), v128.load(at, 16), m0, m1, b0, b1, factor, addendAt(layer, addend, y, x + i, channel), out, bound, flags)
        out += pixelStep
      }
    }
  }
}
