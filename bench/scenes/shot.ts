import { drawBody, type Drawn } from './body.js'
import { Film, LIGHTS, type Colour, type Light } from './light.js'
import type { RenderCamera } from './plan.js'
import { Picture } from './raster.js'
import { RandomStream } from './random.js'
import { drawRain } from './rain.js'
import { drawRoad } from './road.js'
import { kShapes } from './shapes.js'
import { Lane, parkedCars, placeOf, roadOf, type Vehicle } from './traffic.js'
import { parkingPlace } from './parking.js'
import { View, type Pixel } from './view.js'

/** A plate that is entirely in the picture. */
export interface SeenPlate {
  vehicle: Vehicle
  quad: Pixel[]
  /** Pixels. */
  width: number
}

export interface Shot {
  /** Bytes of the picture, three per pixel, or one when `grey`. */
  pixels: Uint8Array
  grey: boolean
  /** Vehicles that are at least partly in the picture. */
  vehicles: Vehicle[]
  plates: SeenPlate[]
}

/** Least distance from the edge for a plate in view, pixels; largest share of it that may be hidden. */
const kEdge = 3
const kHidden = 0.06
/** Side of the square of noise that is laid over frames, pixels. */
const kNoiseSide = 512

/** One camera of a rendered feed: its frames, one after the other. */
export class Studio {
  readonly camera: RenderCamera
  readonly #name: string
  readonly #view: View
  readonly #light: Light
  readonly #road: Picture
  readonly #picture: Picture
  readonly #lanes: Lane[]
  readonly #parked: { vehicle: Vehicle; drawn: Drawn | undefined }[]
  readonly #noise: Int8Array
  readonly #grey: Uint8Array

  constructor(camera: RenderCamera, seed: number) {
    this.camera = camera
    this.#name = `${seed}/${camera.record.id}`
    this.#view = new View(camera, this.#name)
    this.#light = lightOf(camera)
    const film = new Film(this.#light.exposure)
    this.#road = drawRoad(camera, this.#name, this.#view, this.#light, film)
    this.#picture = new Picture(camera.width, camera.height, film)
    this.#lanes = roadOf(camera).lanes.map((_, i) => new Lane(camera, this.#name, i))
    this.#parked = parkedCars(camera, this.#name).map((vehicle) => ({
      vehicle,
      drawn: drawBody(vehicle, parkingPlace(this.#view, vehicle), this.#view, this.#light),
    }))
    this.#noise = sharedNoise(this.#light.noise)
    this.#grey = new Uint8Array(this.#light.grey ? camera.width * camera.height : 0)
    // A parked vehicle is drawn into the road, but its plate still belongs to the truth.
    for (const { vehicle, drawn } of this.#parked)
      if (drawn) {
        this.#shadow(this.#road, vehicle, parkingPlace(this.#view, vehicle))
        this.#road.lay(drawn.tile)
      }
  }

  get parked(): Vehicle[] {
    return this.#parked.filter(({ drawn }) => drawn).map(({ vehicle }) => vehicle)
  }

  /** The frame of second `t`; times must not decrease. The pixels are valid until the next call. */
  shoot(t: number, frame: number): Shot {
    const { camera } = this
    const picture = this.#picture
    picture.rgb.set(this.#road.rgb)
    const shown: { vehicle: Vehicle; y: number; drawn: Drawn }[] = []
    for (const lane of this.#lanes) {
      for (const vehicle of lane.at(t)) {
        const y = placeOf(vehicle, t, 0)
        const drawn = drawBody(vehicle, y, this.#view, this.#light)
        if (!drawn) continue
        this.#blur(vehicle, y, t, drawn)
        shown.push({ vehicle, y, drawn })
      }
    }
    shown.sort((a, b) => b.y - a.y)
    for (const { vehicle, y } of shown) {
      this.#shadow(picture, vehicle, y)
      this.#cone(picture, vehicle, y)
    }
    for (const { drawn } of shown) picture.lay(drawn.tile)
    for (const { drawn } of shown)
      for (const glow of drawn.glows) picture.glow(glow.u, glow.v, glow.radius, glow.colour)
    const random = new RandomStream(`${this.#name}/frame-${frame}`)
    if (camera.rain > 0) drawRain(picture, camera, this.#light, random)
    const pixels = this.#develop(random)
    const all = [
      ...this.#parked.flatMap(({ vehicle, drawn }) =>
        drawn ? [{ vehicle, y: parkingPlace(this.#view, vehicle), drawn, still: true }] : [],
      ),
      ...shown.map((s) => ({ ...s, still: false })),
    ]
    return {
      pixels,
      grey: this.#light.grey,
      vehicles: all.map((s) => s.vehicle),
      plates: all.flatMap((s, i) =>
        this.#seen(
          s.vehicle,
          s.drawn,
          all.filter((o, k) => k !== i && !o.still && (s.still || o.y < s.y)).map((o) => o.drawn),
        ),
      ),
    }
  }

  #seen(vehicle: Vehicle, { quad }: Drawn, before: Drawn[]): SeenPlate[] {
    if (!quad) return []
    const { width, height } = this.camera
    if (quad.some(([u, v]) => u < kEdge || v < kEdge || u > width - kEdge || v > height - kEdge)) return []
    let hidden = 0
    const [looks, rows] = [10, 5]
    for (let i = 0; i < looks; i++) {
      for (let j = 0; j < rows; j++) {
        const [u, v] = within(quad, (i + 0.5) / looks, (j + 0.5) / rows)
        if (before.some(({ tile }) => tile.hides(u, v) > 0.3)) hidden++
      }
    }
    if (hidden > kHidden * looks * rows) return []
    return [
      {
        vehicle,
        quad,
        width:
          (Math.hypot(quad[1]![0] - quad[0]![0], quad[1]![1] - quad[0]![1]) +
            Math.hypot(quad[2]![0] - quad[3]![0], quad[2]![1] - quad[3]![1])) /
          2,
      },
    ]
  }

  #blur(vehicle: Vehicle, y: number, t: number, drawn: Drawn): void {
    const now = this.#view.project([vehicle.x, y, 0.7])
    const later = this.#view.project([vehicle.x, placeOf(vehicle, t + this.camera.shutter, 0), 0.7])
    if (now && later) drawn.tile.smear(later[0] - now[0], later[1] - now[1])
  }

  /** Darkens the road under and beside a vehicle, with a soft edge. */
  #shadow(picture: Picture, vehicle: Vehicle, y: number): void {
    const shape = kShapes[vehicle.shape]
    const half = shape.width / 2
    const end = y + shape.length
    const under =
      (soft: number, x0: number, x1: number, y0: number) =>
      (x: number, at: number): number => {
        const aside = x < x0 ? x0 - x : x > x1 ? x - x1 : 0
        const along = at < y0 ? y0 - at : at > end ? at - end : 0
        if (aside === 0 && along === 0) return 1
        const away = Math.sqrt(aside * aside + along * along)
        return away >= soft ? 0 : (1 - away / soft) * (1 - away / soft)
      }
    const { sun } = this.#light
    if (sun) {
      const [dx, dy] = [(-sun.from[0] / sun.from[2]) * shape.belt, (-sun.from[1] / sun.from[2]) * shape.belt]
      picture.shade(
        this.#view,
        [vehicle.x - half + Math.min(0, dx) - 0.2, vehicle.x + half + Math.max(0, dx) + 0.2],
        [y + Math.min(0, dy) - 0.2, y + shape.length + 0.2],
        [0.36, 0.4, 0.47],
        under(0.14, vehicle.x - half + Math.min(0, dx), vehicle.x + half + Math.max(0, dx), y + Math.min(0, dy)),
      )
    }
    picture.shade(
      this.#view,
      [vehicle.x - half - 0.3, vehicle.x + half + 0.3],
      [y - 0.3, y + shape.length + 0.3],
      [0.16, 0.16, 0.16],
      under(0.45, vehicle.x - half + 0.12, vehicle.x + half - 0.12, y + 0.15),
    )
  }

  /** Light of head lamps on the road before an approaching vehicle, or of tail lamps behind a receding one. */
  #cone(picture: Picture, vehicle: Vehicle, y: number): void {
    if (!vehicle.lampsOn || this.#light.sun) return
    const front = vehicle.going === 'approaching'
    const strength = this.#light.grey ? 0.15 : front ? (this.#light.lamps * 4) / (1 + this.#light.sky[1] * 40) : 0.25
    const long = front ? 14 : 1.5
    const share = (x: number, at: number): number => {
      const ahead = y - at
      if (ahead <= 0) return 0
      const wide = front ? 0.8 + 0.09 * ahead : 0.9
      return Math.min(1, ahead / (front ? 1.2 : 0.2)) * Math.exp(-(((x - vehicle.x) / wide) ** 2) - (ahead * 4) / long)
    }
    picture.shade(
      this.#view,
      [vehicle.x - 3, vehicle.x + 3],
      [Math.max(5, y - long), y],
      front
        ? [1 + strength, 1 + strength * 0.95, 1 + strength * 0.82]
        : [1 + strength * 5, 1 + strength * 0.3, 1 + strength * 0.2],
      share,
    )
  }

  /** Adds the sensor's noise; for a camera without colours, converts to grey. */
  #develop(random: RandomStream): Uint8Array {
    const { rgb, width, height } = this.#picture
    const shift = random.below(kNoiseSide * kNoiseSide)
    const mask = kNoiseSide * kNoiseSide - 1
    const noise = this.#noise
    const grey = this.#light.grey
    for (let y = 0, i = 0; y < height; y++) {
      // The rows of the square do not align with those of the picture, to avoid a visible pattern.
      let n = (shift + y * (kNoiseSide + 37) * 11) & mask
      for (let x = 0; x < width; x++, i++) {
        const add = noise[n++ & mask]!
        const at = i * 3
        if (grey) this.#grey[i] = clamp(((rgb[at]! * 77 + rgb[at + 1]! * 151 + rgb[at + 2]! * 28) >> 8) + add)
        else {
          rgb[at] = clamp(rgb[at]! + add)
          rgb[at + 1] = clamp(rgb[at + 1]! + add)
          rgb[at + 2] = clamp(rgb[at + 2]! + add)
        }
      }
    }
    return grey ? this.#grey : rgb
  }
}

/** Clouds and rain remove the sun and darken everything a little. */
function lightOf(camera: RenderCamera): Light {
  const light = LIGHTS[camera.light]
  if (camera.rain === 0 || !light.sun) return light
  const { sun, ...rest } = light
  return camera.rain < 0.15
    ? { ...rest, sun: { ...sun, colour: sun.colour.map((c) => c * 0.35) as unknown as Colour } }
    : { ...rest, exposure: light.exposure * 1.35, noise: light.noise * 1.3 }
}

const squares = new Map<number, Int8Array>()

/** Cameras under the same light share a square of noise: forty separate ones would hold ten megabytes. */
function sharedNoise(steps: number): Int8Array {
  const known = squares.get(steps)
  if (known) return known
  const random = new RandomStream(`noise-${steps}`)
  const square = new Int8Array(kNoiseSide * kNoiseSide)
  let last = 0
  for (let i = 0; i < square.length; i++) {
    // A mean of a few is nearly normal; a share of the neighbour yields the grain of a real sensor's pipeline.
    const bell = (random.next() + random.next() + random.next() - 1.5) * 2
    last = 0.3 * last + 0.95 * bell
    square[i] = Math.max(-120, Math.min(120, Math.round(last * steps)))
  }
  squares.set(steps, square)
  return square
}

function within(quad: readonly Pixel[], s: number, t: number): Pixel {
  const mix = (c: 0 | 1) =>
    (quad[0]![c] * (1 - s) + quad[1]![c] * s) * (1 - t) + (quad[3]![c] * (1 - s) + quad[2]![c] * s) * t
  return [mix(0), mix(1)]
}

const clamp = (value: number): number => (value < 0 ? 0 : Math.min(value, 255))
