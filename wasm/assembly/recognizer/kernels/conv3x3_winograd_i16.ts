import { dotPlanes4x8 } from './dot_planes_4x8_i16'
import { finishRun } from './finish_pixels'
import { PACKED_BYTES, SUMS_BYTES } from '../layout'
import { Layer, Tensor } from '../nets/net'
import { partCount, partsOfPlanes, planeCount } from './winograd_axes'
import { transformInputs } from './winograd_input'
import { PIXEL_ROW_BYTES, sumPixels } from './winograd_output'

/**
 * 3x3 convolutions of any stride, Winograd on both axes (winograd_axes.ts): 2x2 outputs per tile, four tiles per group.
 *
 *     V[group][part][channelsIn/2][4] i16 pairs       of a block of groups
 *     sums[plane][4][8] i32            = V x weights  of one group, 8 output channels at a time (2 KiB, stays in L1)
 *     pixels[2][8][8] i32              exact sums of the 16 pixels under them, finished at once (finish_pixels.ts)
 */
const V: usize = memory.data(PACKED_BYTES as i32, 64)
const sums: usize = memory.data(SUMS_BYTES as i32, 64)
const pixels: usize = memory.data(512, 64)

/** Maximum of groups in a block: all but the first read the weights of 8 output channels from L1. */
const MAX_GROUPS: u32 = 8

@inline
function groupBytes(layer: Layer): usize {
  return partCount(layer.strideY, layer.strideX) * layer.channelsIn * 8
}

/** Tiles of one block, a multiple of 4. */
export function winogradBlockTiles(layer: Layer): u32 {
  return 4 * min<u32>(MAX_GROUPS, <u32>(PACKED_BYTES / groupBytes(layer)))
}

/** Tiles of a whole output, row by row. */
export function winogradTiles(output: Tensor): u32 {
  return ((output.width + 1) >> 1) * ((output.height + 1) >> 1)
}

/** Computes tiles `first .. first+count-1` (row by row over the output). `addend`: 0 or a Tensor. */
export function convWinogradBlock(
  layer: Layer, source: Tensor, output: Tensor, addend: usize, first: u32, count: u32,
): void {
  const across = (output.width + 1) >> 1
  const bytes = groupBytes(layer)
  const last = first + count - 1
  const groups = (count + 3) >> 2
  for (let group: u32 = 0; group < groups; group++) {
    const t = first + group * 4
    transformInputs(source, layer.strideY, layer.strideX,
      tileAddress(layer, source, across, t), tileAddress(layer, source, across, min(t + 1, last)),
      tileAddress(layer, source, across, min(t + 2, last)), tileAddress(layer, source, across, min(t + 3, last)),
      V + group * bytes)
  }
  const planes = planeCount(layer.strideY, layer.strideX)
  const parts = partsOfPlanes(layer.strideY, layer.strideX)
  const partBytes: usize = layer.channelsIn * 8
  const blocks = layer.paddedOut >> 3
  let weights = layer.weights
  for (let block: u32 = 0; block < blocks; block++) {
    for (let group: u32 = 0; group < groups; group++) {
      dotPlanes4x8(V + group * bytes, weights, sums, parts, planes, partBytes, 0)
      sumPixels(layer.strideY, layer.strideX, sums, pixels)
      finishGroup(layer, output, addend, first + group * 4, min<u32>(4, count - group * 4), across, block << 3)
    }
    weights += bytes * 2
  }
}

/**
 * Finishes 8 channels of `count` tiles from tile `index` on: two rows of pixels, one run for each row of tiles.
 */
function finishGroup(
  layer: Layer, output: Tensor, addend: usize, index: u32, count: u32, across: u32, channel: u32,
): void {
  let from = pixels
  while (count > 0) {
    const row = index / across
    const column = index - row * across
    const tiles = min(count, across - column)
    const y: u32 = row << 1
    const x: u32 = column << 1
    const run = min<u32>(tiles << 1, output.width - x)
    finishRun(layer, output, addend, y, x, run, channel, from)
    if (y + 1 < output.height) finishRun(layer, output, addend, y + 1, x, run, channel, from + PIXEL_ROW_BYTES)
    from += tiles * 64
    index += tiles
    count -= tiles
  }
}

/**
 * The first input of tile `index`: its first output's window begins one pixel up and left, where the border begins.
 */
@inline
function tileAddress(layer: Layer, source: Tensor, across: u32, index: u32): usize {
  const y = index / across
  const x = index - y * across
  return source.base + 2 * (y * layer.strideY * source.rowStep + x * layer.strideX * source.pixelStep)
}
