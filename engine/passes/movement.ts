import { distanceM } from '../geo/travel.js'
import type { Camera } from '../model/camera.js'
import type { Capture } from '../model/capture.js'
import type { Read } from '../model/read.js'
import { distance } from './geometry.js'
import type { PassState } from './pass_state.js'

/** A camera that is nearer than this to where it was has not moved: positions of a parked one differ as much. */
const STILL_M = 15
/** From here on the way between two positions gives a direction. */
const COURSE_M = 30
/**
 * A read is found at its position, so a pass ends when its camera is this far from there, metres. A canvass circle with
 * half of it as radius, on the way of a vehicle that was followed, has a read.
 */
const PASS_M = 200
/** A plate that grows or shrinks by less than this factor keeps its distance. */
const SAME_SIZE = 1.25

type Position = Pick<Capture, 'lat' | 'lon'>

/** Distance between two positions, metres. Positions of a fixed camera are equal, and cost nothing. */
export function metresBetween(a: Position, b: Position): number {
  return a.lat === b.lat && a.lon === b.lon ? 0 : distanceM(a, b)
}

/** Whether the camera is too far from here for one read. */
export const isElsewhere = (here: Position, now: Position): boolean => metresBetween(here, now) > PASS_M

/** Whether the plate stayed in one place of the picture for at least 5 s, and its camera where it was. */
export function isParked({ first, start = first, last, movedM = 0 }: PassState): boolean {
  if (!first.box || !start.box || !last.box || movedM > STILL_M) return false
  return last.ts - start.ts >= 5_000 && distance([start.box.x, start.box.y], [last.box.x, last.box.y]) < start.box.width
}

/**
 * A plate that grows approaches. For a fixed camera that gives the compass direction too: an approaching vehicle drives
 * against the camera's view, a leaving one along it. A vehicle that keeps its place in the picture of a moving camera
 * drives where the camera drives.
 */
export function movementOf(state: PassState, camera: Camera): Pick<Read, 'direction' | 'heading'> {
  const { first, start = first, last, frames, movedM = 0 } = state
  if (frames < 2) return { direction: 'unknown' }
  const growth = last.width / start.width
  const sameSize = growth > 1 / SAME_SIZE && growth < SAME_SIZE
  if (isParked(state) && sameSize) return { direction: 'still' }
  const direction = growth > 1.1 ? 'approaching' : growth < 0.9 ? 'leaving' : 'unknown'
  if (movedM > STILL_M) {
    const together =
      start.box && last.box && sameSize && distance([start.box.x, start.box.y], [last.box.x, last.box.y]) < start.width
    if (!together || !last.at || metresBetween(first, last.at) < COURSE_M) return { direction }
    return { direction, heading: bearingOf(first, last.at) }
  }
  if (direction === 'unknown' || camera.kind !== 'fixed' || camera.heading === undefined) return { direction }
  return { direction, heading: direction === 'leaving' ? camera.heading : (camera.heading + 180) % 360 }
}

/** Initial direction of the shortest way, degrees clockwise from north. */
function bearingOf(from: Position, to: Position): number {
  const rad = Math.PI / 180
  const east = Math.sin((to.lon - from.lon) * rad) * Math.cos(to.lat * rad)
  const north =
    Math.cos(from.lat * rad) * Math.sin(to.lat * rad) -
    Math.sin(from.lat * rad) * Math.cos(to.lat * rad) * Math.cos((to.lon - from.lon) * rad)
  return (Math.round(Math.atan2(east, north) / rad) + 360) % 360
}
