import { instantiateSync } from '@assemblyscript/loader'
import type { Size } from './limits.js'

interface Exports {
  memory: WebAssembly.Memory
  freeAddress(): number
  shrink(
    source: number,
    stride: number,
    width: number,
    height: number,
    line: number,
    table: number,
    target: number,
    newWidth: number,
    newHeight: number,
  ): void
}

/** Pixels of a rectangle inside a picture. */
export interface Area extends Size {
  left: number
  top: number
}

/** Red, green, blue, and an unused byte. */
export const PIXEL_BYTES = 4
const PAGE = 65_536
/** Largest reduction factor in each direction; the module has room for that many weights. */
export const MOST_REDUCED = 32
/** Loads are 16 bytes wide. */
const SLACK = 16

/**
 * Reduces pictures in WebAssembly by the mean of the area that each new pixel covers (wasm/assembly/shrinker/). Its
 * memory is reused for each picture and never shrinks: after a huge picture, drop the whole shrinker.
 */
export class Shrinker {
  readonly #exports: Exports
  /** Width of the open picture, pixels. */
  #width = 0
  /** Addresses of the working row, of the weights, of the next target. */
  #line = 0
  #table = 0
  #targets = 0

  /** @param module shrink.wasm, compiled */
  constructor(module: WebAssembly.Module) {
    this.#exports = instantiateSync(module as never, {}).exports as unknown as Exports
  }

  /**
   * The buffer for a picture's pixels, row by row, 4 bytes each. Invalidates previous targets; the next call
   * invalidates the buffer.
   * @param targets all sizes that `shrink` will be called with
   */
  open({ width, height }: Size, targets: readonly Size[]): Uint8Array {
    const { memory } = this.#exports
    const source = this.#exports.freeAddress()
    const bytes = width * height * PIXEL_BYTES
    const line = align(width * PIXEL_BYTES + SLACK)
    const table = Math.max(
      ...targets.map((target) => target.width * (16 + 16 * (Math.floor(width / target.width / 2) + 2))),
    )
    this.#width = width
    this.#line = source + align(bytes + SLACK)
    this.#table = this.#line + line
    this.#targets = this.#table + align(table)
    const end =
      this.#targets + targets.reduce((sum, target) => sum + align(target.width * target.height * PIXEL_BYTES), 0)
    if (end > memory.buffer.byteLength) memory.grow(Math.ceil((end - memory.buffer.byteLength) / PAGE))
    return new Uint8Array(memory.buffer, source, bytes)
  }

  /**
   * Reduces an area of the open picture, or copies it: a view, valid until the next `open`.
   * @param size in each direction at most that of the area, and at least a 32nd of it
   * @throws RangeError for any other size
   */
  shrink(area: Area, size: Size): Uint8Array {
    if (!fits(area.width, size.width) || !fits(area.height, size.height))
      throw new RangeError(`${area.width}x${area.height} cannot become ${size.width}x${size.height}`)
    const { memory, freeAddress, shrink } = this.#exports
    const stride = this.#width * PIXEL_BYTES
    const target = this.#targets
    this.#targets += align(size.width * size.height * PIXEL_BYTES)
    shrink(
      freeAddress() + area.top * stride + area.left * PIXEL_BYTES,
      stride,
      area.width,
      area.height,
      this.#line,
      this.#table,
      target,
      size.width,
      size.height,
    )
    return new Uint8Array(memory.buffer, target, size.width * size.height * PIXEL_BYTES)
  }
}

const fits = (from: number, to: number): boolean => to >= 1 && to <= from && from <= to * MOST_REDUCED

const align = (bytes: number): number => Math.ceil(bytes / SLACK) * SLACK
