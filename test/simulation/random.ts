/** Random numbers from a seed (sfc32): the same seed gives the same numbers on every machine. */
export class Random {
  private a: number
  private b: number
  private c: number
  private counter = 1

  /** @param name generators of one seed with different names are independent */
  constructor(seed: number, name = '') {
    let hash = 2_166_136_261
    for (const text of `${seed}/${name}`) hash = Math.imul(hash ^ text.charCodeAt(0), 16_777_619)
    this.a = hash
    this.b = seed | 0
    this.c = 0x9e37_79b9
    for (let i = 0; i < 15; i++) this.next()
  }

  /** In [0, 1). */
  next(): number {
    const sum = (((this.a + this.b) | 0) + this.counter) | 0
    this.counter = (this.counter + 1) | 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = ((this.c << 21) | (this.c >>> 11)) + sum
    return (sum >>> 0) / 4_294_967_296
  }

  /** An integer from 0 to `below` - 1. */
  int(below: number): number {
    return Math.floor(this.next() * below)
  }

  /** In [low, high). */
  between(low: number, high: number): number {
    return low + this.next() * (high - low)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(from: readonly T[]): T {
    return from[this.int(from.length)]!
  }

  /** Mostly near `typical`, seldom many times as long: delays of a network or a disk, ms. */
  delay(typical: number): number {
    const u = this.next()
    return typical * (0.5 + u) * (this.next() < 0.02 ? 20 : 1)
  }
}
