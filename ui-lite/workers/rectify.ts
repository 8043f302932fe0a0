import type { Quad } from '../../wasm/browser.js'

/** Height of a crop, pixels, and the widest it may be in heights. */
const HEIGHT = 96
const WIDEST = 8

/**
 * The plate in `quad`, straightened by the homography of its corners, as a grey picture. Outside the picture the edge
 * is repeated.
 */
export function rectify(luma: Uint8Array, width: number, height: number, quad: Quad): ImageData {
  const [a, b, c, d] = quad
  const across = Math.hypot(b[0] - a[0], b[1] - a[1]) + Math.hypot(c[0] - d[0], c[1] - d[1])
  const down = Math.hypot(d[0] - a[0], d[1] - a[1]) + Math.hypot(c[0] - b[0], c[1] - b[1])
  const columns = Math.round(HEIGHT * Math.min(WIDEST, Math.max(0.5, across / Math.max(1, down))))
  const place = unitSquareTo(quad)
  const out = new ImageData(columns, HEIGHT)
  for (let y = 0, at = 0; y < HEIGHT; y++) {
    for (let x = 0; x < columns; x++, at += 4) {
      const [px, py] = place((x + 0.5) / columns, (y + 0.5) / HEIGHT)
      out.data[at] = out.data[at + 1] = out.data[at + 2] = sample(luma, width, height, px - 0.5, py - 0.5)
      out.data[at + 3] = 255
    }
  }
  return out
}

/** Bilinear. */
function sample(luma: Uint8Array, width: number, height: number, x: number, y: number): number {
  const x0 = Math.floor(x)
  const y0 = Math.floor(y)
  const at = (column: number, row: number) => luma[clamp(row, height) * width + clamp(column, width)]!
  const right = x - x0
  const below = y - y0
  return (
    (at(x0, y0) * (1 - right) + at(x0 + 1, y0) * right) * (1 - below) +
    (at(x0, y0 + 1) * (1 - right) + at(x0 + 1, y0 + 1) * right) * below
  )
}

const clamp = (value: number, size: number): number => Math.min(size - 1, Math.max(0, value))

/** The projective map that takes the corners of the unit square, clockwise from (0, 0), to those of the quad. */
function unitSquareTo([a, b, c, d]: Quad): (u: number, v: number) => [number, number] {
  const sx = a[0] - b[0] + c[0] - d[0]
  const sy = a[1] - b[1] + c[1] - d[1]
  const x1 = b[0] - c[0]
  const y1 = b[1] - c[1]
  const x2 = d[0] - c[0]
  const y2 = d[1] - c[1]
  const area = x1 * y2 - x2 * y1
  const g = area === 0 ? 0 : (sx * y2 - x2 * sy) / area
  const h = area === 0 ? 0 : (x1 * sy - sx * y1) / area
  return (u, v) => {
    const w = g * u + h * v + 1
    return [
      ((b[0] - a[0] + g * b[0]) * u + (d[0] - a[0] + h * d[0]) * v + a[0]) / w,
      ((b[1] - a[1] + g * b[1]) * u + (d[1] - a[1] + h * d[1]) * v + a[1]) / w,
    ]
  }
}
