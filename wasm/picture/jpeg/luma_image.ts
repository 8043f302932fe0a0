import type { JpegHeader } from '../jpeg_header.js'
import { reducedSize, type LumaTarget, type Reduction } from '../limits.js'
import { reduceLuma } from '../reduce.js'
import type { Component, Frame } from './frame.js'
import { inverseDct } from './idct_fast.js'

/** Grey of what was not decoded. */
const UNKNOWN = 128

/** Samples of a component at its own resolution. */
interface Plane {
  samples: Uint8Array
  stride: number
  rows: number
}

/**
 * The luma of a JPEG that is being decoded. Usually blocks are drawn straight into the target, reduced one by one if
 * need be; where several components give the luma, each is kept until the end.
 */
export class LumaImage {
  readonly #luma: Uint8Array
  readonly #planes = new Map<Component, Plane>()
  readonly #block = new Uint8Array(64)
  readonly #width: number
  readonly #height: number

  constructor(
    private readonly frame: Frame,
    private readonly header: JpegHeader,
    private readonly reduction: Reduction,
    target: LumaTarget,
  ) {
    const { width, height } = reducedSize(frame, reduction)
    this.#width = width
    this.#height = height
    this.#luma = target.lumaBuffer(width, height).fill(UNKNOWN)
    const needed = frame.components.filter((component) => component.needed)
    const [luma] = needed as [Component]
    if (needed.length === 1 && luma.h === frame.mostH && luma.v === frame.mostV) return
    for (const component of needed) {
      const stride = 8 * component.blocksX
      const rows = 8 * component.blocksY
      this.#planes.set(component, { samples: new Uint8Array(stride * rows).fill(UNKNOWN), stride, rows })
    }
  }

  /** Draws block `x`, `y` of a needed component. */
  draw(component: Component, coefficients: Int16Array, x: number, y: number): void {
    const plane = this.#planes.get(component)
    if (plane) {
      if (x >= component.blocksX || y >= component.blocksY) return
      const { samples, stride } = plane
      inverseDct(coefficients, component.table!, samples, 8 * y * stride + 8 * x, stride, 8, 8)
      return
    }
    if (this.reduction > 1) return this.#drawReduced(component, coefficients, x, y)
    const right = this.#width - 8 * x
    const below = this.#height - 8 * y
    if (right <= 0 || below <= 0) return
    const at = 8 * y * this.#width + 8 * x
    inverseDct(coefficients, component.table!, this.#luma, at, this.#width, Math.min(right, 8), Math.min(below, 8))
  }

  #drawReduced(component: Component, coefficients: Int16Array, x: number, y: number): void {
    const by = this.reduction
    const cells = 8 / by
    const block = this.#block
    inverseDct(coefficients, component.table!, block, 0, 8, 8, 8)
    const half = (by * by) >> 1
    for (let row = 0; row < cells && y * cells + row < this.#height; row++) {
      for (let column = 0; column < cells && x * cells + column < this.#width; column++) {
        let sum = half
        for (let v = row * by; v < (row + 1) * by; v++)
          for (let h = column * by; h < (column + 1) * by; h++) sum += block[8 * v + h]!
        this.#luma[(y * cells + row) * this.#width + x * cells + column] = sum / (by * by)
      }
    }
  }

  /** Puts the luma together where several components give it. */
  finish(): void {
    if (this.#planes.size === 0) return
    const { width, height, mostH, mostV } = this.frame
    const planes = [...this.#planes].map(([{ h, v }, plane]) => ({ ...plane, h, v }))
    const full = this.reduction === 1 ? this.#luma : new Uint8Array(width * height)
    const mix = MIXES[this.header.colour]
    const invert = this.header.inverted ? 0 : 255
    const rows = planes.map(() => new Uint8Array(width))
    for (let y = 0; y < height; y++) {
      for (const [i, { samples, stride, h, v }] of planes.entries()) {
        const row = rows[i]!
        const from = Math.floor((y * v) / mostV) * stride
        for (let x = 0; x < width; x++) row[x] = samples[from + Math.floor((x * h) / mostH)]!
      }
      mix(rows, invert, full.subarray(y * width, (y + 1) * width))
    }
    if (this.reduction > 1) reduceLuma(full, this.frame, this.reduction, this.#luma)
  }
}

type Mix = (rows: Uint8Array[], invert: number, out: Uint8Array) => void

/** libjpeg's luma of RGB. */
const luma = (r: number, g: number, b: number): number => (19595 * r + 38470 * g + 7471 * b + 32768) >> 16

const first: Mix = ([row], _invert, out) => out.set(row!)

/** By the kind of colour; CMYK has Adobe's inverted values, others are inverted here. */
const MIXES: Record<JpegHeader['colour'], Mix> = {
  grey: first,
  ycc: first,
  rgb: ([r, g, b], _invert, out) => {
    for (let x = 0; x < out.length; x++) out[x] = luma(r![x]!, g![x]!, b![x]!)
  },
  cmyk: ([c, m, y, k], invert, out) => {
    for (let x = 0; x < out.length; x++)
      out[x] = (luma(c![x]! ^ invert, m![x]! ^ invert, y![x]! ^ invert) * (k![x]! ^ invert) + 127) / 255
  },
  // Y is that of 255 less the inverted CMY
  ycck: ([y, k], _invert, out) => {
    for (let x = 0; x < out.length; x++) out[x] = ((255 - y![x]!) * k![x]! + 127) / 255
  },
}
