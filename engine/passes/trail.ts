import type { Point } from './geometry.js'

/** Where a plate was at one time. */
export interface Place {
  /** Event time, ms. */
  ts: number
  /** Centre and width, pixels. */
  x: number
  y: number
  width: number
}

/** A place to compare a detection with. */
export interface Near {
  x: number
  y: number
  width: number
  /** How far the detection is from it in time. */
  seconds: number
  /** Where the plate should be by its motion, if that is known. */
  expected?: Point
}

/** Most places of a trail. They are this share of the jitter apart, so that they cover it. */
const MOST = 8
/** Numbers of a place: time, x, y, width. */
const NUMBERS = 4

/**
 * The places of a plate during the last `jitterMs` before its last detection, thinned: a detection that comes out of
 * order is compared with where the plate was at its time. A flat list of whole numbers, written to the checkpoint as it
 * is: milliseconds and tenths of a pixel, of each place the differences from the one before, since they are short.
 */
export type Trail = number[]

/** Adds a place that is newer than all others. @param origin event time that the times of the trail count from, ms */
export function extendTrail(trail: Trail, origin: number, { ts, x, y, width }: Place, jitterMs: number): void {
  const last = sum(trail)
  if (trail.length > 0 && ts - origin - last[0] < jitterMs / MOST) return
  trail.push(ts - origin - last[0], tenths(x) - last[1], tenths(y) - last[2], tenths(width) - last[3])
  if (trail.length > MOST * NUMBERS) {
    const oldest = trail.splice(0, NUMBERS)
    for (let n = 0; n < NUMBERS; n++) trail[n]! += oldest[n]!
  }
}

/** The places just before and just after a time. @param places in order of time */
export function around(places: readonly Place[], at: number): { before?: Place; after?: Place } {
  let before: Place | undefined
  for (const place of places) {
    if (place.ts > at) return { before, after: place }
    before = place
  }
  return { before }
}

export function placesOf(trail: Trail, origin: number): Place[] {
  return Array.from({ length: trail.length / NUMBERS }, (_, n) => {
    const [ms, x, y, width] = sum(trail, n + 1)
    return { ts: origin + ms, x: x / 10, y: y / 10, width: width / 10 }
  })
}

/** The last of the first `places` places. */
function sum(trail: Trail, places = trail.length / NUMBERS): [ms: number, x: number, y: number, width: number] {
  const place: [number, number, number, number] = [0, 0, 0, 0]
  for (let i = 0; i < places * NUMBERS; i++) place[i % NUMBERS]! += trail[i]!
  return place
}

/** What a detection between two places is compared with: the nearer one in time, and the way between them. */
export function between(before: Place, after: Place, at: number): Near {
  const nearer = at - before.ts <= after.ts - at ? before : after
  const share = after.ts > before.ts ? (at - before.ts) / (after.ts - before.ts) : 0
  return {
    x: nearer.x,
    y: nearer.y,
    width: nearer.width,
    seconds: Math.abs(at - nearer.ts) / 1_000,
    expected: [before.x + (after.x - before.x) * share, before.y + (after.y - before.y) * share],
  }
}

const tenths = (pixels: number): number => Math.round(pixels * 10)
