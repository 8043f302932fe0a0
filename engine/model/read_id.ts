import { MINUTE_MS } from './time.js'

/** 2020-01-01, the first minute that ids count from. */
const EPOCH_MINUTES = Date.UTC(2020, 0, 1) / MINUTE_MS

/**
 * Ids of reads. They derive from the position of the first detection on the stream, never from randomness or a clock,
 * so that a replay from a checkpoint gives the same ids. A 64-bit number as decimal text:
 *
 *     frames       | 24 bits: minute in which the stream was created | 36 bits: sequence | 4 bits: detection |
 *     detections   | 1 | 23 bits: minute, lowest bits                | 32 bits: sequence | 8 bits: detection |
 *
 * The minute keeps ids unique when a stream is created again under an existing store. A sequence that outgrows its bits
 * (after years) carries into the minute, as if the stream had been created a minute later; ids remain unique.
 */
export class ReadIds {
  /** Most detections in one message, by entrance. */
  static readonly MOST = { frames: 16, detections: 256 } as const

  private readonly base: bigint
  private readonly indexBits: bigint

  /** @param streamCreated when the entrance's stream was created, as the server reports it */
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
