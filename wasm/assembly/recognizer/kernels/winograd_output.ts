/**
 * The output transform of winograd_axes.ts: sums of four tiles, 8 channels (i32 [planes][4][8] at `sums`), to exact
 * sums of pixels: i32 [2][8][8] at `pixels`, the upper row of the four tiles, then the lower. Each combination of
 * strides has straight-line code of its own.
 */
export function sumPixels(strideY: u32, strideX: u32, sums: usize, pixels: usize): void {
  if (strideY == 2) {
    if (strideX == 2) sum22(sums, pixels)
    else sum21(sums, pixels)
  } else {
    if (strideX == 2) sum12(sums, pixels)
    else sum11(sums, pixels)
  }
}

/** Bytes of one row of pixels of four tiles. */
export const PIXEL_ROW_BYTES: usize = 8 * 32

function sum11(m: usize, pixels: usize): void {
  sumForm(m, pixels, false, false)
}

function sum12(m: usize, pixels: usize): void {
  sumForm(m, pixels, false, true)
}

function sum21(m: usize, pixels: usize): void {
  sumForm(m, pixels, true, false)
}

function sum22(m: usize, pixels: usize): void {
  sumForm(m, pixels, true, true)
}

/**
 * `tall`, `wide`: stride 2 down, across; constant at each call. Each iteration does half the channels of one tile.
 */
@inline
function sumForm(m: usize, pixels: usize, tall: bool, wide: bool): void {
  for (const end = m + 128; m < end; m += 16) {
    const u0 = upper(m, 0, tall, wide), u1 = upper(m, 1, tall, wide), u2 = upper(m, 2, tall, wide)
    v128.store(pixels, leftOf(u0, u1, u2, tall, wide))
    v128.store(pixels, rightOf(u1, u2, wide ? u2 : upper(m, 3, tall, wide), tall, wide), 32)
    const l0 = lower(m, 0, tall, wide), l1 = lower(m, 1, tall, wide), l2 = lower(m, 2, tall, wide)
    v128.store(pixels, leftOf(l0, l1, l2, tall, wide), PIXEL_ROW_BYTES)
    v128.store(pixels, rightOf(l1, l2, wide ? l2 : lower(m, 3, tall, wide), tall, wide), PIXEL_ROW_BYTES + 32)
    // the other half of the same two pixels, then the next two
    pixels += (m & 16) == 0 ? 16 : 48
  }
}

@inline
function leftOf(a: v128, b: v128, c: v128, tall: bool, wide: bool): v128 {
  const sum = i32x4.add(a, b)
  return halved(wide ? sum : i32x4.add(sum, c), tall, wide)
}

@inline
function rightOf(b: v128, c: v128, d: v128, tall: bool, wide: bool): v128 {
  return halved(wide ? i32x4.add(b, c) : i32x4.sub(i32x4.sub(b, c), d), tall, wide)
}

/** Column `column` of the planes, summed for the upper row. */
@inline
function upper(m: usize, column: usize, tall: bool, wide: bool): v128 {
  const row: usize = wide ? 3 * 128 : 4 * 128
  const sum = i32x4.add(v128.load(m + column * 128), v128.load(m + column * 128 + row))
  return tall ? sum : i32x4.add(sum, v128.load(m + column * 128 + 2 * row))
}

@inline
function lower(m: usize, column: usize, tall: bool, wide: bool): v128 {
  const row: usize = wide ? 3 * 128 : 4 * 128
  const second = v128.load(m + column * 128 + row)
  const third = v128.load(m + column * 128 + 2 * row)
  return tall ? i32x4.add(second, third) : i32x4.sub(i32x4.sub(second, third), v128.load(m + column * 128 + 3 * row))
}

/** Each axis of stride 1 doubles the sum. */
@inline
function halved(sum: v128, tall: bool, wide: bool): v128 {
  const shift: i32 = (tall ? 0 : 1) + (wide ? 0 : 1)
  return shift == 0 ? sum : i32x4.shr_s(sum, shift)
}
