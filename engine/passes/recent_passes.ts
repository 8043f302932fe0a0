import { digestOf } from './digest.js'
import { VarintReader, writeVarint } from './varint.js'

/** Most passes that are remembered: of a busy street a minute, of most cameras half an hour. */
const MOST = 32
/** Length of the digest of a text: with it, one of 10^6 late detections is taken for that of another vehicle. */
const TEXT_BYTES = 3

interface Ended {
  /** Event time of the first and the last detection, ms. */
  from: number
  until: number
  texts: number[]
}

/**
 * The passes of a camera that closed last: when, and under which texts. A late detection that lies within one of them
 * is of a vehicle whose read exists: its frame is sent again, or comes late.
 */
export class RecentPasses {
  private constructor(private readonly ended: Ended[]) {}

  static empty(): RecentPasses {
    return new RecentPasses([])
  }

  /** @param texts what its detections read, misreads too */
  add(from: number, until: number, texts: readonly string[]): void {
    this.ended.push({ from, until, texts: texts.map(textDigest) })
    if (this.ended.length > MOST) this.ended.shift()
  }

  /** Whether a vehicle with this text was passing at this time. */
  has(at: number, text: string): boolean {
    const digest = textDigest(text)
    return this.ended.some(({ from, until, texts }) => from <= at && at <= until && texts.includes(digest))
  }

  /** Per pass: the step from the previous `from`, the duration, the texts. */
  toJSON(): Uint8Array {
    const bytes: number[] = []
    let previous = 0
    for (const { from, until, texts } of this.ended) {
      const step = from - previous
      writeVarint(bytes, step < 0 ? -2 * step - 1 : 2 * step)
      writeVarint(bytes, until - from)
      writeVarint(bytes, texts.length)
      for (const text of texts) for (let i = 0; i < TEXT_BYTES; i++) bytes.push((text >>> (8 * i)) & 0xff)
      previous = from
    }
    return Uint8Array.from(bytes)
  }

  /** @param json missing in the state of an older release */
  static fromJSON(json: Uint8Array = new Uint8Array()): RecentPasses {
    const reader = new VarintReader(json)
    const ended: Ended[] = []
    for (let previous = 0; !reader.isAtEnd; ) {
      const step = reader.number()
      const from = previous + (step % 2 === 1 ? -(step + 1) / 2 : step / 2)
      const until = from + reader.number()
      const texts = Array.from({ length: reader.number() }, () => reader.fixed(TEXT_BYTES))
      ended.push({ from, until, texts })
      previous = from
    }
    return new RecentPasses(ended)
  }
}

const textDigest = (text: string): number => digestOf(text) % 2 ** (8 * TEXT_BYTES)
