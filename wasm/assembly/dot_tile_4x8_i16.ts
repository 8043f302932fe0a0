/**
 * The one inner loop of all convolutions: 4 pixels x 8 output channels of int16 x int16 sums in eight i32x4 registers.
 *
 * `x`: first input of pixel 0; the next pixel is `pixelStep` bytes on. Each pixel covers `rows` runs of `segment` bytes (a multiple
 * of 4), `rowStep` bytes apart. `w`: packed weights, 32 bytes for each pair of inputs (pack_weights.ts).
 * Sums go to `sums`, 8 x i32 a pixel, the next pixel `sumStep` bytes on.
 *
 * The loop is not unrolled on purpose: unrolled, Binaryen sinks the accumulator chains and V8 spills registers, 1.5x slower.
 */
export function dotTile4x8(
  x: usize, pixelStep: usize, rowStep: usize, rows: u32, segment: usize, w: usize, sums: usize, sumStep: usize,
): void {
  let a0 = i32x4.splat(0), a1 = i32x4.splat(0)
  let b0 = i32x4.splat(0), b1 = i32x4.splat(0)
  let c0 = i32x4.splat(0), c1 = i32x4.splat(0)
  let d0 = i32x4.splat(0), d1 = i32x4.splat(0)
  const pixel2 = pixelStep * 2
  const pixel3 = pixelStep * 3
  for (let row: u32 = 0; row < rows; row++) {
    let at = x
    const end = x + segment
    do {
      const w0 = v128.load(w)
      const w1 = v128.load(w, 16)
      const a = v128.load32_splat(at)
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(a, w0))
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(a, w1))
      const b = v128.load32_splat(at + pixelStep)
      b0 = i32x4.add(b0, i32x4.dot_i16x8_s(b, w0))
      b1 = i32x4.add(b1, i32x4.dot_i16x8_s(b, w1))
      const c = v128.load32_splat(at + pixel2)
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(c, w0))
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(c, w1))
      const d = v128.load32_splat(at + pixel3)
      d0 = i32x4.add(d0, i32x4.dot_i16x8_s(d, w0))
      d1 = i32x4.add(d1, i32x4.dot_i16x8_s(d, w1))
      at += 4
      w += 32
    } while (at < end)
    x += rowStep
  }
  v128.store(sums, a0)
  v128.store(sums, a1, 16)
  v128.store(sums + sumStep, b0)
  v128.store(sums + sumStep, b1, 16)
  v128.store(sums + 2 * sumStep, c0)
  v128.store(sums + 2 * sumStep, c1, 16)
  v128.store(sums + 3 * sumStep, d0)
  v128.store(sums + 3 * sumStep, d1, 16)
}
