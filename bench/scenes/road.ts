import { lit, type Colour, type Film, type Light } from './light.js'
import type { RenderCamera } from './plan.js'
import { Picture } from './raster.js'
import { RandomStream, cloud, speckle } from './random.js'
import { roadOf } from './traffic.js'
import { kLaneMetres, type Point, type View } from './view.js'

const kUp: Point = [0, 0, 1]
/** Metres: dash and gap of the line between lanes, width of a line, of the kerb, of the pavement behind it. */
const kMarking = { dash: 3, gap: 4.5, wide: 0.12, kerb: 0.16, walk: 2.2 }

/** The empty road as the camera sees it. It is drawn once; every frame starts as a copy. */
export function drawRoad(camera: RenderCamera, name: string, view: View, light: Light, film: Film): Picture {
  const picture = new Picture(view.width, view.height, film)
  const random = new RandomStream(`${name}/road`)
  const ground = new Ground(camera, random)
  const shade = light.sun ? { x: random.between(-3, 3), y: random.between(14, 24) } : undefined
  for (let v = 0; v < view.height; v++) {
    // Two samples per pixel along the diagonal smooth the edges of markings.
    const looks = [0.25, 0.75].map((s) => ({ s, row: view.row(v + s) }))
    for (let u = 0; u < view.width; u++) {
      const sum = [0, 0, 0]
      for (const { s, row } of looks) {
        const spot = row && { x: row.x + row.dx * (u + s), y: row.y + row.dy * (u + s) }
        const colour = spot ? lightOn(ground.albedo(spot.x, spot.y), spot, light, shade) : light.sky
        for (let c = 0; c < 3; c++) sum[c]! += colour[c]! / 2
      }
      const at = (v * view.width + u) * 3
      for (let c = 0; c < 3; c++) picture.rgb[at + c] = film.byte(sum[c]!)
    }
  }
  return picture
}

function lightOn(
  albedo: Colour,
  { x, y }: { x: number; y: number },
  light: Light,
  shade: { x: number; y: number } | undefined,
): Colour {
  // The camera sees the road at a low angle: little light of its own lamp returns.
  let falling = lit(light, kUp, x, y, 0.16)
  if (shade) {
    // The shadow of a tree: blots with soft edges, darker in the middle.
    const near = Math.exp(-(((x - shade.x) / 2.4) ** 2 + ((y - shade.y) / 3.2) ** 2))
    const leaf = Math.min(1, Math.max(0, near * 2.2 * cloud(x * 2.1, y * 1.6, 77) - 0.25))
    falling = falling.map((c) => c * (1 - 0.55 * leaf)) as unknown as Colour
  }
  return [albedo[0] * falling[0], albedo[1] * falling[1], albedo[2] * falling[2]]
}

/** The material of the ground, by position. */
class Ground {
  readonly #lanes: number[]
  readonly #left: number
  readonly #right: number
  readonly #both: boolean
  readonly #salt: number
  readonly #asphalt: number
  readonly #grass: boolean
  readonly #wet: number

  constructor(camera: RenderCamera, random: RandomStream) {
    const { lanes, left, right } = roadOf(camera)
    this.#lanes = lanes
    this.#left = left
    this.#right = right
    this.#both = camera.direction === 'both' && camera.lanes > 1
    this.#salt = random.below(1e6)
    this.#asphalt = random.between(0.13, 0.2)
    this.#grass = random.next() < 0.5
    this.#wet = camera.rain
  }

  albedo(x: number, y: number): Colour {
    const aside = x < this.#left ? this.#left - x : x > this.#right ? x - this.#right : 0
    if (aside > 0) return this.#beside(x, y, aside)
    const salt = this.#salt
    const grain =
      0.8 +
      0.25 * speckle(Math.floor(x * 55), Math.floor(y * 30), salt) +
      0.3 * (cloud(x * 0.7, y * 0.25, salt) - 0.5) +
      0.2 * (cloud(x * 4, y * 2, salt + 1) - 0.5)
    const nearest = this.#lanes.reduce((best, lane) => (Math.abs(x - lane) < Math.abs(x - best) ? lane : best))
    const track = Math.exp(-(((Math.abs(x - nearest) - 0.78) / 0.28) ** 2))
    // Joints and repaired cracks: thin, dark, winding.
    const crack =
      Math.abs(x - 0.9 * (cloud(y * 0.12, 0.5, salt + 2) - 0.5) * 6 + 1) < 0.025 ||
      Math.abs(((y + 0.35 * cloud(x * 0.8, 3, salt)) % 19) - 9) < 0.03
        ? 0.62
        : 1
    const tar = this.#asphalt * grain * (1 - 0.14 * track) * crack * (1 - 0.5 * this.#wet)
    const line = this.#marking(x, y)
    if (line > 0) {
      const worn = 0.62 + 0.25 * cloud(x * 9, y * 3, salt + 3)
      return line === 2 ? [worn * 0.85, worn * 0.62, worn * 0.12] : [worn, worn, worn * 0.98]
    }
    return [tar * 1.02, tar, tar * 0.97]
  }

  /** 0 nothing, 1 white, 2 yellow. */
  #marking(x: number, y: number): 0 | 1 | 2 {
    const near = (at: number) => Math.abs(x - at) < kMarking.wide / 2
    const first = this.#lanes[0]! - kLaneMetres / 2
    const last = this.#lanes.at(-1)! + kLaneMetres / 2
    if (near(first + 0.25) || near(last - 0.25)) return 1
    for (let i = 1; i < this.#lanes.length; i++) {
      const at = first + i * kLaneMetres
      if (this.#both && i === Math.ceil(this.#lanes.length / 2)) {
        if (near(at - 0.12) || near(at + 0.12)) return 2
      } else if (near(at) && y % (kMarking.dash + kMarking.gap) < kMarking.dash) return 1
    }
    return 0
  }

  #beside(x: number, y: number, aside: number): Colour {
    const salt = this.#salt + 9
    if (aside < kMarking.kerb) return [0.42, 0.41, 0.39]
    const rough = 0.75 + 0.5 * cloud(x * 6, y * 3, salt) * speckle(Math.floor(x * 40), Math.floor(y * 20), salt)
    if (aside < kMarking.kerb + kMarking.walk) {
      const joint = y % 1.5 < 0.02 ? 0.7 : 1
      const slab = 0.3 + 0.04 * speckle(Math.floor(y / 1.5), 1, salt)
      return [slab * rough * joint, slab * rough * joint * 0.98, slab * rough * joint * 0.94]
    }
    if (!this.#grass) return [0.2 * rough, 0.17 * rough, 0.13 * rough]
    return [0.075 * rough, 0.12 * rough, 0.035 * rough]
  }
}
