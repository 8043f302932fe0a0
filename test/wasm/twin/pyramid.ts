/** A level of the pyramid: 8-bit luma, row by row. */
export interface TwinLevel {
  width: number
  height: number
  pixels: Uint8Array
}

/** Rule 2 of docs/model-format.md. */
export function pyramidTwin(width: number, height: number, pixels: Uint8Array): TwinLevel[] {
  const levels = [{ width, height, pixels }]
  for (;;) {
    const above = levels.at(-1)!
    const w = above.width >> 1
    const h = above.height >> 1
    if (Math.min(w, h) < 32) return levels
    const half = new Uint8Array(w * h)
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        const at = 2 * y * above.width + 2 * x
        const p = above.pixels
        half[y * w + x] = (p[at]! + p[at + 1]! + p[at + above.width]! + p[at + above.width + 1]! + 2) >> 2
      }
    }
    levels.push({ width: w, height: h, pixels: half })
  }
}

/**
 * Grey value of the frame at (x, y) in frame coordinates, read at `scale` frame pixels per output pixel: rule 3, in
 * f64.
 */
export function sampleTwin(levels: TwinLevel[], x: number, y: number, scale: number): number {
  const index = Math.min(Math.floor(Math.log2(Math.max(1, scale))), levels.length - 1)
  const { width, height, pixels } = levels[index]!
  const u = Math.max(0, Math.min(width - 1, x / 2 ** index - 0.5))
  const v = Math.max(0, Math.min(height - 1, y / 2 ** index - 0.5))
  const x0 = Math.min(Math.floor(u), width - 2)
  const y0 = Math.min(Math.floor(v), height - 2)
  const at = (dx: number, dy: number) => pixels[(y0 + dy) * width + x0 + dx]!
  const upper = at(0, 0) + (at(1, 0) - at(0, 0)) * (u - x0)
  const lower = at(0, 1) + (at(1, 1) - at(0, 1)) * (u - x0)
  return upper + (lower - upper) * (v - y0)
}

/** Rule 4, in f64. */
export function normaliseTwin(values: Float32Array): Float64Array {
  const mean = values.reduce((a, b) => a + b, 0) / values.length
  const deviation = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length)
  return Float64Array.from(values, (p) => 512 * Math.max(-4, Math.min(4, (p - mean) / Math.max(deviation, 8))))
}
