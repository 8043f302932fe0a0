/**
 * shrink.wasm: reduces pictures; each new pixel is the mean of the area that it covers. Pixels are 4 bytes (the fourth
 * is treated like the others); weights are in 256ths and sum to 256, so that an even area is unchanged and a picture of
 * the same size is a copy. The host lays out the memory (wasm/picture/shrinker.ts).
 */

/** First free address, a multiple of 16. */
export function freeAddress(): usize {
  return (__heap_base + 15) & ~15
}

/**
 * Border `p` of the `n` source pixels within new pixel `i` of `m`, in 256ths from its start. The share of a source
 * pixel is the difference of two rounded borders, so that shares sum to 256.
 */
function border(p: u64, i: u64, n: u64, m: u64): i32 {
  const at = <i64>(p * m) - <i64>(i * n)
  return <i32>min<i64>(256, max<i64>(0, (at * 256 + <i64>(n >> 1)) / <i64>n))
}

function share(s: u32, i: u32, n: u32, m: u32): i32 {
  return border(s + 1, i, n, m) - border(s, i, n, m)
}

function first(i: u32, n: u32, m: u32): u32 {
  return <u32>(<u64>i * n / m)
}

function last(i: u32, n: u32, m: u32): u32 {
  return <u32>((<u64>(i + 1) * n + m - 1) / m) - 1
}

/** Shares of the source rows of a new row: at most the reduction factor, and one more at each end. */
const rowShares: usize = memory.data(34 * 16, 16)

/**
 * @param source first byte of the first row; 16 bytes after the last row must be readable
 * @param stride bytes from row to row
 * @param line scratch for a row of the source and 16 bytes
 * @param table scratch of newWidth * (16 + 16 * (width / newWidth / 2 + 2)) bytes
 * @param target newWidth * newHeight * 4 bytes; 1 <= newWidth <= width <= 32 * newWidth, and so for heights
 */
export function shrink(
  source: usize, stride: usize, width: u32, height: u32, line: usize, table: usize, target: usize, newWidth: u32,
  newHeight: u32,
): void {
  const entry = layTable(table, width, newWidth)
  let out = target
  for (let y: u32 = 0; y < newHeight; y++) {
    const from = first(y, height, newHeight), to = last(y, height, newHeight)
    for (let s = from; s <= to; s++) {
      v128.store(rowShares + <usize>(s - from) * 16, i16x8.splat(<i16>share(s, y, height, newHeight)))
    }
    const top = source + <usize>from * stride, sharesEnd = rowShares + <usize>(to - from + 1) * 16
    for (let at: usize = 0; at < <usize>width * 4; at += 16) {
      let low = i16x8.splat(128), high = i16x8.splat(128)
      let row = top + at
      for (let taken = rowShares; taken < sharesEnd; taken += 16, row += stride) {
        const weight = v128.load(taken)
        const pixels = v128.load(row)
        low = i16x8.add(low, i16x8.mul(i16x8.extend_low_i8x16_u(pixels), weight))
        high = i16x8.add(high, i16x8.mul(i16x8.extend_high_i8x16_u(pixels), weight))
      }
      v128.store(line + at, i8x16.narrow_i16x8_u(i16x8.shr_u(low, 8), i16x8.shr_u(high, 8)))
    }
    let column = table
    for (let x: u32 = 0; x < newWidth; x++, column += entry, out += 4) {
      let sum = i16x8(128, 128, 128, 128, 0, 0, 0, 0)
      let at = line + load<u32>(column)
      const end = column + 16 + <usize>load<u32>(column, 4) * 16
      for (let pair = column + 16; pair < end; pair += 16, at += 8) {
        sum = i16x8.add(sum, i16x8.mul(i16x8.extend_low_i8x16_u(v128.load64_zero(at)), v128.load(pair)))
      }
      sum = i16x8.shr_u(i16x8.add(sum, v128.shuffle<u64>(sum, sum, 1, 0)), 8)
      v128.store32_lane(out, i8x16.narrow_i16x8_u(sum, sum), 0)
    }
  }
}

/**
 * Writes for each new column: byte offset of its first pixel, number of pairs of pixels, and the weights of each pair
 * as eight 16-bit lanes.
 * @returns bytes per column
 */
function layTable(table: usize, width: u32, newWidth: u32): usize {
  const entry = <usize>16 + 16 * (<usize>width / newWidth / 2 + 2)
  for (let x: u32 = 0; x < newWidth; x++) {
    const column = table + <usize>x * entry
    const from = first(x, width, newWidth), to = last(x, width, newWidth)
    store<u32>(column, from * 4)
    store<u32>(column, (to - from) / 2 + 1, 4)
    for (let s = from; s <= to; s += 2) {
      const one = <u64>share(s, x, width, newWidth)
      const two = s < to ? <u64>share(s + 1, x, width, newWidth) : 0
      const pair = column + 16 + <usize>(s - from) / 2 * 16
      store<u64>(pair, one * 0x0001000100010001)
      store<u64>(pair, two * 0x0001000100010001, 8)
    }
  }
  return entry
}
