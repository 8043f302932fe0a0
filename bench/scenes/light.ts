import type { LightName } from './plan.js'
import { dot, unit, type Point } from './view.js'

export type Colour = readonly [red: number, green: number, blue: number]

/** The light on a scene, linear: 1 is what a white wall reflects under an open sky by day. */
export interface Light {
  /** Direction of the sun; absent without one. */
  sun?: { from: Point; colour: Colour }
  /** Light from above, and from the ground. */
  sky: Colour
  ground: Colour
  /** Light under a street lamp; 0 without street lamps. */
  street: number
  /** Light of an infra-red lamp at the camera, at 10 m; it falls with the square of the distance. 0 without a lamp. */
  flash: number
  /** Brightness of the vehicles' lamps relative to the scene. */
  lamps: number
  /** Factor of the lens, before the curve of the film. */
  exposure: number
  /** Noise of the sensor, in units of a byte. */
  noise: number
  grey: boolean
}

export const LIGHTS: Record<LightName, Light> = {
  day: {
    sun: { from: unit([-0.55, -0.5, 0.62]), colour: [0.95, 0.88, 0.76] },
    sky: [0.52, 0.58, 0.66],
    ground: [0.16, 0.15, 0.14],
    street: 0,
    flash: 0,
    lamps: 0.6,
    exposure: 1.25,
    noise: 1.6,
    grey: false,
  },
  dusk: {
    sky: [0.135, 0.145, 0.21],
    ground: [0.05, 0.045, 0.05],
    street: 0.05,
    flash: 0,
    lamps: 0.7,
    exposure: 5.2,
    noise: 3,
    grey: false,
  },
  night: {
    sky: [0.01, 0.011, 0.016],
    ground: [0.005, 0.005, 0.005],
    street: 0.08,
    flash: 0,
    lamps: 0.7,
    exposure: 9,
    noise: 5,
    grey: false,
  },
  'infra-red': {
    sky: [0.004, 0.004, 0.004],
    ground: [0.002, 0.002, 0.002],
    street: 0,
    flash: 0.5,
    lamps: 0.12,
    exposure: 3.2,
    noise: 4,
    grey: true,
  },
}

/** Distance between street lamps, metres; the first one is at half of it. Their light is that of sodium. */
export const kStreetLamps = { every: 26, first: 14, reach: 11, colour: [1.0, 0.8, 0.52] as Colour }

/** Street light at a point of the road, as a share of the light under a lamp. */
export function streetLight(x: number, y: number): number {
  const along = Math.abs(
    ((((y - kStreetLamps.first) % kStreetLamps.every) + kStreetLamps.every * 1.5) % kStreetLamps.every) -
      kStreetLamps.every / 2,
  )
  return 0.3 + 0.7 * Math.exp(-(along * along + (x - 3) * (x - 3) * 0.5) / (kStreetLamps.reach * kStreetLamps.reach))
}

/**
 * Light that a matt surface of albedo 1 with this normal reflects, at a distance from the camera (metres).
 * @param tilt cosine of its angle to the camera
 */
export function lit(light: Light, normal: Point, x: number, y: number, tilt: number): Colour {
  const up = 0.5 + 0.5 * normal[2]
  const sun = light.sun ? Math.max(0, dot(normal, light.sun.from)) : 0
  const street = light.street * streetLight(x, y) * (0.45 + 0.55 * Math.max(0, normal[2]))
  const flash = light.flash * Math.max(0, tilt) * (100 / Math.max(9, x * x + y * y))
  return [0, 1, 2].map(
    (c) =>
      light.sky[c]! * up +
      light.ground[c]! * (1 - up) +
      (light.sun ? light.sun.colour[c]! * sun : 0) +
      street * kStreetLamps.colour[c]! +
      flash,
  ) as unknown as Colour
}

const kSteps = 4_096
const kBrightest = 8

/** The film: converts linear light to a byte of the picture and back, by tables. */
export class Film {
  readonly #byte = new Uint8Array(kSteps + 1)
  /** Linear light of each byte. */
  readonly linear = new Float32Array(256)

  constructor(readonly exposure: number) {
    // The steps are closest in the dark, where the curve is steep.
    for (let i = 0; i <= kSteps; i++) this.#byte[i] = Math.round(255 * tone((i / kSteps) ** 2 * kBrightest))
    for (let i = 0; i < 256; i++) this.linear[i] = -Math.log(1 - Math.min(0.9985, (i / 255) ** 2.2)) / exposure
  }

  byte(light: number): number {
    const x = light * this.exposure
    return x <= 0 ? 0 : this.#byte[x >= kBrightest ? kSteps : Math.round(Math.sqrt(x / kBrightest) * kSteps)]!
  }
}

const tone = (x: number): number => (1 - Math.exp(-x)) ** (1 / 2.2)
