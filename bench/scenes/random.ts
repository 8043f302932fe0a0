/**
 * Random numbers that are the same on every machine: a stream that depends on its name only. It uses 32-bit integer
 * arithmetic, so that no platform's rounding matters.
 */
export class RandomStream {
  #a: number
  #b: number
  #c: number
  #d = 1

  /** @param name what the stream is for, e.g. `7/cam-03/lane-1` */
  constructor(name: string) {
    ;[this.#a, this.#b, this.#c] = digest(name)
    for (let i = 0; i < 12; i++) this.next()
  }

  /** From 0 to 1 (excluded); sfc32. */
  next(): number {
    const t = (this.#a + this.#b + this.#d) | 0
    this.#d = (this.#d + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + t) | 0
    return (t >>> 0) / 4_294_967_296
  }

  between(least: number, most: number): number {
    return least + this.next() * (most - least)
  }

  /** An integer from 0 to `count` - 1. */
  below(count: number): number {
    return Math.floor(this.next() * count)
  }

  of<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!
  }
}

/** Three words from a name: FNV-1a with three initial values, each with a final mix. */
function digest(name: string): [number, number, number] {
  const words = [0x811c9dc5, 0x9e3779b9, 0x85ebca6b].map((start) => {
    let h = start
    for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193)
    h = Math.imul(h ^ (h >>> 16), 0x7feb352d)
    h = Math.imul(h ^ (h >>> 15), 0x846ca68b)
    return h ^ (h >>> 16)
  })
  return words as [number, number, number]
}

/** A hash from 0 to 1 of integer coordinates. */
export function speckle(x: number, y: number, salt: number): number {
  let h = Math.imul(x | 0, 0x27d4eb2d) ^ Math.imul(y | 0, 0x165667b1) ^ Math.imul(salt | 0, 0x9e3779b1)
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return ((h ^ (h >>> 16)) >>> 0) / 4_294_967_296
}

/** Smooth noise from 0 to 1: hashes of the grid, interpolated. */
export function cloud(x: number, y: number, salt: number): number {
  const i = Math.floor(x)
  const j = Math.floor(y)
  const u = (x - i) * (x - i) * (3 - 2 * (x - i))
  const v = (y - j) * (y - j) * (3 - 2 * (y - j))
  const top = speckle(i, j, salt) * (1 - u) + speckle(i + 1, j, salt) * u
  const bottom = speckle(i, j + 1, salt) * (1 - u) + speckle(i + 1, j + 1, salt) * u
  return top * (1 - v) + bottom * v
}
