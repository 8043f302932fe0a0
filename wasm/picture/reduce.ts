import { reducedSize, type Reduction, type Size } from './limits.js'

/** Means of `by` x `by` pixels, rounded, into `out`; what is left over at the right and below is dropped. */
export function reduceLuma(luma: Uint8Array, size: Size, by: Reduction, out: Uint8Array): void {
  const { width, height } = reducedSize(size, by)
  const half = (by * by) >> 1
  const sums = new Uint32Array(width)
  for (let y = 0, to = 0; y < height; y++) {
    sums.fill(half)
    for (let row = y * by; row < (y + 1) * by; row++) {
      for (let x = 0, from = row * size.width; x < width; x++) for (let i = 0; i < by; i++) sums[x]! += luma[from++]!
    }
    for (let x = 0; x < width; x++) out[to++] = sums[x]! / (by * by)
  }
}
