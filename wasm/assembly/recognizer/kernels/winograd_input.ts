import { Tensor } from '../nets/net'
import { interleaveFour } from './pack_tiles'
import { MAX_PARTS, partCount, partOrder } from './winograd_axes'

/** Parts of four tiles, 8 channels: i16 [4][25][8], part (i, j) at 5 * i + j. */
const scratch: usize = memory.data(4 * 25 * 16, 64)
const TILE_BYTES: usize = MAX_PARTS * 16

/**
 * The input transform of winograd_axes.ts for four tiles, given by the addresses of their first inputs (border
 * included), packed to `v` as [part][channels / 2][4] pairs. `channels` is a multiple of 8.
 */
export function transformInputs(
  source: Tensor, strideY: u32, strideX: u32, tile0: usize, tile1: usize, tile2: usize, tile3: usize, v: usize,
): void {
  const channelBytes: usize = source.pixelStep
  const rowStep = source.rowStep
  const order = partOrder(strideY, strideX)
  const parts = partCount(strideY, strideX)
  const partBytes = channelBytes * 4
  for (let c: usize = 0; c < channelBytes; c += 16) {
    transformTile(strideY, strideX, tile0 + c, rowStep, channelBytes, scratch)
    transformTile(strideY, strideX, tile1 + c, rowStep, channelBytes, scratch + TILE_BYTES)
    transformTile(strideY, strideX, tile2 + c, rowStep, channelBytes, scratch + 2 * TILE_BYTES)
    transformTile(strideY, strideX, tile3 + c, rowStep, channelBytes, scratch + 3 * TILE_BYTES)
    let out = v + c * 4
    for (let part: u32 = 0; part < parts; part++) {
      const at = scratch + <usize>load<u8>(order + part) * 16
      interleaveFour(
        v128.load(at), v128.load(at, TILE_BYTES), v128.load(at, 2 * TILE_BYTES), v128.load(at, 3 * TILE_BYTES), out)
      out += partBytes
    }
  }
}

@inline
function transformTile(strideY: u32, strideX: u32, d: usize, rowStep: usize, step: usize, to: usize): void {
  if (strideX == 1) {
    if (strideY == 1) tile11(d, rowStep, step, to)
    else tile21(d, rowStep, step, to)
  } else {
    if (strideY == 1) tile12(d, rowStep, step, to)
    else tile22(d, rowStep, step, to)
  }
}

function tile11(d: usize, rowStep: usize, step: usize, to: usize): void {
  rowsOfStride1(d, rowStep, step, to, false)
}

function tile12(d: usize, rowStep: usize, step: usize, to: usize): void {
  rowsOfStride1(d, rowStep, step, to, true)
}

function tile21(d: usize, rowStep: usize, step: usize, to: usize): void {
  rowsOfStride2(d, rowStep, step, to, false)
}

function tile22(d: usize, rowStep: usize, step: usize, to: usize): void {
  rowsOfStride2(d, rowStep, step, to, true)
}

/** `wide`: stride 2 across; constant at each call, so that each form compiles to straight-line code. */
@inline
function rowsOfStride1(row0: usize, rowStep: usize, step: usize, to: usize, wide: bool): void {
  const row1 = row0 + rowStep
  const row2 = row1 + rowStep
  differenceOfRows(row0, row2, step, to, wide)
  sumOfRows(row1, row2, step, to + 80, wide)
  differenceOfRows(row2, row1, step, to + 160, wide)
  differenceOfRows(row1, row2 + rowStep, step, to + 240, wide)
}

@inline
function rowsOfStride2(row0: usize, rowStep: usize, step: usize, to: usize, wide: bool): void {
  const row1 = row0 + rowStep
  const row2 = row1 + rowStep
  const row3 = row2 + rowStep
  differenceOfRows(row0, row2, step, to, wide)
  rowItself(row1, step, to + 80, wide)
  rowItself(row2, step, to + 160, wide)
  differenceOfRows(row3 + rowStep, row2, step, to + 240, wide)
  rowItself(row3, step, to + 320, wide)
}

@inline
function differenceOfRows(a: usize, b: usize, step: usize, to: usize, wide: bool): void {
  const step2 = step * 2, step3 = step * 3
  const r0 = i16x8.sub(v128.load(a), v128.load(b))
  const r1 = i16x8.sub(v128.load(a + step), v128.load(b + step))
  const r2 = i16x8.sub(v128.load(a + step2), v128.load(b + step2))
  const r3 = i16x8.sub(v128.load(a + step3), v128.load(b + step3))
  if (wide) storeWide(r0, r1, r2, r3, i16x8.sub(v128.load(a + step2 * 2), v128.load(b + step2 * 2)), to)
  else storeNarrow(r0, r1, r2, r3, to)
}

@inline
function sumOfRows(a: usize, b: usize, step: usize, to: usize, wide: bool): void {
  const step2 = step * 2, step3 = step * 3
  const r0 = i16x8.add(v128.load(a), v128.load(b))
  const r1 = i16x8.add(v128.load(a + step), v128.load(b + step))
  const r2 = i16x8.add(v128.load(a + step2), v128.load(b + step2))
  const r3 = i16x8.add(v128.load(a + step3), v128.load(b + step3))
  if (wide) storeWide(r0, r1, r2, r3, i16x8.add(v128.load(a + step2 * 2), v128.load(b + step2 * 2)), to)
  else storeNarrow(r0, r1, r2, r3, to)
}

@inline
function rowItself(a: usize, step: usize, to: usize, wide: bool): void {
  const step2 = step * 2, step3 = step * 3
  if (wide) storeWide(
    v128.load(a), v128.load(a + step), v128.load(a + step2), v128.load(a + step3), v128.load(a + step2 * 2), to)
  else storeNarrow(v128.load(a), v128.load(a + step), v128.load(a + step2), v128.load(a + step3), to)
}

/** The parts of stride 1 across. */
@inline
function storeNarrow(r0: v128, r1: v128, r2: v128, r3: v128, to: usize): void {
  v128.store(to, i16x8.sub(r0, r2))
  v128.store(to, i16x8.add(r1, r2), 16)
  v128.store(to, i16x8.sub(r2, r1), 32)
  v128.store(to, i16x8.sub(r1, r3), 48)
}

/** The parts of stride 2 across. */
@inline
function storeWide(r0: v128, r1: v128, r2: v128, r3: v128, r4: v128, to: usize): void {
  v128.store(to, i16x8.sub(r0, r2))
  v128.store(to, r1, 16)
  v128.store(to, r2, 32)
  v128.store(to, i16x8.sub(r4, r2), 48)
  v128.store(to, r3, 64)
}
