import { EARTH_M } from './area.js'

/** Great-circle distance between two positions, metres. */
export function distanceM(a: { lat: number; lon: number }, b: { lat: number; lon: number }): number {
  const rad = Math.PI / 180
  const h =
    Math.sin(((b.lat - a.lat) * rad) / 2) ** 2 +
    Math.cos(a.lat * rad) * Math.cos(b.lat * rad) * Math.sin(((b.lon - a.lon) * rad) / 2) ** 2
  return 2 * EARTH_M * Math.asin(Math.min(1, Math.sqrt(h)))
}

/** No car drives faster between two cameras, km/h. Two reads nearer than `NEAR_M` metres say nothing about speed. */
export const FASTEST_KMH = 250
const NEAR_M = 500

export interface Leg {
  /** From the end of the previous sighting to the beginning of this one, seconds; negative when they overlap. */
  gapS: number
  distanceM: number
  /** Lower bound, along a straight line; absent when there is no time in between. */
  speedKmh?: number
  /** One car cannot have done this: two vehicles, a misread, or a copied plate. */
  impossible: boolean
}

/** The movement of a vehicle between two sightings; times in ms. */
export function legOf(
  before: { tsLast: number; lat: number; lon: number },
  after: { ts: number; lat: number; lon: number },
): Leg {
  const metres = distanceM(before, after)
  const seconds = (after.ts - before.tsLast) / 1_000
  const speed = seconds > 0 ? (metres / seconds) * 3.6 : undefined
  const tooFast = metres > NEAR_M && (speed === undefined || speed > FASTEST_KMH)
  return {
    gapS: seconds,
    distanceM: Math.round(metres),
    ...(speed !== undefined && { speedKmh: Math.round(speed * 10) / 10 }),
    impossible: tooFast,
  }
}
