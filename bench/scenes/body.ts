import { lit, type Colour, type Light } from './light.js'
import { boundsOf, Tile } from './raster.js'
import { halfWidth, kShapes, type End, type Shape } from './shapes.js'
import { artOf, type Vehicle } from './traffic.js'
import { cross, dot, unit, type Pixel, type Point, type View } from './view.js'

/** A visible lamp: its position and radius in pixels, and its light. */
export interface Glow {
  u: number
  v: number
  radius: number
  colour: Colour
}

export interface Drawn {
  tile: Tile
  /** Corners of the plate, clockwise from its upper left; absent for a vehicle without one. */
  quad?: Pixel[]
  glows: Glow[]
}

/** How much of a body's corners is cut off, metres across and into the vehicle. */
const kCorner = { across: 0.24, into: 0.2 }
/**
 * Overlap of surfaces, pixels: where two meet, each covers its pixels in part, and the road would shine through.
 */
const kSeam = 0.8
const kHeadLamp: Colour = [1, 0.95, 0.82]
const kTailLamp: Colour = [1, 0.05, 0.03]
/** Light that a plate reflects to a lamp at the camera, relative to a matt white wall. */
const kReflex = 4.5

type Face = {
  points: Point[]
  part: End['parts'][number] | 'tyre' | 'grille' | 'line' | 'lens'
  upper?: Colour
  glow?: Colour
}

/** Draws a vehicle whose near end is `y` metres away; undefined when it is outside the picture. */
export function drawBody(vehicle: Vehicle, y: number, view: View, light: Light): Drawn | undefined {
  const shape = kShapes[vehicle.shape]
  const end = vehicle.going === 'approaching' ? shape.front : shape.rear
  const top = Math.max(...end.profile.map(([, up]) => up))
  const place = (x: number, into: number, up: number): Point => [vehicle.x + x, y + into, up]
  const hull = [-1, 1].flatMap((side) =>
    [
      [0, 0.2],
      [0, top],
      [shape.length, 0.2],
      [shape.length, top],
    ].map(([into, up]) => view.project(place((side * shape.width) / 2, into!, up!))),
  )
  if (hull.some((p) => !p)) return undefined
  const bounds = boundsOf(hull as Pixel[], 3, view.width, view.height)
  if (!bounds) return undefined
  const tile = new Tile(bounds)
  const brush = new Brush(tile, view, light, vehicle, y)
  const faces = facesOf(shape, end, place, view.at[0] - vehicle.x, top)
  for (const face of faces) brush.face(face, kSeam)
  for (const face of detailsOf(shape, end, vehicle, place)) brush.face(face)
  const quad = brush.plate(end.plate, place)
  return { tile, ...(quad && { quad }), glows: glowsOf(shape, end, vehicle, place, view, light, y) }
}

function facesOf(
  shape: Shape,
  end: End,
  place: (x: number, into: number, up: number) => Point,
  aside: number,
  top: number,
): Face[] {
  const deck = halfWidth(shape, shape.belt, top)
  // The far half, lower than the roof: only its upper side is visible.
  const faces: Face[] = [
    {
      points: [
        place(-deck, shape.length - 0.2, shape.belt),
        place(deck, shape.length - 0.2, shape.belt),
        place(deck, 1, shape.belt),
        place(-deck, 1, shape.belt),
      ],
      part: 'roof',
    },
  ]
  for (const side of [-1, 1]) if (side * aside > shape.width * 0.45) faces.push(...sideOf(shape, side, place, top))
  const steps = end.parts.map((part, i) => ({ part, from: end.profile[i]!, to: end.profile[i + 1]! }))
  for (const { part, from, to } of steps.reverse()) {
    const [w0, w1] = [halfWidth(shape, from[1], top), halfWidth(shape, to[1], top)]
    const cut = from[1] < shape.belt + 0.05 ? kCorner : { across: kCorner.across * 0.35, into: kCorner.into * 0.5 }
    for (const side of [-1, 1]) {
      const corner: Point[] = [
        place(side * (w1 - cut.across), to[0], to[1]),
        place(side * w1, to[0] + cut.into, to[1]),
        place(side * w0, from[0] + cut.into, from[1]),
        place(side * (w0 - cut.across), from[0], from[1]),
      ]
      faces.push({
        points: side > 0 ? corner : [corner[1]!, corner[0]!, corner[3]!, corner[2]!],
        part: part === 'glass' ? 'body' : part,
      })
    }
    const [a, b] = [w0 - cut.across, w1 - cut.across]
    faces.push({
      points: [
        place(-b, to[0], to[1]),
        place(b, to[0], to[1]),
        place(a, from[0], from[1]),
        place(-a, from[0], from[1]),
      ],
      part,
    })
  }
  return faces
}

/** The long side, when the camera sees it: wheels, doors, windows. */
function sideOf(
  shape: Shape,
  side: number,
  place: (x: number, into: number, up: number) => Point,
  top: number,
): Face[] {
  const w = shape.width / 2
  const long = shape.length
  const quad = (into0: number, into1: number, low: number, high: number, at0: number, at1: number): Point[] => {
    const points = [
      place(side * at1, into0, high),
      place(side * at1, into1, high),
      place(side * at0, into1, low),
      place(side * at0, into0, low),
    ]
    return side > 0 ? points : [points[1]!, points[0]!, points[3]!, points[2]!]
  }
  const roof = w * shape.roof
  const faces: Face[] = [
    { points: quad(kCorner.into, long - 0.2, 0.28, shape.belt, w, w), part: 'body' },
    { points: quad(1.0, long * 0.72, shape.belt, top, w * 0.99, roof), part: 'body' },
    { points: quad(1.15, long * 0.68, shape.belt + 0.04, top - 0.08, w * 0.985, roof * 1.02), part: 'glass' },
    { points: quad(kCorner.into, long - 0.2, 0.2, 0.3, w, w), part: 'skirt' },
  ]
  for (const into of [0.8, long - 0.9]) {
    const wheel = Array.from(
      { length: 12 },
      (_, i): Point =>
        place(side * (w + 0.01), into + 0.33 * Math.cos((i * Math.PI) / 6), 0.33 + 0.33 * Math.sin((i * Math.PI) / 6)),
    )
    faces.push({ points: wheel, part: 'tyre' })
  }
  return faces
}

/** Details of the near end: tyres, lamps, grille, the line of the lid, the recess of the plate. */
function detailsOf(
  shape: Shape,
  end: End,
  vehicle: Vehicle,
  place: (x: number, into: number, up: number) => Point,
): Face[] {
  const w = shape.width / 2
  const flat = (x0: number, x1: number, low: number, high: number, into = -0.01): Point[] => [
    place(x0, into, high),
    place(x1, into, high),
    place(x1, into, low),
    place(x0, into, low),
  ]
  const faces: Face[] = []
  for (const side of [-1, 1])
    faces.push({ points: flat(side * w * 0.9 - 0.11, side * w * 0.9 + 0.11, 0, 0.3, 0.35), part: 'tyre' })
  const front = vehicle.going === 'approaching'
  const [low, high, wide] = end.lamps
  if (front) {
    faces.push({ points: flat(-w * 0.42, w * 0.42, low - 0.01, high - 0.01, -0.005), part: 'grille' })
    faces.push({ points: flat(-w * 0.62, w * 0.62, 0.24, 0.34, 0), part: 'grille' })
  } else {
    faces.push({ points: flat(-w * 0.9, w * 0.9, 0.52, 0.545, 0), part: 'line' })
    if (end.plate > 0.6) faces.push({ points: flat(-0.34, 0.34, end.plate - 0.11, end.plate + 0.12), part: 'line' })
  }
  const on = vehicle.lampsOn || (!front && vehicle.braking)
  for (const side of [-1, 1]) {
    const outer = side * (w - 0.05)
    const inner = side * (w - wide)
    const points = [
      place(Math.min(outer, inner), side < 0 ? 0.13 : -0.012, high),
      place(Math.max(outer, inner), side > 0 ? 0.13 : -0.012, high),
      place(Math.max(outer, inner), side > 0 ? 0.13 : -0.012, low),
      place(Math.min(outer, inner), side < 0 ? 0.13 : -0.012, low),
    ]
    faces.push({
      points,
      part: 'lens',
      upper: front ? [0.5, 0.52, 0.54] : [0.34, 0.03, 0.03],
      ...(on && { glow: front ? kHeadLamp : vehicle.braking ? kTailLamp : ([0.4, 0.02, 0.012] as Colour) }),
    })
  }
  return faces
}

function glowsOf(
  shape: Shape,
  end: End,
  vehicle: Vehicle,
  place: (x: number, into: number, up: number) => Point,
  view: View,
  light: Light,
  y: number,
): Glow[] {
  const front = vehicle.going === 'approaching'
  if (!vehicle.lampsOn && (front || !vehicle.braking)) return []
  const strength = light.lamps * (front ? 1 : vehicle.braking ? 0.35 : 0.12) * (light.grey ? 0.6 : 1)
  const size = (view.focal / Math.max(5, y)) * (front ? 1.0 : 0.55) * (light.sun ? 0.5 : 1)
  return [-1, 1].flatMap((side) => {
    const p = view.project(
      place(side * (shape.width / 2 - end.lamps[2] / 2 - 0.02), -0.02, (end.lamps[0] + end.lamps[1]) / 2),
    )
    return p
      ? [
          {
            u: p[0],
            v: p[1],
            radius: size,
            colour: (front ? kHeadLamp : kTailLamp).map(
              (c) => (c * strength * 2.2) / light.exposure,
            ) as unknown as Colour,
          },
        ]
      : []
  })
}

class Brush {
  constructor(
    readonly tile: Tile,
    readonly view: View,
    readonly light: Light,
    readonly vehicle: Vehicle,
    readonly y: number,
  ) {}

  face({ points, part, upper, glow }: Face, grow = 0): void {
    const at = points.map((p) => this.view.project(p))
    if (at.some((p) => !p)) return
    const normal = unit(cross(minus(points[3]!, points[0]!), minus(points[1]!, points[0]!)))
    const eye = unit(minus(this.view.at, points[0]!))
    // The corners of a disc (a wheel) do not show which side is outside.
    const tilt = part === 'tyre' ? Math.abs(dot(normal, eye)) : dot(normal, eye)
    if (tilt < 0.005) return
    const light = lit(this.light, tilt < 0 ? times(normal, -1) : normal, points[0]![0], points[0]![1], tilt)
    const [bright, dark] = this.#colours(part, normal, light, upper)
    const shine: Colour = glow ? times(glow, (this.light.lamps * 3) / this.light.exposure + 0.4) : [0, 0, 0]
    this.tile.fill(grow > 0 ? grown(at as Pixel[], grow) : (at as Pixel[]), plus(bright, shine), plus(dark, shine))
  }

  #colours(part: Face['part'], normal: Point, light: Colour, upper?: Colour): [Colour, Colour] {
    const sky = this.light.sky
    const { paint } = this.vehicle
    switch (part) {
      case 'body':
      case 'roof': {
        // Lacquer reflects the sky above and the road below.
        const mirror = 0.025 + 0.1 * Math.max(0, normal[2])
        const base = times2(paint, light)
        return [plus(times(base, 1.08), times(sky, mirror)), plus(times(base, 0.78), times(sky, mirror * 0.3))]
      }
      case 'glass':
        return [plus(times(light, 0.02), times(sky, 0.2)), plus(times(light, 0.015), times(sky, 0.04))]
      case 'skirt':
        return [times(light, 0.055), times(light, 0.028)]
      case 'tyre':
        return [times(light, 0.016), times(light, 0.008)]
      case 'grille':
        return [times(light, 0.035), times(light, 0.02)]
      case 'line':
        return [times2(times(paint, 0.5), light), times2(times(paint, 0.42), light)]
      case 'lens':
        return [times2(upper!, light), times(times2(upper!, light), 0.75)]
    }
  }

  /** Draws the plate, a little in front of the body. @returns its corners in the picture */
  plate(middle: number, place: (x: number, into: number, up: number) => Point): Pixel[] | undefined {
    const art = artOf(this.vehicle)
    if (!art) return undefined
    const [w, h] = [art.width / 2, art.height / 2]
    const quad = [
      place(-w, -0.03, middle + h),
      place(w, -0.03, middle + h),
      place(w, -0.03, middle - h),
      place(-w, -0.03, middle - h),
    ].map((p) => this.view.project(p))
    if (quad.some((p) => !p)) return undefined
    const rear = this.vehicle.going !== 'approaching'
    const light = lit({ ...this.light, flash: this.light.flash * kReflex }, [0, -1, 0], this.vehicle.x, this.y, 1)
    // Rear plates have a lamp of their own, as the law requires; at night it is most of their light.
    const lamp = rear && this.vehicle.lampsOn ? 0.5 / this.light.exposure : 0
    // Retro-reflective sheeting returns the light of following vehicles, and of the sky behind the camera, a little
    // better than paint does.
    this.tile.lay(art, quad as Pixel[], plus(times(light, 1.15), [lamp, lamp * 0.96, lamp * 0.88]))
    return quad as Pixel[]
  }
}

/** A convex polygon with its corners moved outwards by `pixels`. */
function grown(points: Pixel[], pixels: number): Pixel[] {
  const [cu, cv] = [0, 1].map((c) => points.reduce((sum, p) => sum + p[c]!, 0) / points.length) as [number, number]
  return points.map(([u, v]) => {
    const k = 1 + pixels / Math.max(1, Math.sqrt((u - cu) ** 2 + (v - cv) ** 2))
    return [cu + (u - cu) * k, cv + (v - cv) * k]
  })
}

const minus = (a: Point, b: Point): Point => [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
const plus = (a: Colour, b: Colour): Colour => [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
const times = (a: Colour, k: number): Colour => [a[0] * k, a[1] * k, a[2] * k]
const times2 = (a: Colour, b: Colour): Colour => [a[0] * b[0], a[1] * b[1], a[2] * b[2]]
