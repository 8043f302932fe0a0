import { CHARACTERS, CLASSES } from '../../wasm/mod.js'
import { xorshift } from './xorshift.js'

/** Random plates and reads, the same for the same seed. */
export class Plates {
  /** 0 (included) to 1 (excluded). */
  readonly next: () => number

  constructor(seed: number) {
    this.next = xorshift(seed)
  }

  /** An integer from 0 to `end` (excluded). */
  whole(end: number): number {
    return Math.floor(this.next() * end)
  }

  /**
   * Writes a plate of a shape (`9` digit, `A` letter, `X` either) at offset `at`. @returns the offset after it
   */
  write(bytes: Uint8Array, at: number, shape: string): number {
    for (let i = 0; i < shape.length; i++) {
      const kind = shape.charCodeAt(i)
      bytes[at++] =
        kind === 57 ? 48 + this.whole(10) : kind === 65 ? 65 + this.whole(26) : CHARACTERS.charCodeAt(this.whole(36))
    }
    return at
  }

  /** A plate of a shape, as `write` makes it. */
  text(shape: string): string {
    const bytes = new Uint8Array(shape.length)
    this.write(bytes, 0, shape)
    return String.fromCharCode(...bytes)
  }

  pick<T>(values: readonly T[]): T {
    return values[this.whole(values.length)]!
  }

  /**
   * A read of a plate: each character has probability `certainty`, three others share the rest; one read in eight
   * lacks a character or has one too many.
   */
  read(plate: string, certainty: number): Float32Array[] {
    const positions = [...plate].map((c) => this.position(CHARACTERS.indexOf(c), certainty))
    const odd = this.next()
    const at = this.whole(positions.length)
    if (odd < 0.06) positions.splice(at, 1)
    else if (odd < 0.12) positions.splice(at, 0, this.position(this.whole(36), 0.5))
    return positions
  }

  private position(top: number, certainty: number): Float32Array {
    const p = new Float32Array(CLASSES).fill(1e-5)
    p[top]! += certainty
    for (let k = 0; k < 3; k++) p[this.whole(CLASSES)]! += (1 - certainty) / 3
    const sum = p.reduce((a, b) => a + b, 0)
    return p.map((v) => v / sum)
  }
}

/** Plates of one state: what hot lists and cameras of the benchmarks carry. */
export const STATE_SHAPES = ['9AAA999', '9AAA999', '9AAA999', 'AAA9999', 'AAA999']

/** What the cameras of a region see: mostly one shape, many others, 5 to 10 characters. */
export const REGION_SHAPES = [
  '9AAA999',
  '9AAA999',
  '9AAA999',
  '9AAA999',
  '9A99999',
  'AAA9999',
  'AAA9999',
  'AAA999',
  '999AAA',
  'A9999',
  'AA99AAA',
  'AAA99A',
  'AA9999AA',
  'AAA99999',
  'AAA999999',
  'AAA9999999',
  'XXXXXX',
  'XXXXXXX',
  'XXXXXXXXXX',
]
