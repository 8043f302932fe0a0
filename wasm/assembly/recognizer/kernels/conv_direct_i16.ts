import { dotPlanes4x8 } from './dot_planes_4x8_i16'
import { finishRun } from './finish_pixels'
import { DIRECT_GROUPS, MAX_CHANNELS } from '../layout'
import { Layer, Tensor } from '../nets/net'
import { packFirst, packPixels } from './pack_tiles'
import { pairCount } from './pack_weights'

/**
 * 1x1 convolutions, and the first layer of a net (one input channel), of any stride: groups of four pixels of a row;
 * each sum is one dot product.
 */
const V: usize = memory.data((DIRECT_GROUPS * MAX_CHANNELS * 8) as i32, 64)
const sums: usize = memory.data((DIRECT_GROUPS * 128) as i32, 64)
/** Each group is a plane of one part. */
const oneEach: usize = memory.data<u8>([1, 1, 1, 1, 1, 1, 1, 1, 1, 1])

/** Pixels computed by one convDirectRun. */
export const DIRECT_PIXELS: u32 = DIRECT_GROUPS * 4

/** Computes pixels `x .. x+count-1` of output row `y`, at most DIRECT_PIXELS. `addend`: 0 or a Tensor. */
export function convDirectRun(
  layer: Layer, source: Tensor, output: Tensor, addend: usize, y: u32, x: u32, count: u32,
): void {
  const bytes: usize = pairCount(layer) * 16
  const step = layer.strideX * source.pixelStep
  // kernel 3 begins one pixel up and left of the output pixel, where the border begins
  const origin = (layer.kernel == 3 ? source.base : source.interior) + y * layer.strideY * source.rowStep + x * step
  const groups = (count + 3) >> 2
  // the last group may read arbitrary bytes beyond the row; those pixels are not finished
  for (let group: u32 = 0; group < groups; group++) {
    const at = origin + group * 4 * step
    if (layer.channelsIn == 1) packFirst(source, layer.kernel, at, layer.strideX, V + group * bytes)
    else packPixels(at, step, layer.channelsIn, V + group * bytes)
  }
  const blocks = layer.paddedOut >> 3
  let weights = layer.weights
  for (let block: u32 = 0; block < blocks; block++) {
    dotPlanes4x8(V, weights, sums, oneEach, groups, bytes, bytes * 2)
    finishRun(layer, output, addend, y, x, count, block << 3, sums)
    weights += bytes * 2
  }
}
