/**
 * Winograd per axis, two outputs of three taps g at a time, all in integers. The axes of a layer are independent:
 * a 3x3 layer of strides (2, 1) is 'stride 2' down and 'stride 1' across.
 *
 *     stride 1, F(2,3), from inputs d0..d3           stride 2, from inputs d0..d4 (F(2,2) of the even ones)
 *
 *     part  of d      weight 2G g     sum            part  of d      weight       sum
 *     0     d0 - d2   2 g0            m0             0     d0 - d2   g0           m0
 *     1     d1 + d2   g0 + g1 + g2    m1             1     d1        g1           m0
 *     2     d2 - d1   g0 - g1 + g2    m2             2     d2        g0 + g2      m1
 *     3     d1 - d3   2 g2            m3             3     d4 - d2   g2           m2
 *                                                    4     d3        g1           m2
 *     2 y0 = m0 + m1 + m2                            y0 = m0 + m1
 *     2 y1 = m1 - m2 - m3                            y1 = m1 + m2
 *
 * A 2x2 tile takes 16, 20 or 25 products per pair of channels instead of 36. Parts with a common sum are one longer dot
 * product. An axis at most doubles an input: 4 * 8191 fits int16; weights grow to 9 * 127. Intermediate sums may wrap;
 * the final one, at most four times the true sum, cannot (the exporter proves it), and wrapping is exact modulo 2^32.
 *
 * The tables are indexed by [strideY - 1][strideX - 1]: the parts in the order of the packed inputs and weights, as
 * 5 * row part + column part (those of one plane, a pair of sums (mi, mj), are adjacent), and their number per plane.
 */
export const MAX_PARTS: u32 = 25
const TABLE_BYTES: usize = 32

const orders: usize = memory.data<u8>([
  0, 1, 2, 3, 5, 6, 7, 8, 10, 11, 12, 13, 15, 16, 17, 18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 5, 1, 6, 2, 7, 3, 8, 10, 11, 12, 13, 15, 20, 16, 21, 17, 22, 18, 23, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 1, 5, 6, 2, 7, 3, 4, 8, 9, 10, 11, 12, 13, 14, 15, 16, 20, 21, 17, 22, 18, 19, 23, 24, 0, 0, 0, 0, 0, 0, 0,
])
const planeParts: usize = memory.data<u8>([
  1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  2, 1, 2, 2, 1, 2, 2, 1, 2, 2, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  2, 2, 2, 2, 1, 1, 1, 1, 2, 2, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  4, 2, 4, 2, 1, 2, 4, 2, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
])

/** Address of the parts in packed order, u8 each. */
@inline
export function partOrder(strideY: u32, strideX: u32): usize {
  return orders + ((strideY - 1) * 2 + strideX - 1) * TABLE_BYTES
}

/** Address of the number of parts of each plane, u8 each. */
@inline
export function partsOfPlanes(strideY: u32, strideX: u32): usize {
  return planeParts + ((strideY - 1) * 2 + strideX - 1) * TABLE_BYTES
}

@inline
export function partCount(strideY: u32, strideX: u32): u32 {
  return (3 + strideY) * (3 + strideX)
}

@inline
export function planeCount(strideY: u32, strideX: u32): u32 {
  return (5 - strideY) * (5 - strideX)
}

/** Weight of part `part` on an axis of `stride`, from three taps. */
export function axisWeight(stride: u32, part: u32, g0: i32, g1: i32, g2: i32): i32 {
  if (stride == 1) {
    if (part == 0) return 2 * g0
    if (part == 1) return g0 + g1 + g2
    if (part == 2) return g0 - g1 + g2
    return 2 * g2
  }
  if (part == 0) return g0
  if (part == 2) return g0 + g2
  if (part == 3) return g2
  return g1
}
