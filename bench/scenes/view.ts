import type { RenderCamera } from './plan.js'
import { RandomStream } from './random.js'

/** Metres: x across the road to the right of its middle, y along it away from the camera, z up. */
export type Point = readonly [x: number, y: number, z: number]
/** Pixels of the frame, from its upper left corner. */
export type Pixel = readonly [u: number, v: number]

export const kLaneMetres = 3.5
/** Width of the parking lane between the traffic lanes and the kerb, metres. */
export const kParkingMetres = 2.4
/** Width of the road that fills the picture, metres. */
const kRoadMetres = 7.4
/** Nearest distance that is drawn, metres; the camera's view starts beyond it. */
export const kNearest = 3
/** Distance at which vehicles appear and vanish, metres; the upper edge of the picture is nearer. */
export const kFarthest = 75

/** A plate of `metres` that is `pixels` wide (in a picture 1280 wide) is at `row` of the picture's height. */
const kFarPlate = { pixels: 52, row: 0.1, metres: 0.305 }

/** A pinhole camera above the road: a long lens on a pole or a bridge, directed down at the lanes. */
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
    const random = new RandomStream(`${name}/view`)
    this.width = camera.width
    this.height = camera.height
    const long = camera.width * random.between(3.3, 3.7)
    const far = (long * kFarPlate.metres) / kFarPlate.pixels / (camera.width / 1280)
    // A wider road needs a shorter lens; its plates are smaller, as from a real bridge.
    const wide = camera.lanes * kLaneMetres + camera.parked * kParkingMetres
    this.focal = long * Math.min(1, kRoadMetres / wide)
    // A single lane is watched from beside it, several lanes from above their middle.
    this.at = [
      camera.lanes === 1 ? random.of([-1, 1]) * random.between(0.8, 2.2) : random.between(-0.6, 0.6),
      0,
      random.between(3.7, 4.2),
    ]
    const yaw = Math.atan2(-this.at[0], far * 0.7)
    const pitch = Math.atan2(this.at[2] - 0.7, far) + Math.atan2((0.5 - kFarPlate.row) * this.height, this.focal)
    this.#forward = [Math.sin(yaw) * Math.cos(pitch), Math.cos(yaw) * Math.cos(pitch), -Math.sin(pitch)]
    this.#right = [Math.cos(yaw), -Math.sin(yaw), 0]
    this.#down = cross(this.#forward, this.#right)
  }

  /** The position of a point in the picture; undefined behind the camera. */
  project(p: Point): Pixel | undefined {
    const d: Point = [p[0] - this.at[0], p[1] - this.at[1], p[2] - this.at[2]]
    const depth = dot(d, this.#forward)
    if (depth < 0.5) return undefined
    const k = this.focal / depth
    return [dot(d, this.#right) * k + this.width / 2, dot(d, this.#down) * k + this.height / 2]
  }

  /**
   * The points of the road along a row of pixels: at column u the point (x + dx u, y + dy u). Undefined above the
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
