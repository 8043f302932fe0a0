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
  const rowStep = source.rowStep
  const pixelStep = source.pixelStep
  const end = v + inputBytes
  let row0 = source.base + y * rowStep + x * pixelStep
  for (; v < end; v += 16) {
    const row1 = row0 + rowStep
    const row2 = row1 + rowStep
    differenceOfRows(row0, row2, pixelStep, v, plane)
    sumOfRows(row1, row2, pixelStep, v + 4 * plane, plane)
    differenceOfRows(row2, row1, pixelStep, v + 8 * plane, plane)
    differenceOfRows(row1, row2 + rowStep, pixelStep, v + 12 * plane, plane)
    row0 += 16
  }
}

@inline
function differenceOfRows(a: usize, b: usize, step: usize, to: usize, plane: usize): void {
  const step2 = step * 2
  const step3 = step * 3
  storeRow(
    i16x8.sub(v128.load(a), v128.load(b)), i16x8.sub(v128.load(a + step), v128.load(b + step)),
    i16x8.sub(v128.load(a + step2), v128.load(b + step2)), i16x8.sub(v128.load(a + step3), v128.load(b + step3)), to, plane)
}

@inline
function sumOfRows(a: usize, b: usize, step: usize, to: usize, plane: usize): void {
  const step2 = step * 2
  const step3 = step * 3
  storeRow(
    i16x8.add(v128.load(a), v128.load(b)), i16x8.add(v128.load(a + step), v128.load(b + step)),
    i16x8.add(v128.load(a + step2), v128.load(b + step2)), i16x8.add(v128.load(a + step3), v128.load(b + step3)), to, plane)
}

/** One row of B' d times B. */
@inline
function storeRow(r0: v128, r1: v128, r2: v128, r3: v128, to: usize, plane: usize): void {
  v128.store(to, i16x8.sub(r0, r2))
  v128.store(to + plane, i16x8.add(r1, r2))
  v128.store(to + 2 * plane, i16x8.sub(r2, r1))
  v128.store(to + 3 * plane, i16x8.sub(r1, r3))
}

/** A' M A of one tile for 8 channels, divided by 4, finished into up to 2x2 pixels. `m`: [16][8] i32. */
function transformOutput(layer: Layer, output: Tensor, addend: usize, y: u32, x: u32, channel: usize, m: usize): void {
  const bound = lowerBound(layer)
  const flags = layer.flags
  const factor = f32x4.splat(layer.addendMultiplier)
  const m0 = v128.load(layer.multipliers + channel * 4)
  const m1 = v128.load(layer.multipliers + channel * 4, 16)
  const b0 = v128.load(layer.biases + channel * 4)
  const b1 = v128.load(layer.biases + channel * 4, 16)
  const right = x + 1 < output.width
  const below = y + 1 < output.height
  const out = output.interior + y * output.rowStep + x * output.pixelStep + channel * (output.raw ? 4 : 2)
  // sums down the columns of M: u = rows 0+1+2, l = rows 1-2-3, for both halves of the 8 channels
  const u0 = upperSum(m), u1 = upperSum(m + 32), u2 = upperSum(m + 64), u3 = upperSum(m + 96)
  const v0 = upperSum(m + 16), v1 = upperSum(m + 48), v2 = upperSum(m + 80), v3 = upperSum(m + 112)
  finishPixel(quarter(i32x4.add(i32x4.add(u0, u1), u2)), quarter(i32x4.add(i32x4.add(v0, v1), v2)),
    m0, m1, b0, b1, factor, addendAt(layer, addend, y, x, channel), out, bound, flags)
  if (right) {
    finishPixel(quarter(i32x4.sub(i32x4.sub(u1, u2), u3)), quarter(i32x4.sub(i32x4.sub(v1, v2), v3)),
      m0, m1, b0, b1, factor, addendAt(layer, addend, y, x + 1, channel), out + output.pixelStep, bound, flags)
  }
  if (!below) return
  const l0 = lowerSum(m), l1 = lowerSum(m + 32), l2 = lowerSum(m + 64), l3 = lowerSum(m + 96)
  const k0 = lowerSum(m + 16), k1 = lowerSum(m + 48), k2 = lowerSum(m + 80), k3 = lowerSum(m + 112)
  finishPixel(quarter(i32x4.add(i32x4.add(l0, l1), l2)), quarter(i32x4.add(i32x4.add(k0, k1), k2)),
    m0, m1, b0, b1, factor, addendAt(layer, addend, y + 1, x, channel), out + output.rowStep, bound, flags)
  if (right) {
    finishPixel(quarter(i32x4.sub(i32x4.sub(l1, l2), l3)), quarter(i32x4.sub(i32x4.sub(k1, k2), k3)),
      m0, m1, b0, b1, factor, addendAt(layer, addend, y + 1, x + 1, channel), out + output.rowStep + output.pixelStep, bound, flags)
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
