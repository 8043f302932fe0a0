import type { Colour, Film } from './light.js'
import type { Art } from './plate_art.js'
import type { Pixel, View } from './view.js'

/** Sample lines per pixel along edges. */
const kSubLines = 4

/** Copies of a moving vehicle for its motion blur; more would cost time and look the same. */
const kMostLooks = 6

export interface Bounds {
  left: number
  top: number
  right: number
  bottom: number
}

/** The pixels around some points, clipped to the picture; undefined when none is inside. */
export function boundsOf(points: readonly Pixel[], margin: number, width: number, height: number): Bounds | undefined {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity]
  for (const [u, v] of points) {
    left = Math.min(left, u)
    right = Math.max(right, u)
    top = Math.min(top, v)
    bottom = Math.max(bottom, v)
  }
  const bounds = {
    left: Math.max(0, Math.floor(left - margin)),
    top: Math.max(0, Math.floor(top - margin)),
    right: Math.min(width, Math.ceil(right + margin)),
    bottom: Math.min(height, Math.ceil(bottom + margin)),
  }
  return bounds.left < bounds.right && bounds.top < bounds.bottom ? bounds : undefined
}

/**
 * Walks the rows of pixels that a convex polygon covers. `each` gets the columns from `from` to `to` (excluded), the
 * covered share of each (0 to 1, in `line` at column - bounds.left) and the row's height in the polygon (0 at the
 * upper edge, 1 at the lower edge).
 */
function cover(
  points: readonly Pixel[],
  bounds: Bounds,
  each: (y: number, from: number, to: number, line: Float32Array, fall: number) => void,
): void {
  let [top, bottom] = [Infinity, -Infinity]
  for (const p of points) {
    top = Math.min(top, p[1])
    bottom = Math.max(bottom, p[1])
  }
  const tall = Math.max(1e-6, bottom - top)
  const line = new Float32Array(bounds.right - bounds.left + 1)
  for (let y = Math.max(bounds.top, Math.floor(top)); y < Math.min(bounds.bottom, Math.ceil(bottom)); y++) {
    let [from, to] = [bounds.right, bounds.left]
    for (let s = 0; s < kSubLines; s++) {
      const at = y + (s + 0.5) / kSubLines
      let a = Infinity
      let b = -Infinity
      for (let i = 0, q = points[points.length - 1]!; i < points.length; i++) {
        const p = q
        q = points[i]!
        if (p[1] <= at === q[1] <= at) continue
        const x = p[0] + ((at - p[1]) * (q[0] - p[0])) / (q[1] - p[1])
        if (x < a) a = x
        if (x > b) b = x
      }
      a = Math.max(a, bounds.left)
      b = Math.min(b, bounds.right)
      if (!(b > a)) continue
      const first = Math.floor(a)
      const last = Math.min(bounds.right - 1, Math.floor(b))
      from = Math.min(from, first)
      to = Math.max(to, last + 1)
      for (let x = first; x <= last; x++) line[x - bounds.left]! += (Math.min(b, x + 1) - Math.max(a, x)) / kSubLines
    }
    const fall = Math.min(1, Math.max(0, (y + 0.5 - top) / tall))
    if (to > from) each(y, from, to, line, fall)
    line.fill(0, Math.max(0, from - bounds.left), Math.max(0, to - bounds.left))
  }
}

/**
 * A part of the picture in linear light, with the share of each pixel that it hides; colours are premultiplied by that
 * share.
 */
export class Tile {
  readonly bounds: Bounds
  readonly width: number
  readonly height: number
  /** Four numbers per pixel: red, green, blue, share. */
  data: Float32Array

  constructor(bounds: Bounds) {
    this.bounds = bounds
    this.width = bounds.right - bounds.left
    this.height = bounds.bottom - bounds.top
    this.data = new Float32Array(this.width * this.height * 4)
  }

  /** Fills a convex polygon with a gradient from `upper` to `lower`. */
  fill(points: readonly Pixel[], upper: Colour, lower: Colour): void {
    const { data, bounds, width } = this
    cover(points, bounds, (y, from, to, line, fall) => {
      const red = upper[0] + (lower[0] - upper[0]) * fall
      const green = upper[1] + (lower[1] - upper[1]) * fall
      const blue = upper[2] + (lower[2] - upper[2]) * fall
      let at = ((y - bounds.top) * width + from - bounds.left) * 4
      for (let i = from - bounds.left; i < to - bounds.left; i++, at += 4) {
        const a = line[i]!
        if (a > 0.998) {
          data[at] = red
          data[at + 1] = green
          data[at + 2] = blue
          data[at + 3] = 1
          continue
        }
        const keep = 1 - a
        data[at] = data[at]! * keep + red * a
        data[at + 1] = data[at + 1]! * keep + green * a
        data[at + 2] = data[at + 2]! * keep + blue * a
        data[at + 3] = data[at + 3]! * keep + a
      }
    })
  }

  /** Draws a picture onto four corners (clockwise from its upper left), under light of the colour `light`. */
  lay(art: Art, quad: readonly Pixel[], light: Colour): void {
    const { data, bounds, width } = this
    const toUnit = squareOf(quad)
    const wide = Math.max(1, Math.hypot(quad[1]![0] - quad[0]![0], quad[1]![1] - quad[0]![1]))
    // A level at least as fine as the picture, and four samples per pixel, to avoid aliasing.
    const level = art.levels.findLast((l) => l.width >= wide * 1.4) ?? art.levels[0]!
    cover(quad, bounds, (y, from, to, line) => {
      for (let x = from; x < to; x++) {
        const share = line[x - bounds.left]!
        const sum = [0, 0, 0]
        for (let k = 0; k < 4; k++) {
          const [s, t] = toUnit(x + 0.25 + (k & 1) * 0.5, y + 0.25 + (k >> 1) * 0.5)
          look(level, s, t, sum)
        }
        const at = ((y - bounds.top) * width + x - bounds.left) * 4
        for (let c = 0; c < 3; c++) data[at + c] = data[at + c]! * (1 - share) + (sum[c]! / 4) * light[c]! * share
        data[at + 3] = data[at + 3]! * (1 - share) + share
      }
    })
  }

  /** Blurs everything along (du, dv) pixels: the motion while the shutter is open. */
  smear(du: number, dv: number): void {
    const length = Math.hypot(du, dv)
    if (length < 0.8) return
    const looks = Math.min(kMostLooks, Math.ceil(length) + 1)
    const { width, height, data } = this
    const out = new Float32Array(data.length)
    const offsets = Array.from(
      { length: looks },
      (_, i) => [Math.round((i / (looks - 1) - 0.5) * du), Math.round((i / (looks - 1) - 0.5) * dv)] as const,
    )
    for (const [ox, oy] of offsets) {
      for (let y = Math.max(0, -oy); y < Math.min(height, height - oy); y++) {
        const [x0, x1] = [Math.max(0, -ox), Math.min(width, width - ox)]
        let to = (y * width + x0) * 4
        let from = ((y + oy) * width + x0 + ox) * 4
        for (const end = (y * width + x1) * 4; to < end; ) out[to++]! += data[from++]!
      }
    }
    for (let i = 0; i < out.length; i++) out[i]! /= looks
    this.data = out
  }

  /** Share of a pixel that this hides; 0 outside. */
  hides(u: number, v: number): number {
    const { left, top, right, bottom } = this.bounds
    if (u < left || v < top || u >= right || v >= bottom) return 0
    return this.data[((Math.floor(v) - top) * this.width + Math.floor(u) - left) * 4 + 3]!
  }
}

/** A picture in bytes, ready for the encoder. */
export class Picture {
  readonly rgb: Uint8Array

  constructor(
    readonly width: number,
    readonly height: number,
    readonly film: Film,
  ) {
    this.rgb = new Uint8Array(width * height * 3)
  }

  lay(tile: Tile): void {
    const { rgb, film, width } = this
    const { bounds, data } = tile
    for (let y = 0; y < tile.height; y++) {
      let at = ((y + bounds.top) * width + bounds.left) * 3
      for (let from = y * tile.width * 4, end = from + tile.width * 4; from < end; from += 4, at += 3) {
        const share = data[from + 3]!
        if (share < 0.004) continue
        const keep = 1 - share
        rgb[at] = film.byte(film.linear[rgb[at]!]! * keep + data[from]!)
        rgb[at + 1] = film.byte(film.linear[rgb[at + 1]!]! * keep + data[from + 1]!)
        rgb[at + 2] = film.byte(film.linear[rgb[at + 2]!]! * keep + data[from + 2]!)
      }
    }
  }

  /**
   * Multiplies the light on a part of the road (metres: least and most of `across` and `along`) by `factor`, weighted
   * by the `share` of each point: 0 not at all, 1 fully.
   */
  shade(
    view: View,
    across: readonly [number, number],
    along: readonly [number, number],
    factor: Colour,
    share: (x: number, y: number) => number,
  ): void {
    const corners = along.flatMap((y) => across.map((x) => view.project([x, Math.max(4, y), 0])))
    const bounds = corners.every((p) => p) ? boundsOf(corners as Pixel[], 1, this.width, this.height) : undefined
    if (!bounds) return
    const { rgb, film, width } = this
    const [red, green, blue] = factor.map((k) =>
      Uint8Array.from({ length: 256 }, (_, byte) => film.byte(film.linear[byte]! * k)),
    ) as [Uint8Array, Uint8Array, Uint8Array]
    for (let v = bounds.top; v < bounds.bottom; v++) {
      const row = view.row(v + 0.5)
      if (!row) continue
      for (let u = bounds.left, at = (v * width + u) * 3; u < bounds.right; u++, at += 3) {
        const k = share(row.x + row.dx * (u + 0.5), row.y + row.dy * (u + 0.5))
        if (k < 0.01) continue
        const r = rgb[at]!
        const g = rgb[at + 1]!
        const b = rgb[at + 2]!
        rgb[at] = r + (red[r]! - r) * k
        rgb[at + 1] = g + (green[g]! - g) * k
        rgb[at + 2] = b + (blue[b]! - b) * k
      }
    }
  }

  /** Lens glow around a lamp: strong in the middle, weak further out. */
  glow(u: number, v: number, radius: number, colour: Colour): void {
    const { rgb, film, width, height } = this
    for (let y = Math.max(0, Math.floor(v - radius)); y < Math.min(height, v + radius); y++) {
      for (let x = Math.max(0, Math.floor(u - radius)); x < Math.min(width, u + radius); x++) {
        const r = Math.sqrt((x + 0.5 - u) ** 2 + (y + 0.5 - v) ** 2) / radius
        if (r >= 1) continue
        const k = (1 - r) * (1 - r) * (0.12 + 0.88 * Math.exp(-r * r * 22))
        const at = (y * width + x) * 3
        for (let c = 0; c < 3; c++) rgb[at + c] = film.byte(film.linear[rgb[at + c]!]! + colour[c]! * k)
      }
    }
  }
}

function look(level: Art['levels'][number], s: number, t: number, sum: number[]): void {
  const x = Math.min(level.width - 1.001, Math.max(0, s * level.width - 0.5))
  const y = Math.min(level.height - 1.001, Math.max(0, t * level.height - 0.5))
  const i = Math.floor(x)
  const j = Math.floor(y)
  const [fx, fy] = [x - i, y - j]
  const at = (j * level.width + i) * 3
  const below = at + level.width * 3
  for (let c = 0; c < 3; c++) {
    const value =
      (level.rgb[at + c]! * (1 - fx) + level.rgb[at + 3 + c]! * fx) * (1 - fy) +
      (level.rgb[below + c]! * (1 - fx) + level.rgb[below + 3 + c]! * fx) * fy
    sum[c]! += (value / 255) ** 2.2
  }
}

/** Maps a pixel to the unit square of a quadrangle (the inverse of Heckbert's projective map). */
function squareOf(q: readonly Pixel[]): (u: number, v: number) => readonly [number, number] {
  const [[x0, y0], [x1, y1], [x2, y2], [x3, y3]] = q as unknown as [Pixel, Pixel, Pixel, Pixel]
  const [dx1, dx2, dx3] = [x1 - x2, x3 - x2, x0 - x1 + x2 - x3]
  const [dy1, dy2, dy3] = [y1 - y2, y3 - y2, y0 - y1 + y2 - y3]
  const det = dx1 * dy2 - dx2 * dy1 || 1e-9
  const g = (dx3 * dy2 - dx2 * dy3) / det
  const h = (dx1 * dy3 - dx3 * dy1) / det
  const m = [x1 - x0 + g * x1, x3 - x0 + h * x3, x0, y1 - y0 + g * y1, y3 - y0 + h * y3, y0, g, h, 1] as const
  const inverse = [
    m[4] * m[8] - m[5] * m[7],
    m[2] * m[7] - m[1] * m[8],
    m[1] * m[5] - m[2] * m[4],
    m[5] * m[6] - m[3] * m[8],
    m[0] * m[8] - m[2] * m[6],
    m[2] * m[3] - m[0] * m[5],
    m[3] * m[7] - m[4] * m[6],
    m[1] * m[6] - m[0] * m[7],
    m[0] * m[4] - m[1] * m[3],
  ] as const
  return (u, v) => {
    const w = inverse[6] * u + inverse[7] * v + inverse[8]
    return [(inverse[0] * u + inverse[1] * v + inverse[2]) / w, (inverse[3] * u + inverse[4] * v + inverse[5]) / w]
  }
}
