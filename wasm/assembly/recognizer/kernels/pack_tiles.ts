import { Tensor } from '../nets/net'

/**
 * Inputs as dotPlanes4x8 reads them: int16, in pairs of values; the pairs of four tiles (or pixels) are adjacent, 16
 * bytes.
 */

/**
 * Interleaves 8 channels of four tiles into four pairs of each: a 4x4 transposition of 32-bit lanes. 64 bytes at `out`.
 */
@inline
export function interleaveFour(a: v128, b: v128, c: v128, d: v128, out: usize): void {
  const ab01 = i32x4.shuffle(a, b, 0, 4, 1, 5)
  const ab23 = i32x4.shuffle(a, b, 2, 6, 3, 7)
  const cd01 = i32x4.shuffle(c, d, 0, 4, 1, 5)
  const cd23 = i32x4.shuffle(c, d, 2, 6, 3, 7)
  v128.store(out, i64x2.shuffle(ab01, cd01, 0, 2))
  v128.store(out, i64x2.shuffle(ab01, cd01, 1, 3), 16)
  v128.store(out, i64x2.shuffle(ab23, cd23, 0, 2), 32)
  v128.store(out, i64x2.shuffle(ab23, cd23, 1, 3), 48)
}

/**
 * Packs four pixels, from `at` on, `step` bytes apart, all channels (a multiple of 8): [channels / 2][4] pairs at `v`.
 */
export function packPixels(at: usize, step: usize, channels: u32, v: usize): void {
  const end = at + channels * 2
  const step2 = step * 2
  const step3 = step * 3
  for (; at < end; at += 16) {
    interleaveFour(v128.load(at), v128.load(at + step), v128.load(at + step2), v128.load(at + step3), v)
    v += 64
  }
}

/**
 * Packs four pixels of a one-channel layer. A 3x3 kernel has five pairs: (0, 1) of each row, 2 of the first two rows, 2
 * of the last row and a zero weight; a 1x1 kernel has one. `at`: first value under the first pixel; `strideX` 1 or 2.
 */
export function packFirst(source: Tensor, kernel: u32, at: usize, strideX: u32, v: usize): void {
  if (kernel == 1) {
    v128.store(v, pairsFrom(at, strideX))
    return
  }
  const row1 = at + source.rowStep
  const row2 = row1 + source.rowStep
  v128.store(v, pairsFrom(at, strideX))
  v128.store(v, pairsFrom(row1, strideX), 16)
  v128.store(v, pairsFrom(row2, strideX), 32)
  const low = v128.and(pairsFrom(at + 4, strideX), i32x4.splat(0xffff))
  v128.store(v, v128.or(low, i32x4.shl(pairsFrom(row1 + 4, strideX), 16)), 48)
  v128.store(v, pairsFrom(row2 + 4, strideX), 64)
}

/** (value, right neighbour) of each of four pixels. */
@inline
function pairsFrom(at: usize, strideX: u32): v128 {
  const values = v128.load(at)
  return strideX == 2 ? values : i16x8.shuffle(values, v128.load(at, 2), 0, 8, 1, 9, 2, 10, 3, 11)
}
