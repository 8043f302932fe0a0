import { HOUR_MS } from './time.js'

/**
 * The ledger: per camera and hour, `framesIn = withReads + withoutPlate + dead` (EQP-1, C-4). The hour is that of
 * `Captured-At`, or of the arrival on the stream when the frame has no usable time.
 */
export interface LedgerRow {
  camera: string
  /**
   * Stream sequence of the first frame counted in this row. Rows of one hour with different parts add up; the counts of
   * a part only grow.
   */
  part: number
  /** Start of the hour, milliseconds since 1970 UTC. */
  hour: number
  framesIn: number
  withReads: number
  withoutPlate: number
  dead: number
  /** Grows with the totals: the store keeps the row with the highest one. */
  version: number
}

/** The start of the UTC hour that contains `time`, ms. */
export const hourOf = (time: number): number => Math.floor(time / HOUR_MS) * HOUR_MS

/**
 * What is added to a sequence of a stream where it names a part of the ledger: sequences of another life of the stream
 * must not name the same parts of one hour. @param epoch number of that life
 */
export const ledgerPartOf = (epoch: number): number => (epoch % 2 ** 15) * 2 ** 36
