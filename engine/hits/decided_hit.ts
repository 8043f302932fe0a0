import type { Hit } from '../model/hit.js'
import type { OpenPass } from '../passes/pass.js'

/**
 * A revision of a hit, and the point at which it was decided. It is durable, in the log of its partition, before it is
 * published: an engine that processes the same messages again decides the same, however the lists have changed.
 */
export interface DecidedHit {
  hit: Hit
  /** The last message of its camera then, and the life of the stream that this sequence belongs to. */
  seq: number
  epoch: number
  /** The pass, its detections then, and whether it ended. */
  readId: string
  frames: number
  closing: boolean
  /** A sequence of stream HITS behind which it is published. */
  after: number
}

/** A decided hit and its place in the log of the partition. */
export interface PlacedHit {
  decided: DecidedHit
  place: number
}

/** The vehicle of a pass, by its first read: `readId` of all its hits. */
export const vehicleOf = ({ state: { followed, readId } }: OpenPass): string => followed?.readId ?? readId

/**
 * What earlier tenures of a partition decided after its last checkpoint. Their messages come again; at the same points
 * of the same passes the same is decided, and between them nothing.
 */
export class EarlierHits {
  /** By vehicle, in the order of their revisions. */
  private readonly byVehicle = new Map<string, PlacedHit[]>()

  /** @param decided by place in the log, in its order */
  constructor(decided: ReadonlyMap<number, DecidedHit>) {
    for (const [place, one] of decided) {
      const known = this.byVehicle.get(one.hit.readId)
      if (known) known.push({ decided: one, place })
      else this.byVehicle.set(one.hit.readId, [{ decided: one, place }])
    }
  }

  /** Whether something was decided at a later point of this vehicle. */
  has(pass: OpenPass): boolean {
    return this.byVehicle.size > 0 && this.byVehicle.has(vehicleOf(pass))
  }

  /** Takes what was decided at this point of a pass; when it ends, everything that is left. */
  take(pass: OpenPass, closing: boolean): PlacedHit[] {
    const left = this.byVehicle.size > 0 ? this.byVehicle.get(vehicleOf(pass)) : undefined
    if (!left) return []
    const { readId, frames } = pass.state
    const isHere = ({ decided }: PlacedHit) =>
      decided.readId === readId && decided.frames === frames && decided.closing === closing
    const taken = closing ? left : left.slice(0, left.findLastIndex(isHere) + 1)
    this.keep(vehicleOf(pass), left.slice(taken.length))
    return taken
  }

  /**
   * Takes the hits of vehicles whose messages were all applied again and gave no such pass: the camera was removed, the
   * model reads them otherwise, or the stream has another life.
   * @param appliedOf the last message up to which every message of a camera is applied
   */
  takeOverdue(appliedOf: (camera: string) => number, epoch: number): PlacedHit[][] {
    const overdue = [...this.byVehicle].filter(([, hits]) => {
      const { decided } = hits.at(-1)!
      return decided.epoch !== epoch || decided.seq <= appliedOf(decided.hit.camera)
    })
    for (const [vehicle] of overdue) this.byVehicle.delete(vehicle)
    return overdue.map(([, hits]) => hits)
  }

  private keep(vehicle: string, left: PlacedHit[]): void {
    if (left.length > 0) this.byVehicle.set(vehicle, left)
    else this.byVehicle.delete(vehicle)
  }
}
