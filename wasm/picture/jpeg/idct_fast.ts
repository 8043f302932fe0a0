/**
 * libjpeg's fast inverse DCT (Arai, Agui and Nakajima; JDCT_IFAST), as its SIMD kernels compute it: in wrapping
 * int16, products shifted down without rounding. The same bits as the native decoder of the engine.
 */

/** cos(k pi/16) * sqrt(2), k > 0, squared into a table of both axes, 14 fraction bits. */
const SCALES = [1, 1.387039845, 1.306562965, 1.175875602, 1, 0.785694958, 0.5411961, 0.275899379]

/** Constants of the transform, 14 bits, as the SIMD multiplication requires. */
const F_1_082 = 277 << 6
const F_1_414 = 362 << 6
const F_1_847 = 473 << 6
const F_1_613 = (669 - 256) << 6

/** Natural position of each coefficient in zigzag order; then the last one, for runs that exceed the block. */
export const NATURAL = Uint8Array.from([
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
  35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47,
  55, 62, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63,
])

/** Quantisation table (natural order) with the scales of the transform in it, two fraction bits. */
export function fastTable(quantisation: Uint16Array): Int16Array {
  return Int16Array.from(
    quantisation,
    (q, i) => (q * Math.round(SCALES[i >> 3]! * SCALES[i & 7]! * 16384) + 2048) >> 12,
  )
}

/** (x * 4 mod 2^16) * factor / 2^16, as pmulhw computes it. */
const times = (x: number, factor: number): number => (((x << 18) >> 16) * factor) >> 16

/**
 * Transforms a column or row of eight: from `input` at `at` with `step`, times `table` if given, into `output` at the
 * same positions.
 */
function eight(input: Int16Array, table: Int16Array | undefined, output: Int16Array, at: number, step: number): void {
  const i1 = at + step
  const i2 = i1 + step
  const i3 = i2 + step
  const i4 = i3 + step
  const i5 = i4 + step
  const i6 = i5 + step
  const i7 = i6 + step
  let x0 = input[at]!
  let x1 = input[i1]!
  let x2 = input[i2]!
  let x3 = input[i3]!
  let x4 = input[i4]!
  let x5 = input[i5]!
  let x6 = input[i6]!
  let x7 = input[i7]!
  if (table !== undefined) {
    x0 *= table[at]!
    if ((x1 | x2 | x3 | x4 | x5 | x6 | x7) === 0) {
      output[at] = output[i1] = output[i2] = output[i3] = output[i4] = output[i5] = output[i6] = output[i7] = x0
      return
    }
    x1 *= table[i1]!
    x2 *= table[i2]!
    x3 *= table[i3]!
    x4 *= table[i4]!
    x5 *= table[i5]!
    x6 *= table[i6]!
    x7 *= table[i7]!
  }
  const even = x0 + x4
  const odd = x0 - x4
  const sum = x2 + x6
  const difference = times(x2 - x6, F_1_414) - sum
  const t0 = even + sum
  const t3 = even - sum
  const t1 = odd + difference
  const t2 = odd - difference
  const z13 = x5 + x3
  const z10 = x5 - x3
  const z11 = x1 + x7
  const z12 = x1 - x7
  const t7 = z11 + z13
  const z5 = times(z10 + z12, F_1_847)
  const t6 = times(z10, -F_1_613) - z10 + z5 - t7
  const t5 = times(z11 - z13, F_1_414) - t6
  const t4 = times(z12, F_1_082) - z5 + t5
  output[at] = t0 + t7
  output[i7] = t0 - t7
  output[i1] = t1 + t6
  output[i6] = t1 - t6
  output[i2] = t2 + t5
  output[i5] = t2 - t5
  output[i4] = t3 + t4
  output[i3] = t3 - t4
}

const columns = new Int16Array(64)
const rows = new Int16Array(64)

/**
 * Coefficients (natural order) to samples, 0..255, into `out` at `at`; `stride` from row to row, clipped to `width` x
 * `height`.
 */
export function inverseDct(
  coefficients: Int16Array,
  table: Int16Array,
  out: Uint8Array,
  at: number,
  stride: number,
  width: number,
  height: number,
): void {
  for (let x = 0; x < 8; x++) eight(coefficients, table, columns, x, 8)
  for (let y = 0; y < height; y++) {
    eight(columns, undefined, rows, 8 * y, 1)
    for (let x = 0; x < width; x++) {
      const sample = (rows[8 * y + x]! >> 5) + 128
      // biome-ignore lint/complexity/useMathMinMax: an inner loop, measured with comparisons
      out[at + x] = sample < 0 ? 0 : sample > 255 ? 255 : sample
    }
    at += stride
  }
}
