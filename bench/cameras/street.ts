import { headers } from 'nats'
import { detectionsSubject, HEADER } from '../../engine/mod.js'
import { PublishWindow } from '../system/publish_window.js'
import type { BenchSystem } from '../system/system.js'

export const idOf = (n: number) => `cam-${n}`

/** A vehicle in the picture of a camera, pixels. */
interface Vehicle {
  plate: string
  x: number
  y: number
  width: number
  /** Pixels from message to message. */
  step: number
  /** Messages that will show it. */
  left: number
}

/** Messages that show a vehicle that drives through. */
const kMessages = 3
/** Letters and digits of a plate that vary. */
const kLetters = 'ABCDEFGHJKLMNPRSTUVWXYZ'

/** What cameras report: vehicles with plates, places and confidences of their own, as real ones have. */
export class Street {
  private readonly passingNow = new Map<number, Vehicle>()

  /** @param random numbers from 0 (included) to 1 (excluded) */
  constructor(private readonly random: () => number) {}

  /** Vehicles ten minutes apart, of which the last one parks. @param until time of the last, ms */
  parked(until: number, vehicles: number): object[] {
    return Array.from({ length: vehicles }, (_, n) =>
      this.detection(this.vehicle(), until - (vehicles - 1 - n) * 600_000),
    )
  }

  /** The next message of a camera past which vehicles drive. */
  passing(camera: number, at: number): object[] {
    const last = this.passingNow.get(camera)
    const vehicle =
      last && last.left > 0 ? { ...last, x: last.x + last.step, left: last.left - 1 } : this.vehicle(kMessages - 1)
    this.passingNow.set(camera, vehicle)
    return [this.detection(vehicle, at)]
  }

  private vehicle(left = 0): Vehicle {
    const { random } = this
    const letter = () => kLetters[Math.floor(random() * kLetters.length)]!
    const width = 80 + 60 * random()
    return {
      plate: `${Math.floor(random() * 10)}${letter()}${letter()}${letter()}${100 + Math.floor(random() * 900)}`,
      x: 1_200 * random(),
      y: 600 * random(),
      width,
      step: width * random(),
      left,
    }
  }

  private detection({ plate, x, y, width }: Vehicle, at: number): object {
    const height = width / 3
    const corners = [
      [x, y],
      [x + width, y],
      [x + width, y + height],
      [x, y + height],
    ]
    return {
      capturedAt: new Date(at).toISOString(),
      plate,
      confidence: Math.round(1e4 * (0.85 + 0.15 * this.random())) / 1e4,
      quad: corners.map((corner) => corner.map((pixels) => Math.round(10 * pixels) / 10)),
    }
  }
}

/** A message of each of the cameras `from` to `to` - 1. */
export async function sendEach(
  system: BenchSystem,
  from: number,
  to: number,
  detectionsOf: (camera: number) => object[],
): Promise<void> {
  const js = system.connection.jetstream()
  const window = new PublishWindow()
  for (let n = from; n < to; n++) {
    const header = headers()
    header.set(HEADER.msgId, `${idOf(n)}-${performance.now()}`)
    const body = JSON.stringify(detectionsOf(n))
    window.add(js.publish(detectionsSubject(idOf(n)), body, { headers: header, timeout: 30_000 }))
    const wait = window.room(256)
    if (wait) await wait
  }
  await window.drained()
}
