import type { LedgerRow } from '../model/ledger.js'

/** What a frame counts as in the ledger. */
export type Outcome = 'withReads' | 'withoutPlate' | 'dead'

/** Hours of counts that the state of a camera contains: those counted in last. */
const MOST = 3

/** Counts of an hour in a checkpoint. */
export type HourJson = [
  hour: number,
  framesIn: number,
  withReads: number,
  withoutPlate: number,
  dead: number,
  part: number,
  version: number,
]

/** The rows of the ledger that a camera is counting in. */
export class HourCounts {
  /** Those counted in last are last. */
  private readonly hours = new Map<number, LedgerRow>()
  private readonly changed = new Set<number>()

  constructor(
    private readonly camera: string,
    private readonly firstPart: number,
    json: readonly HourJson[] = [],
  ) {
    for (const [hour, framesIn, withReads, withoutPlate, dead, part, version] of json)
      this.hours.set(hour, { camera, hour, framesIn, withReads, withoutPlate, dead, part, version })
  }

  /** @param seq of the message that is counted */
  add(hour: number, outcome: Outcome, by: number, seq: number): void {
    const row = this.hours.get(hour) ?? {
      camera: this.camera,
      hour,
      framesIn: 0,
      withReads: 0,
      withoutPlate: 0,
      dead: 0,
      part: this.firstPart + seq,
      version: 0,
    }
    row.framesIn += by
    row[outcome] += by
    row.version += by
    this.hours.delete(hour)
    this.hours.set(hour, row)
    this.changed.add(hour)
  }

  /** Rows changed since the last call. Totals, not differences: writing one twice changes nothing. */
  take(): LedgerRow[] {
    const rows = [...this.hours.values()].filter(({ hour }) => this.changed.has(hour)).map((row) => ({ ...row }))
    this.changed.clear()
    // The store keeps an hour that leaves the state; a later frame of that hour starts a new part, which adds to it.
    for (const hour of [...this.hours.keys()].slice(0, -MOST)) this.hours.delete(hour)
    return rows
  }

  toJSON(): HourJson[] {
    return [...this.hours.values()].map((r) => [
      r.hour,
      r.framesIn,
      r.withReads,
      r.withoutPlate,
      r.dead,
      r.part,
      r.version,
    ])
  }
}
