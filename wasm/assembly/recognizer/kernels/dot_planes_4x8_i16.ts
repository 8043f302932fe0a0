/**
 * The inner loop of all convolutions: int16 x int16 sums of 4 tiles (or pixels) x 8 output channels in eight i32x4
 * registers, plane by plane.
 *
 * `v`: packed inputs, 16 bytes per pair of input channels: that pair of tile 0, 1, 2, 3 (pack_tiles.ts). `w`: packed
 * weights, 32 bytes per pair (pack_weights.ts). Both are read sequentially; `w` moves back by `rewind` bytes after each
 * plane (for planes that share weights). Plane `p` sums over load<u8>(parts + p) * partBytes bytes of `v`. Sums go to
 * `sums`, i32 [planes][4][8].
 *
 * Every address of the loop is a pointer plus a constant, which is free on x86; the number of instructions bounds the
 * loop. It is not unrolled on purpose: V8 moves all loads of a body to its front, and twelve of them exceed the
 * registers (V8 unrolls the loop itself and keeps the bodies apart).
 */
export function dotPlanes4x8(
  v: usize, w: usize, sums: usize, parts: usize, planes: u32, partBytes: usize, rewind: usize,
): void {
  const last = parts + planes
  for (; parts < last; parts++) {
    const end = v + <usize>load<u8>(parts) * partBytes
    let a0 = i32x4.splat(0), a1 = i32x4.splat(0)
    let b0 = i32x4.splat(0), b1 = i32x4.splat(0)
    let c0 = i32x4.splat(0), c1 = i32x4.splat(0)
    let d0 = i32x4.splat(0), d1 = i32x4.splat(0)
    do {
      const w0 = v128.load(w)
      const w1 = v128.load(w, 16)
      const a = v128.load32_splat(v)
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(a, w0))
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(a, w1))
      const b = v128.load32_splat(v, 4)
      b0 = i32x4.add(b0, i32x4.dot_i16x8_s(b, w0))
      b1 = i32x4.add(b1, i32x4.dot_i16x8_s(b, w1))
      const c = v128.load32_splat(v, 8)
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(c, w0))
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(c, w1))
      const d = v128.load32_splat(v, 12)
      d0 = i32x4.add(d0, i32x4.dot_i16x8_s(d, w0))
      d1 = i32x4.add(d1, i32x4.dot_i16x8_s(d, w1))
      v += 16
      w += 32
    } while (v < end)
    v128.store(sums, a0)
    v128.store(sums, a1, 16)
    v128.store(sums, b0, 32)
    v128.store(sums, b1, 48)
    v128.store(sums, c0, 64)
    v128.store(sums, c1, 80)
    v128.store(sums, d0, 96)
    v128.store(sums, d1, 112)
    sums += 128
    w -= rewind
  }
}
