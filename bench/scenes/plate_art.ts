import { GLYPHS, glyphWidth, polyline } from './glyphs.js'
import type { Serial } from './serials.js'

/** A picture in bytes, three per pixel (display red, green, blue), with a pyramid of smaller copies. */
export interface Art {
  /** Metres. */
  width: number
  height: number
  levels: { width: number; height: number; rgb: Uint8Array }[]
}

type Ink = readonly [red: number, green: number, blue: number]

/** Pixels per millimetre of the largest level: a plate in the picture is rarely wider than 200 pixels. */
const kScale = 1

/** Measures of the plates of each region, millimetres. */
const kShapes = {
  us: {
    width: 305,
    height: 152,
    ink: [26, 34, 84] as Ink,
    ground: [238, 240, 240] as Ink,
    height1: 68,
    top: 46,
    stroke: 9.5,
    glyph: 25,
    gap: 5.5,
    blank: 20,
    from: 14,
    to: 291,
  },
  eu: {
    width: 520,
    height: 112,
    ink: [16, 16, 18] as Ink,
    ground: [240, 240, 238] as Ink,
    height1: 76,
    top: 18,
    stroke: 10.5,
    glyph: 34,
    gap: 8,
    blank: 22,
    from: 52,
    to: 512,
  },
} as const

/** Draws a plate as its issuer makes it: ground, state or country, and the serial with strokes of one thickness. */
export function drawPlate(serial: Serial): Art {
  const shape = kShapes[serial.region]
  const canvas = new Canvas(shape.width * kScale, shape.height * kScale, shape.ground)
  const mm = kScale
  if (serial.region === 'eu') {
    canvas.fill(0, 0, 40 * mm, shape.height * mm, [20, 50, 150])
    canvas.text(
      serial.state.slice(0, 1),
      { x: 11 * mm, y: 74 * mm, height: 24 * mm, glyph: 13 * mm, stroke: 4 * mm, gap: 3 * mm },
      [235, 235, 235],
    )
    for (let i = 0; i < 12; i++)
      canvas.dot(
        20 * mm + 11 * mm * Math.cos((i * Math.PI) / 6),
        34 * mm + 11 * mm * Math.sin((i * Math.PI) / 6),
        1.8 * mm,
        [240, 200, 40],
      )
  } else {
    const name = { CA: 'CALIFORNIA', WA: 'WASHINGTON', AZ: 'ARIZONA' }[serial.state] ?? serial.state
    const width = name.length * 13.5
    canvas.text(
      name,
      { x: ((305 - width) / 2) * mm, y: 17 * mm, height: 15 * mm, glyph: 8 * mm, stroke: 2.6 * mm, gap: 3 * mm },
      [176, 40, 44],
    )
    for (const x of [40, 265]) for (const y of [16, 136]) canvas.dot(x * mm, y * mm, 4 * mm, [120, 122, 124])
  }
  const inner = { ...shape, height: shape.height1 }
  const natural = advance(serial.shown, inner)
  const squeeze = Math.min(1, (shape.to - shape.from) / natural)
  const style = {
    x: ((shape.from + shape.to - natural * squeeze) / 2) * mm,
    y: shape.top * mm,
    height: shape.height1 * mm,
    glyph: shape.glyph * squeeze * mm,
    stroke: shape.stroke * mm * Math.sqrt(squeeze),
    gap: shape.gap * squeeze * mm,
    blank: shape.blank * squeeze * mm,
  }
  canvas.text(serial.shown.replace(/-/g, serial.state === 'CA' ? '' : ' '), style, shape.ink)
  canvas.frame(2.2 * mm, [150, 152, 156])
  return { width: shape.width / 1000, height: shape.height / 1000, levels: canvas.levels() }
}

function advance(text: string, style: { glyph: number; stroke: number; gap: number; blank: number }): number {
  let width = 0
  for (const char of text)
    width += GLYPHS[char] ? style.glyph * glyphWidth(char) + style.stroke + style.gap : style.blank
  return width - style.gap
}

interface Style {
  x: number
  y: number
  height: number
  glyph: number
  stroke: number
  gap: number
  blank?: number
}

class Canvas {
  readonly #width: number
  readonly #height: number
  readonly #rgb: Uint8Array

  constructor(width: number, height: number, ground: Ink) {
    this.#width = width
    this.#height = height
    this.#rgb = new Uint8Array(width * height * 3)
    this.fill(0, 0, width, height, ground)
  }

  fill(x0: number, y0: number, x1: number, y1: number, ink: Ink): void {
    for (let y = y0; y < y1; y++) for (let x = x0; x < x1; x++) this.#mix(x, y, ink, 1)
  }

  frame(wide: number, ink: Ink): void {
    for (let y = 0; y < this.#height; y++) {
      for (let x = 0; x < this.#width; x++) {
        const edge = Math.min(x, y, this.#width - 1 - x, this.#height - 1 - y)
        if (edge < wide) this.#mix(x, y, ink, 0.55)
      }
    }
  }

  dot(cx: number, cy: number, radius: number, ink: Ink): void {
    this.#stroke(
      [
        [cx, cy],
        [cx, cy],
      ],
      radius,
      ink,
    )
  }

  text(text: string, style: Style, ink: Ink): void {
    let x = style.x
    for (const char of text) {
      const paths = GLYPHS[char]
      if (!paths) {
        x += style.blank ?? style.glyph
        continue
      }
      const wide = style.glyph * glyphWidth(char)
      for (const path of paths) {
        const line = polyline(path, wide, style.height - style.stroke, style.glyph * 0.45).map(
          ([px, py]): [number, number] => [x + style.stroke / 2 + px, style.y + style.stroke / 2 + py],
        )
        this.#stroke(line, style.stroke / 2, ink)
      }
      x += wide + style.stroke + style.gap
    }
  }

  #stroke(line: [number, number][], radius: number, ink: Ink): void {
    const [xs, ys] = [line.map((p) => p[0]), line.map((p) => p[1])]
    const reach = radius + 1
    for (let y = Math.floor(Math.min(...ys) - reach); y <= Math.max(...ys) + reach; y++) {
      for (let x = Math.floor(Math.min(...xs) - reach); x <= Math.max(...xs) + reach; x++) {
        let nearest = Infinity
        for (let i = 1; i < line.length; i++)
          nearest = Math.min(nearest, distance(x + 0.5, y + 0.5, line[i - 1]!, line[i]!))
        this.#mix(x, y, ink, Math.min(1, Math.max(0, radius - nearest + 0.5)))
      }
    }
  }

  #mix(x: number, y: number, ink: Ink, share: number): void {
    if (share <= 0 || x < 0 || y < 0 || x >= this.#width || y >= this.#height) return
    const at = (y * this.#width + x) * 3
    for (let c = 0; c < 3; c++) this.#rgb[at + c] = Math.round(this.#rgb[at + c]! * (1 - share) + ink[c]! * share)
  }

  /** Each level has half the width and height of the previous one; a pixel is the mean of four. */
  levels(): Art['levels'] {
    const levels = [{ width: this.#width, height: this.#height, rgb: this.#rgb }]
    for (let last = levels[0]!; last.width >= 40; last = levels.at(-1)!) {
      const width = last.width >> 1
      const height = last.height >> 1
      const rgb = new Uint8Array(width * height * 3)
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          for (let c = 0; c < 3; c++) {
            const from = (2 * y * last.width + 2 * x) * 3 + c
            const below = from + last.width * 3
            rgb[(y * width + x) * 3 + c] =
              (last.rgb[from]! + last.rgb[from + 3]! + last.rgb[below]! + last.rgb[below + 3]! + 2) >> 2
          }
        }
      }
      levels.push({ width, height, rgb })
    }
    return levels
  }
}

function distance(x: number, y: number, a: [number, number], b: [number, number]): number {
  const dx = b[0] - a[0]
  const dy = b[1] - a[1]
  const length = dx * dx + dy * dy
  const t = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - a[0]) * dx + (y - a[1]) * dy) / length))
  return Math.hypot(x - a[0] - t * dx, y - a[1] - t * dy)
}
