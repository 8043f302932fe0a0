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

/** Red, green, blue, and a byte that is carried along. */
export const PIXEL_BYTES = 4
const PAGE = 65_536
/** How many pixels may become one, in each direction; the module has room for the weights of so many. */
export const MOST_REDUCED = 32
/** Loads are 16 bytes wide. */
const SLACK = 16

/**
 * Reduces pictures in WebAssembly, by the mean of the area that each new pixel covers (wasm/assembly/shrink.ts). Its
 * memory is used again for each picture and never gets smaller: who has a giant one drops the whole shrinker.
 */
export class Shrinker {
  readonly #exports: Exports
  /** Pixels of the open picture's rows. */
  #width = 0
  /** Addresses: of a row that is worked on, of the weights, of the next target. */
  #line = 0
  #table = 0
  #targets = 0

  /** @param module shrink.wasm, compiled */
  constructor(module: WebAssembly.Module) {
    this.#exports = instantiateSync(module as never, {}).exports as unknown as Exports
  }

  /**
   * Where a picture's pixels are to be written, row by row, 4 bytes each; what targets showed before is gone. The
   * buffer is of no use any more after the next call of this.
   * @param targets sizes that `shrink` will be asked for, together
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
   * An area of the open picture in a smaller size (or its own): a view, good until the next `open`.
   * @param size not larger than the area, nor smaller than a 32nd of it, in each direction
   * @throws RangeError for another
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
