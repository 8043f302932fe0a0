/**
 * Quadrilaterals: 8 f64 x0 y0 x1 y1 x2 y2 x3 y3, clockwise from the top left of the plate as read, frame pixels.
 */
export const QUAD_BYTES: usize = 64

@inline
export function quadX(quad: usize, corner: u32): f64 {
  return load<f64>(quad + corner * 16)
}

@inline
export function quadY(quad: usize, corner: u32): f64 {
  return load<f64>(quad + corner * 16, 8)
}

/** Length of the side from one corner to another. */
export function sideLength(quad: usize, from: u32, to: u32): f64 {
  const dx = quadX(quad, to) - quadX(quad, from)
  const dy = quadY(quad, to) - quadY(quad, from)
  return sqrt(dx * dx + dy * dy)
}

/** Mean length of the upper and lower sides. */
export function quadWidth(quad: usize): f64 {
  return (sideLength(quad, 0, 1) + sideLength(quad, 3, 2)) / 2
}

/** Mean length of the left and right sides. */
export function quadHeight(quad: usize): f64 {
  return (sideLength(quad, 0, 3) + sideLength(quad, 1, 2)) / 2
}

/**
 * True when the outline turns clockwise (y down) by a finite amount at each corner: the homography then has no pole
 * inside.
 */
export function isConvex(quad: usize): bool {
  for (let i: u32 = 0; i < 4; i++) {
    const j = (i + 1) & 3
    const k = (i + 2) & 3
    const cross = (quadX(quad, j) - quadX(quad, i)) * (quadY(quad, k) - quadY(quad, j)) -
      (quadY(quad, j) - quadY(quad, i)) * (quadX(quad, k) - quadX(quad, j))
    if (!(cross > 1e-3) || cross > 1e12) return false
  }
  return true
}

/** `out` = the quad grown by `margin` of its mean width on the left and right, of its mean height above and below. */
export function growQuad(quad: usize, margin: f64, out: usize): void {
  for (let axis: usize = 0; axis < 16; axis += 8) {
    const q0 = load<f64>(quad + axis), q1 = load<f64>(quad + axis, 16)
    const q2 = load<f64>(quad + axis, 32), q3 = load<f64>(quad + axis, 48)
    const along = (q1 - q0 + (q2 - q3)) / 2 * margin
    const down = (q3 - q0 + (q2 - q1)) / 2 * margin
    store<f64>(out + axis, q0 - along - down)
    store<f64>(out + axis, q1 + along - down, 16)
    store<f64>(out + axis, q2 + along + down, 32)
    store<f64>(out + axis, q3 - along + down, 48)
  }
}

/**
 * Homography (9 f64 at `out`) that maps the unit square (0,0) (1,0) (1,1) (0,1) to the corners of a convex quad, in
 * closed form.
 */
export function homographyOf(quad: usize, out: usize): void {
  const x0 = quadX(quad, 0), y0 = quadY(quad, 0)
  const x1 = quadX(quad, 1), y1 = quadY(quad, 1)
  const x2 = quadX(quad, 2), y2 = quadY(quad, 2)
  const x3 = quadX(quad, 3), y3 = quadY(quad, 3)
  const ax = x1 - x2, ay = y1 - y2
  const bx = x3 - x2, by = y3 - y2
  const sx = x0 - x1 + x2 - x3, sy = y0 - y1 + y2 - y3
  const det = ax * by - bx * ay
  const g = (sx * by - bx * sy) / det
  const h = (ax * sy - sx * ay) / det
  store<f64>(out, x1 - x0 + g * x1)
  store<f64>(out, x3 - x0 + h * x3, 8)
  store<f64>(out, x0, 16)
  store<f64>(out, y1 - y0 + g * y1, 24)
  store<f64>(out, y3 - y0 + h * y3, 32)
  store<f64>(out, y0, 40)
  store<f64>(out, g, 48)
  store<f64>(out, h, 56)
  store<f64>(out, 1, 64)
}

/** Intersection over union of the bounding boxes of two quads. */
export function boundsOverlap(a: usize, b: usize): f64 {
  const ax0 = lowest(a, 0), ax1 = highest(a, 0), ay0 = lowest(a, 8), ay1 = highest(a, 8)
  const bx0 = lowest(b, 0), bx1 = highest(b, 0), by0 = lowest(b, 8), by1 = highest(b, 8)
  const w = min(ax1, bx1) - max(ax0, bx0)
  const h = min(ay1, by1) - max(ay0, by0)
  if (!(w > 0 && h > 0)) return 0
  const both = w * h
  return both / ((ax1 - ax0) * (ay1 - ay0) + (bx1 - bx0) * (by1 - by0) - both)
}

function lowest(quad: usize, axis: usize): f64 {
  return min(
    min(load<f64>(quad + axis), load<f64>(quad + axis, 16)),
    min(load<f64>(quad + axis, 32), load<f64>(quad + axis, 48)))
}

function highest(quad: usize, axis: usize): f64 {
  return max(
    max(load<f64>(quad + axis), load<f64>(quad + axis, 16)),
    max(load<f64>(quad + axis, 32), load<f64>(quad + axis, 48)))
}
