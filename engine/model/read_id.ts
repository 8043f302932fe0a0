import { MINUTE_MS } from './time.js'

/** 2020-01-01, the first minute that ids count from. */
const EPOCH_MINUTES = Date.UTC(2020, 0, 1) / MINUTE_MS

/**
 * Ids of reads, from the place of their first detection on the stream and never from chance or clock, so that a replay
 * from a checkpoint gives the same ids. A 64-bit number as decimal text:
 *
 *     frames       | 24 bits: minute in which the stream was made | 36 bits: sequence | 4 bits: detection |
 *     detections   | 1 | 23 bits: minute, cut to its last digits  | 32 bits: sequence | 8 bits: detection |
 *
 * The minute keeps ids apart when a stream is made anew under an old store. A sequence that outgrows its bits (a stream
 * of years) carries into the minute: as if the stream had been made a minute later, and still no id twice.
 */
export class ReadIds {
  /** Detections in one message at most, by entrance. */
  static readonly MOST = { frames: 16, detections: 256 } as const

  private readonly base: bigint
  private readonly indexBits: bigint

  /** @param streamCreated when the entrance's stream was made, as the server tells it */
  constructor(streamCreated: string, entrance: keyof typeof ReadIds.MOST = 'frames') {
    const minutes = Math.max(0, Math.floor(Date.parse(streamCreated) / MINUTE_MS) - EPOCH_MINUTES)
    this.base =
      entrance === 'frames' ? BigInt(minutes % 2 ** 24) << 40n : (1n << 63n) | (BigInt(minutes % 2 ** 23) << 40n)
    this.indexBits = entrance === 'frames' ? 4n : 8n
  }

  /** @param index of the detection in its message, from 0 */
  of(seq: number, index: number): string {
    return (this.base + (BigInt(seq) << this.indexBits) + BigInt(index)).toString()
  }
}
