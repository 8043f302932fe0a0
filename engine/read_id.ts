/** 2020-01-01, the first minute that ids count from. */
const EPOCH_MINUTES = Date.UTC(2020, 0, 1) / 60_000

/**
 * Ids of reads, from the place of their first detection on the stream and never from chance or clock, so that a replay from a checkpoint gives
 * the same ids. A 64-bit number as decimal text:
 *
 *     | 24 bits: minute in which the stream was made | 36 bits: sequence | 4 bits: detection |
 *
 * The minute keeps ids apart when a stream is made anew under an old store.
 */
export class ReadIds {
  private readonly base: bigint

  /** @param streamCreated when stream FRAMES was made, as the server tells it */
  constructor(streamCreated: string) {
    const minutes = Math.floor(Date.parse(streamCreated) / 60_000) - EPOCH_MINUTES
    this.base = BigInt(Math.max(0, minutes) % 2 ** 24) << 40n
  }

  /** @param index of the detection in its frame, 0..15 */
  of(seq: number, index: number): string {
    return (this.base | (BigInt(seq) << 4n) | BigInt(index)).toString()
  }
}
