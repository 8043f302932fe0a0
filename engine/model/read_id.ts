import { MINUTE_MS } from './time.js'

/** 2020-01-01, the minute that lives of streams are numbered from. */
const EPOCH_MINUTES = Date.UTC(2020, 0, 1) / MINUTE_MS

/** The number of a stream's life that began then: minutes since 2020. @param time RFC 3339 */
export const epochOf = (time: string): number => Math.max(0, Math.floor(Date.parse(time) / MINUTE_MS) - EPOCH_MINUTES)

/**
 * Ids of reads. They derive from the position of the first detection on its stream, never from randomness or a clock,
 * so that a replay from a checkpoint gives the same ids. A 64-bit number as decimal text:
 *
 *     frames       | 24 bits: epoch                | 36 bits: sequence | 4 bits: detection |
 *     detections   | 1 | 23 bits: epoch            | 32 bits: sequence | 8 bits: detection |
 *
 * Each life of a stream has a number of its own, `epoch` in formats (partition/find_start.ts): about the minute in
 * which it began, and unique. So ids stay unique among partitions, and when a stream is recreated or set back under an
 * existing store. A sequence that outgrows its bits (after years) carries into that number.
 */
export class ReadIds {
  /** Most detections in one message, by entrance. */
  static readonly MOST = { frames: 16, detections: 256 } as const

  private readonly base: bigint
  private readonly indexBits: bigint

  /** @param epoch number of the stream's present life */
  constructor(
    readonly epoch: number,
    entrance: keyof typeof ReadIds.MOST = 'frames',
  ) {
    this.base = entrance === 'frames' ? BigInt(epoch % 2 ** 24) << 40n : (1n << 63n) | (BigInt(epoch % 2 ** 23) << 40n)
    this.indexBits = entrance === 'frames' ? 4n : 8n
  }

  /** @param index of the detection in its message, from 0 */
  of(seq: number, index: number): string {
    return (this.base + (BigInt(seq) << this.indexBits) + BigInt(index)).toString()
  }
}
