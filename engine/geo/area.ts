import { Type, type Static } from '@sinclair/typebox'
import { AlprError } from '../errors.js'
import { CAMERA_ID } from '../model/camera.js'
import { atOnce, type Sliced } from '../runtime/slices.js'

/** Mean radius of the earth, metres. */
export const EARTH_M = 6_371_008.8
/** Corners of one polygon, areas of one question, cameras of one area. */
const MAX_CORNERS = 2_000
const MAX_AREAS = 16
const MAX_CAMERAS = 1_000

const strict = { additionalProperties: false }
const Lat = Type.Number({ minimum: -90, maximum: 90, description: 'degrees, WGS 84' })
const Lon = Type.Number({ minimum: -180, maximum: 180, description: 'degrees, WGS 84' })

export const AreaSchema = Type.Union([
  Type.Object(
    {
      circle: Type.Object(
        {
          lat: Lat,
          lon: Lon,
          radiusM: Type.Number({
            exclusiveMinimum: 0,
            maximum: 1_000_000,
            description: 'metres; the edge belongs to the circle',
          }),
        },
        strict,
      ),
    },
    strict,
  ),
  Type.Object(
    {
      polygon: Type.Array(Type.Tuple([Lon, Lat]), {
        minItems: 3,
        maxItems: 10_001,
        description:
          `[longitude, latitude] as in GeoJSON, 3 to ${MAX_CORNERS} corners, closed or not; ` +
          'a step of more than 180 degrees crosses the antimeridian',
      }),
    },
    strict,
  ),
  Type.Object(
    {
      cameras: Type.Array(Type.String({ pattern: CAMERA_ID.source }), {
        minItems: 1,
        maxItems: MAX_CAMERAS,
        uniqueItems: true,
      }),
    },
    strict,
  ),
])
/** A union: a read counts that lies in any of the areas. Empty: everywhere. */
export const AreasSchema = Type.Array(AreaSchema, { maxItems: MAX_AREAS, default: [] })

export interface Circle {
  kind: 'circle'
  lat: number
  lon: number
  radiusM: number
}
/** Longitudes continue past 180 where the ring crosses the antimeridian; corners are already nudged (see `ringOf`). */
export interface Ring {
  kind: 'ring'
  lon: number[]
  lat: number[]
  west: number
  east: number
  south: number
  north: number
}
export interface Cameras {
  kind: 'cameras'
  ids: string[]
}
export type Area = Circle | Ring | Cameras

/** @throws ALPR_ERR_AREA_INVALID naming the fault of a polygon */
export function areasOf(input: Static<typeof AreasSchema>): Area[] {
  return input.map((one): Area => {
    if ('circle' in one) return { kind: 'circle', ...one.circle }
    if ('polygon' in one) return ringOf(one.polygon)
    return { kind: 'cameras', ids: [...one.cameras].sort() }
  })
}

export type Corners = readonly (readonly [number, number])[]

/** Rings that were made in slices, by the corners as the request has them. */
const prepared = new WeakMap<Corners, Ring>()
/** Remembers what `ringOf` returns for these corners. */
export const rememberRing = (corners: Corners, ring: Ring): unknown => prepared.set(corners, ring)

/** Degrees; 0.01 mm. */
export const NUDGE = 1e-10

/**
 * A simple ring from corners. All corners are moved 1e-10 degrees (0.01 mm) to the south-west, so that no position that
 * a receiver can report lies on an edge: western and southern edges belong to the polygon, eastern and northern ones do
 * not, and neighbouring polygons never share a read.
 * @throws ALPR_ERR_AREA_INVALID
 */
export const ringOf = (corners: Corners): Ring => prepared.get(corners) ?? atOnce(slicedRing(corners))

/** Edges compared in one slice of work: about a millisecond. */
export const SLICE_EDGES = 50_000

export function* slicedRing(corners: Corners): Sliced<Ring> {
  const invalid = (reason: string) => new AlprError('ALPR_ERR_AREA_INVALID', { reason })
  if (corners.length > MAX_CORNERS + 1)
    throw invalid(`a polygon of ${corners.length} corners; at most ${MAX_CORNERS} are allowed`)
  const lon: number[] = []
  const lat: number[] = []
  let turn = 0
  corners.forEach(([x, y], index) => {
    if (index > 0) {
      const step = x - corners[index - 1]![0]
      if (step > 180) turn -= 360
      else if (step < -180) turn += 360
    }
    const unwrapped = x + turn
    // A repeated corner counts once.
    if (index > 0 && lon.at(-1) === unwrapped && lat.at(-1) === y) return
    lon.push(unwrapped)
    lat.push(y)
  })
  const closed = lon.length > 1 && lat[0] === lat.at(-1) && lon[0] === lon.at(-1)
  if (!closed && lat[0] === lat.at(-1) && Math.abs(lon[0]! - lon.at(-1)!) === 360)
    throw invalid('it goes around a pole')
  if (closed) {
    lon.pop()
    lat.pop()
  } else if (Math.abs(lon[0]! - lon.at(-1)!) > 180) throw invalid('it goes around a pole, or spans half the world')
  if (lon.length < 3) throw invalid('fewer than 3 different corners')
  const west = Math.min(...lon)
  if (Math.max(...lon) - west > 180) throw invalid('it spans more than 180 degrees of longitude')
  const crossing = yield* crossingOf(lon, lat)
  if (crossing)
    throw invalid(`edge ${crossing[0] + 1} and edge ${crossing[1] + 1} cross or touch: a polygon must not cross itself`)
  // Westernmost corner in [-180, 180).
  const shift = west < -180 ? 360 : west >= 180 ? -360 : 0
  const xs = lon.map((x) => x + shift - NUDGE)
  const ys = lat.map((y) => y - NUDGE)
  return {
    kind: 'ring',
    lon: xs,
    lat: ys,
    west: Math.min(...xs),
    east: Math.max(...xs),
    south: Math.min(...ys),
    north: Math.max(...ys),
  }
}

/**
 * The first two edges that meet other than in a shared corner; edge i starts at corner i. Quadratic, but bounds are
 * compared first: 2,000 corners take tens of ms.
 */
function* crossingOf(x: readonly number[], y: readonly number[]): Sliced<[number, number] | undefined> {
  const n = x.length
  const at = (i: number) => (i + 1) % n
  let compared = 0
  for (let i = 0; i < n; i++) {
    compared += n - i
    if (compared > SLICE_EDGES) {
      yield
      compared = n - i
    }
    const ax = x[i]!,
      ay = y[i]!,
      bx = x[at(i)]!,
      by = y[at(i)]!
    const left = Math.min(ax, bx),
      right = Math.max(ax, bx),
      low = Math.min(ay, by),
      high = Math.max(ay, by)
    for (let j = i + 1; j < n; j++) {
      const cx = x[j]!,
        cy = y[j]!,
        dx = x[at(j)]!,
        dy = y[at(j)]!
      if (Math.max(cx, dx) < left || Math.min(cx, dx) > right || Math.max(cy, dy) < low || Math.min(cy, dy) > high)
        continue
      if (at(i) === j || at(j) === i) {
        // Neighbours share a corner; they may not fold back onto each other.
        const [px, py, qx, qy, rx, ry] = at(i) === j ? [ax, ay, bx, by, dx, dy] : [cx, cy, ax, ay, bx, by]
        if (side(px, py, qx, qy, rx, ry) === 0 && (px - qx) * (rx - qx) + (py - qy) * (ry - qy) > 0) return [i, j]
        continue
      }
      const a = side(ax, ay, bx, by, cx, cy),
        b = side(ax, ay, bx, by, dx, dy)
      const c = side(cx, cy, dx, dy, ax, ay),
        d = side(cx, cy, dx, dy, bx, by)
      if (a * b <= 0 && c * d <= 0) return [i, j]
    }
  }
  return undefined
}

/** On which side of the line from a to b the point p lies: 1, -1, or 0 on the line. */
function side(ax: number, ay: number, bx: number, by: number, px: number, py: number): number {
  return Math.sign((bx - ax) * (py - ay) - (by - ay) * (px - ax))
}
