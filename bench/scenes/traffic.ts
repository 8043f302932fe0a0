import { drawPlate, type Art } from './plate_art.js'
import type { RenderCamera } from './plan.js'
import { RandomStream } from './random.js'
import { drawSerial, type Serial } from './serials.js'
import { kShapes, type ShapeName } from './shapes.js'
import type { Colour } from './light.js'
import { kFarthest, kLaneMetres, kNearest, kParkingMetres } from './view.js'

/** A passing or parked vehicle. Its near end, which the camera sees, is `y` metres away. */
export interface Vehicle {
  shape: ShapeName
  /** Position of the vehicle's centre across the road, metres. */
  x: number
  going: 'approaching' | 'receding' | 'parked'
  /** Metres per second; 0 when parked. */
  speed: number
  /** Second at which it appears. */
  from: number
  paint: Colour
  /** Absent for a vehicle without a plate. */
  serial?: Serial
  art?: Art
  lampsOn: boolean
  braking: boolean
}

/** Least distance between the near ends of two vehicles in a lane, seconds. */
const kGapSeconds = 1.6
const kPaints: readonly Colour[] = [
  [0.72, 0.73, 0.74],
  [0.4, 0.41, 0.42],
  [0.18, 0.185, 0.19],
  [0.03, 0.03, 0.035],
  [0.045, 0.07, 0.17],
  [0.3, 0.03, 0.035],
  [0.1, 0.13, 0.1],
  [0.36, 0.32, 0.26],
]

export const placeOf = (vehicle: Vehicle, t: number, parkedAt: number): number => {
  if (vehicle.going === 'parked') return parkedAt
  const way = vehicle.speed * (t - vehicle.from)
  return vehicle.going === 'receding' ? kNearest + way : kFarthest - way
}

/** Widths of the road's parts, and positions of its lanes. */
export function roadOf(camera: RenderCamera): { lanes: number[]; left: number; right: number } {
  const wide = camera.lanes * kLaneMetres
  const left = -wide / 2 - (camera.parked > 1 ? kParkingMetres : 0)
  const right = wide / 2 + (camera.parked > 0 ? kParkingMetres : 0)
  const middle = (left + right) / 2
  return {
    lanes: Array.from({ length: camera.lanes }, (_, i) => -wide / 2 + (i + 0.5) * kLaneMetres - middle),
    left: left - middle,
    right: right - middle,
  }
}

/**
 * The vehicles of one lane, one after the other, forever. None overtakes: a vehicle that would catch up drives as fast
 * as the one ahead.
 */
export class Lane {
  readonly #camera: RenderCamera
  readonly #random: RandomStream
  readonly #x: number
  readonly #going: 'approaching' | 'receding'
  #next: Vehicle | undefined
  #last = { from: -Infinity, until: -Infinity }
  readonly #here: Vehicle[] = []

  constructor(camera: RenderCamera, name: string, index: number) {
    this.#camera = camera
    this.#random = new RandomStream(`${name}/lane-${index}`)
    this.#x = roadOf(camera).lanes[index]!
    // Traffic keeps to the right: seen along the road, approaching vehicles have the left half.
    this.#going =
      camera.direction === 'both' ? (index < camera.lanes / 2 ? 'approaching' : 'receding') : camera.direction
    // Traffic starts before the first frame, so that a feed does not start with an empty road.
    this.#next = camera.traffic > 0 ? this.#make(-(kFarthest - kNearest) / camera.speed[0]) : undefined
  }

  /** Vehicles on the road at second `t`; times must not decrease. */
  at(t: number): readonly Vehicle[] {
    while (this.#next && this.#next.from <= t) {
      this.#here.push(this.#next)
      this.#next = this.#make(this.#next.from)
    }
    const length = kFarthest - kNearest
    while (this.#here.length > 0 && (t - this.#here[0]!.from) * this.#here[0]!.speed > length) this.#here.shift()
    return this.#here
  }

  #make(after: number): Vehicle {
    const random = this.#random
    const {
      speed: [least, most],
      traffic,
    } = this.#camera
    const mean = 60 / traffic
    const from = Math.max(
      this.#last.from + kGapSeconds,
      after - Math.log(1 - random.next()) * Math.max(0.01, mean - kGapSeconds),
    )
    const length = kFarthest - kNearest
    const room = this.#last.until + kGapSeconds - from
    const speed = Math.min(random.between(least, most), room > 0 ? length / room : Infinity)
    this.#last = { from, until: from + length / speed }
    return {
      ...drawVehicle(this.#camera, random, this.#x + random.between(-0.25, 0.25)),
      going: this.#going,
      speed,
      from,
    }
  }
}

/** Parked cars: on the right, then on the left. */
export function parkedCars(camera: RenderCamera, name: string): Vehicle[] {
  const { left, right } = roadOf(camera)
  return Array.from({ length: camera.parked }, (_, i) => {
    const random = new RandomStream(`${name}/parked-${i}`)
    return {
      ...drawVehicle(camera, random, i === 0 ? right - 1.15 : left + 1.15),
      lampsOn: false,
      going: 'parked' as const,
      speed: 0,
      from: 0,
    }
  })
}

function drawVehicle(camera: RenderCamera, random: RandomStream, x: number): Omit<Vehicle, 'going' | 'speed' | 'from'> {
  const shape = random.of(Object.keys(kShapes) as ShapeName[])
  const paint = random.of(kPaints)
  const bare = random.next() < camera.noPlate
  const serial = drawSerial(camera.plates, random)
  const braking = random.next() < 0.15
  return { shape, x, paint, ...(!bare && { serial }), lampsOn: camera.headlights, braking }
}

/** The plate of a vehicle, drawn when it is first needed: most vehicles of a long feed appear later. */
export const artOf = (vehicle: Vehicle): Art | undefined =>
  vehicle.serial ? (vehicle.art ??= drawPlate(vehicle.serial)) : undefined
