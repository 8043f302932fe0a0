import { corrupt } from './corrupt.js'

const MARKER = 0xff

/** Bytes per block below which libjpeg switches to its slow path. */
const FAST_BYTES = 512

const cutShort = () => corrupt('the coded data is cut short')

/**
 * The entropy-coded bits of one scan. Also tracks how far libjpeg would have read ahead, because it does not notice
 * surplus bytes there at the end of a damaged scan, and this decoder must refuse exactly what libjpeg refuses.
 */
export class Bits {
  #buffer = 0
  #count = 0
  /** Bits that libjpeg holds. */
  #ahead = 0
  /** libjpeg's fast path, far from the end of the file: fills other amounts, treats a bad code as a zero. */
  #fast = false

  /**
   * @param at first byte after the scan's header
   * @param onSurplus called with the bytes before a marker that no pixel needs
   */
  constructor(
    private readonly bytes: Uint8Array,
    private at: number,
    private readonly onSurplus: (from: number, to: number) => void,
  ) {}

  /** The next `count` bits, 1 to 16. @throws when the data ends first */
  take(count: number): number {
    this.#account(count)
    if (this.#count < count) this.#fill(count)
    this.#count -= count
    return (this.#buffer >>> this.#count) & ((1 << count) - 1)
  }

  /** The next 16 bits without consuming them; zeros after the end. */
  peek16(): number {
    this.#readAhead(8)
    if (this.#count < 16) this.#more()
    return this.#count >= 16
      ? (this.#buffer >>> (this.#count - 16)) & 0xffff
      : (this.#buffer << (16 - this.#count)) & 0xffff
  }

  /** Consumes bits seen by `peek16`. */
  drop(count: number): void {
    this.#account(count > 8 ? 9 : count)
    for (let i = 9; i < count; i++) this.#account(1)
    if (this.#count < count) throw cutShort()
    this.#count -= count
  }

  /** The value of a code that is in no table. @throws */
  badCode(): number {
    if (!this.#fast) throw corrupt('a code that is in no Huffman table')
    this.drop(16)
    this.take(1)
    return 0
  }

  /** Must precede each minimal coded unit of a sequential scan. */
  startUnit(blocks: number): void {
    this.#fast = this.bytes.length - this.at - (this.#ahead - this.#count) / 8 >= FAST_BYTES * blocks
  }

  /** A signed value of `size` bits in JPEG's code: the lower half of the codes is negative. 0 bits are a zero. */
  signed(size: number): number {
    if (size === 0) return 0
    const value = this.take(size)
    return value < 1 << (size - 1) ? value - (1 << size) + 1 : value
  }

  /**
   * Goes to the next marker and drops what is left before it.
   * @returns its code, or undefined at the end of the file; `surplus` says whether libjpeg would notice bytes before it
   */
  toMarker(): { code: number | undefined; surplus: boolean } {
    const { bytes } = this
    const from = this.#firstUnread()
    let at = this.at
    let left = this.#count
    for (; at < bytes.length && (bytes[at] !== MARKER || bytes[at + 1] === 0); at += bytes[at] === MARKER ? 2 : 1)
      left += 8
    const surplus = left >= 8 && left > this.#ahead
    if (left >= 8 && from < at) this.onSurplus(from, Math.min(at, bytes.length))
    while (bytes[at] === MARKER && bytes[at + 1] === MARKER) at++
    this.#buffer = this.#count = this.#ahead = 0
    this.at = Math.min(at, bytes.length)
    return { code: bytes[at + 1], surplus }
  }

  /** Continues after the marker that `toMarker` found. */
  passMarker(): void {
    this.at += 2
  }

  /** Position of the marker that `toMarker` found. */
  get position(): number {
    return this.at
  }

  /** Position of the first byte that none of the bits taken came from. */
  #firstUnread(): number {
    let { at } = this
    for (let whole = this.#count >> 3; whole > 0; whole--)
      at -= this.bytes[at - 1] === 0 && this.bytes[at - 2] === MARKER ? 2 : 1
    return at
  }

  #account(count: number): void {
    this.#readAhead(count)
    this.#ahead -= count
  }

  #readAhead(needed: number): void {
    if (this.#fast) {
      if (this.#ahead <= 16) this.#ahead += 48
    } else if (this.#ahead < needed) this.#ahead += (64 - this.#ahead) & ~7
  }

  #fill(count: number): void {
    this.#more()
    if (this.#count < count) throw cutShort()
  }

  /** Refills the buffer to more than 16 bits; a marker ends the data. */
  #more(): void {
    const { bytes } = this
    while (this.#count <= 16) {
      const byte = bytes[this.at]
      if (byte === undefined) return
      if (byte === MARKER) {
        if (bytes[this.at + 1] !== 0) return
        this.at++
      }
      this.at++
      this.#buffer = (this.#buffer << 8) | byte
      this.#count += 8
    }
  }
}
