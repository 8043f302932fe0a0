import type { Bits } from './bits.js'
import { corrupt } from './corrupt.js'

/** Bits of a code that one table look-up resolves. */
const LOOKUP_BITS = 9

/** A Huffman table: resolves most codes with one look-up, long ones length by length. */
export class Huffman {
  /** By the next LOOKUP_BITS bits: length of the code << 8 | its value; 0 where the code is longer. */
  readonly #short = new Uint16Array(1 << LOOKUP_BITS)
  /** By length: the largest code plus one, in 16 bits; and what to add to a code for the index of its value. */
  readonly #end = new Int32Array(18)
  readonly #offset = new Int32Array(18)
  readonly #values: Uint8Array

  /**
   * @param counts of codes by length, 1 to 16
   * @throws when there are more codes than lengths allow
   */
  constructor(counts: Uint8Array, values: Uint8Array) {
    this.#values = values
    let code = 0
    let index = 0
    for (let length = 1; length <= 16; length++) {
      const count = counts[length - 1]!
      this.#offset[length] = index - code
      for (let i = 0; i < count; i++, code++, index++) {
        if (length > LOOKUP_BITS) continue
        const first = code << (LOOKUP_BITS - length)
        this.#short.fill((length << 8) | values[index]!, first, first + (1 << (LOOKUP_BITS - length)))
      }
      if (code > 1 << length) throw corrupt('a Huffman table with too many codes')
      this.#end[length] = code << (16 - length)
      code <<= 1
    }
    this.#end[17] = 0x7fffffff
  }

  decode(bits: Bits): number {
    const next = bits.peek16()
    const entry = this.#short[next >> (16 - LOOKUP_BITS)]!
    if (entry !== 0) {
      bits.drop(entry >> 8)
      return entry & 0xff
    }
    let length = LOOKUP_BITS + 1
    while (next >= this.#end[length]!) length++
    if (length > 16) return bits.badCode()
    bits.drop(length)
    return this.#values[(next >> (16 - length)) + this.#offset[length]!]!
  }
}
