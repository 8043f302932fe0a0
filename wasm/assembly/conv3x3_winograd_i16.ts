import { dotTile4x8 } from './dot_tile_4x8_i16'
import { WINOGRAD_M_BYTES, WINOGRAD_TILES, WINOGRAD_V_BYTES } from './layout'
import { Layer, Tensor } from './net'
import { addendAt, finishPixel, lowerBound } from './requantise'

/**
 * Winograd F(2x2, 3x3): a tile of 2x2 outputs from 4x4 inputs with 16 instead of 36 products a channel pair.
 *
 *     V[16][tiles][channelsIn] i16    = B' d B    grows values by at most 4: 4 * 8191 fits int16
 *     M[tiles][16][8] i32             = V x U     for one block of 8 output channels at a time (stays in L1)
 *     output 2x2                      = A' M A    four times the exact sum, since U is 4 * G g G' (pack_weights.ts)
 *
 * Intermediate i32 sums may wrap; the final one cannot (the exporter proves it), and wrapping is exact modulo 2^32.
 */
const V: usize = memory.data(WINOGRAD_V_BYTES as i32, 64)
const M: usize = memory.data(WINOGRAD_M_BYTES as i32, 64)

/** Tiles of one block: as many as V holds, a multiple of 4. */
@inline
export function winogradBlockTiles(layer: Layer): u32 {
  return min<u32>(WINOGRAD_TILES, (WINOGRAD_V_BYTES / (32 * layer.channelsIn)) & ~3)
}

/** Tiles of a whole output, row by row. */
@inline
export function winogradTiles(output: Tensor): u32 {
  return ((output.width + 1) >> 1) * ((output.height + 1) >> 1)
}

/** Computes tiles `first .. first+count-1` (row by row over the output). `addend`: 0 or a Tensor. */
export function convWinogradBlock(layer: Layer, source: Tensor, output: Tensor, addend: usize, first: u32, count: u32): void {
  const across = (output.width + 1) >> 1
  const inputBytes: usize = layer.channelsIn * 2
  const padded = (count + 3) & ~3
  const plane: usize = padded * inputBytes
  let tileY = first / across
  let tileX = first - tileY * across
  for (let t: u32 = 0; t < count; t++) {
    transformInput(source, tileY << 1, tileX << 1, V + t * inputBytes, plane, inputBytes)
    if (++tileX == across) {
      tileX = 0
      tileY++
    }
  }
  const blocks = layer.paddedOut >> 3
  for (let block: u32 = 0; block < blocks; block++) {
    for (let i: u32 = 0; i < 16; i++) {
      const weights = layer.weights + (i * blocks + block) * inputBytes * 8
      multiplyPlane(V + i * plane, padded, inputBytes, weights, M + i * 32)
    }
    tileY = first / across
    tileX = first - tileY * across
    for (let t: u32 = 0; t < count; t++) {
      transformOutput(layer, output, addend, tileY << 1, tileX << 1, block << 3, M + t * 512)
      if (++tileX == across) {
        tileX = 0
        tileY++
      }
    }
  }
}

function multiplyPlane(v: usize, tiles: u32, inputBytes: usize, weights: usize, m: usize): void {
  for (let t: u32 = 0; t < tiles; t += 4) {
    dotTile4x8(v + t * inputBytes, inputBytes, 0, 1, inputBytes, weights, m + t * 512, 512)
  }
}

/** B' d B of one tile, all channels, 8 at a time; element (i, j) goes to plane i * 4 + j. Output pixel (y, x) is the tile's first. */
function transformInput(source: Tensor, y: u32, x: u32, v: usize, plane: usize, inputBytes: usize): void {
  const corner = source.base + y * source.rowStep + x * source.pixelStep
  for (let c: usize = 0; c < inputBytes; c += 16) {
    for (let j: u32 = 0; j < 4; j++) {
      // columns of B' d, then combined along the row: the row j of B' d needs two input rows only
      const upper = corner + c + (j == 0 ? 0 : j == 2 ? 2 : 1) * source.rowStep
      const lower = corner + c + (j == 0 ? 2 : j == 1 ? 2 : j == 2 ? 1 : 3) * source.rowStep
      const add = j == 1
      const r0 = combine(v128.load(upper), v128.load(lower), add)
      const r1 = combine(v128.load(upper + source.pixelStep), v128.load(lower + source.pixelStep), add)
      const r2 = combine(v128.load(upper + 2 * source.pixelStep), v128.load(lower + 2 * source.pixelStep), add)
      const r3 = combine(v128.load(upper + 3 * source.pixelStep), v128.load(lower + 3 * source.pixelStep), add)
      const to = v + c + j * 4 * plane
      v128.store(to, i16x8.sub(r0, r2))
      v128.store(to + plane, i16x8.add(r1, r2))
      v128.store(to + 2 * plane, i16x8.sub(r2, r1))
      v128.store(to + 3 * plane, i16x8.sub(r1, r3))
    }
  }
}

@inline
function combine(a: v128, b: v128, add: bool): v128 {
  return add ? i16x8.add(a, b) : i16x8.sub(a, b)
}

/** A' M A of one tile for 8 channels, divided by 4, finished into up to 2x2 pixels. `m`: [16][8] i32. */
function transformOutput(layer: Layer, output: Tensor, addend: usize, y: u32, x: u32, channel: usize, m: usize): void {
  const bound = lowerBound(layer)
  const right = x + 1 < output.width
  const below = y + 1 < output.height
  const out = output.interior + y * output.rowStep + x * output.pixelStep
  // sums down the columns of M: u = rows 0+1+2, l = rows 1-2-3, for both halves of the 8 channels
  const u0 = upperSum(m), u1 = upperSum(m + 32), u2 = upperSum(m + 64), u3 = upperSum(m + 96)
  const v0 = upperSum(m + 16), v1 = upperSum(m + 48), v2 = upperSum(m + 80), v3 = upperSum(m + 112)
  finishPixel(layer, channel, quarter(i32x4.add(i32x4.add(u0, u1), u2)), quarter(i32x4.add(i32x4.add(v0, v1), v2)),
    addendAt(layer, addend, y, x), out, bound)
  if (right) {
    finishPixel(layer, channel, quarter(i32x4.sub(i32x4.sub(u1, u2), u3)), quarter(i32x4.sub(i32x4.sub(v1, v2), v3)),
      addendAt(layer, addend, y, x + 1), out + output.pixelStep, bound)
  }
  if (!below) return
  const l0 = lowerSum(m), l1 = lowerSum(m + 32), l2 = lowerSum(m + 64), l3 = lowerSum(m + 96)
  const k0 = lowerSum(m + 16), k1 = lowerSum(m + 48), k2 = lowerSum(m + 80), k3 = lowerSum(m + 112)
  finishPixel(layer, channel, quarter(i32x4.add(i32x4.add(l0, l1), l2)), quarter(i32x4.add(i32x4.add(k0, k1), k2)),
    addendAt(layer, addend, y + 1, x), out + output.rowStep, bound)
  if (right) {
    finishPixel(layer, channel, quarter(i32x4.sub(i32x4.sub(l1, l2), l3)), quarter(i32x4.sub(i32x4.sub(k1, k2), k3)),
      addendAt(layer, addend, y + 1, x + 1), out + output.rowStep + output.pixelStep, bound)
  }
}

@inline
function upperSum(m: usize): v128 {
  return i32x4.add(i32x4.add(v128.load(m), v128.load(m, 128)), v128.load(m, 256))
}

@inline
function lowerSum(m: usize): v128 {
  return i32x4.sub(i32x4.sub(v128.load(m, 128), v128.load(m, 256)), v128.load(m, 384))
}

@inline
function quarter(sum: v128): v128 {
  return i32x4.shr_s(sum, 2)
}
