import type { RenderCamera } from './plan.js'
import { Chance } from './random.js'

/** Metres: x to the right across the road from its middle, y along it away from the camera, z up. */
export type Point = readonly [x: number, y: number, z: number]
/** Pixels of the frame, from its upper left corner. */
export type Pixel = readonly [u: number, v: number]

export const kLaneMetres = 3.5
/** Room of a parked car between the lanes and the kerb, metres. */
export const kParkingMetres = 2.4
/** So wide a road fills the picture, metres. */
const kRoadMetres = 7.4
/** Nothing nearer than this is drawn, metres; the camera looks over it. */
export const kNearest = 3
/** Vehicles come into being and vanish here, metres; the upper edge of the picture is nearer. */
export const kFarthest = 75

/** Where the plate is to be when it is this many pixels wide, for a picture 1280 wide: near the upper edge. */
const kFarPlate = { pixels: 52, row: 0.1, metres: 0.305 }

/** A pinhole camera over the road: a long lens on a pole or a bridge, looking down at the lanes. */
export class View {
  readonly width: number
  readonly height: number
  /** Pixels. */
  readonly focal: number
  readonly at: Point
  readonly #forward: Point
  readonly #right: Point
  readonly #down: Point

  constructor(camera: RenderCamera, name: string) {
    const chance = new Chance(`${name}/view`)
    this.width = camera.width
    this.height = camera.height
    const long = camera.width * chance.between(3.3, 3.7)
    const far = (long * kFarPlate.metres) / kFarPlate.pixels / (camera.width / 1280)
    // A wider road needs a shorter lens: its plates are smaller, as on a real bridge.
    const wide = camera.lanes * kLaneMetres + camera.parked * kParkingMetres
    this.focal = long * Math.min(1, kRoadMetres / wide)
    // One lane is watched from beside it, several from above their middle.
    this.at = [
      camera.lanes === 1 ? chance.of([-1, 1]) * chance.between(0.8, 2.2) : chance.between(-0.6, 0.6),
      0,
      chance.between(3.7, 4.2),
    ]
    const yaw = Math.atan2(-this.at[0], far * 0.7)
    const pitch = Math.atan2(this.at[2] - 0.7, far) + Math.atan2((0.5 - kFarPlate.row) * this.height, this.focal)
    this.#forward = [Math.sin(yaw) * Math.cos(pitch), Math.cos(yaw) * Math.cos(pitch), -Math.sin(pitch)]
    this.#right = [Math.cos(yaw), -Math.sin(yaw), 0]
    this.#down = cross(this.#forward, this.#right)
  }

  /** Where a point is in the picture; points behind the camera have no place. */
  project(p: Point): Pixel | undefined {
    const d: Point = [p[0] - this.at[0], p[1] - this.at[1], p[2] - this.at[2]]
    const depth = dot(d, this.#forward)
    if (depth < 0.5) return undefined
    const k = this.focal / depth
    return [dot(d, this.#right) * k + this.width / 2, dot(d, this.#down) * k + this.height / 2]
  }

  /**
   * The spots of the road along a row of pixels: at column u they are (x + dx u, y + dy u). Undefined above the
   * horizon.
   */
  row(v: number): { x: number; y: number; dx: number; dy: number } | undefined {
    const [f, r, d] = [this.#forward, this.#right, this.#down]
    const b = (v - this.height / 2) / this.focal
    const fall = f[2] + b * d[2]
    if (fall > -1e-4) return undefined
    const t = -this.at[2] / fall
    const [dx, dy] = [(t * r[0]) / this.focal, (t * r[1]) / this.focal]
    return {
      x: this.at[0] + t * (f[0] + b * d[0]) - (dx * this.width) / 2,
      y: this.at[1] + t * (f[1] + b * d[1]) - (dy * this.width) / 2,
      dx,
      dy,
    }
  }
}

export const dot = (a: Point, b: Point): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
export const cross = (a: Point, b: Point): Point => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
]
export function unit(a: Point): Point {
  const length = Math.sqrt(dot(a, a)) || 1
  return [a[0] / length, a[1] / length, a[2] / length]
}
