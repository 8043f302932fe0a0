import { rememberRing, slicedRing, type Corners } from './area.js'
import { rememberCover, slicedCover } from './cover.js'
import { inTurns } from '../runtime/slices.js'

/**
 * Validates the polygons of a question and finds their cells, slice by slice, and remembers both: `ringOf` and
 * `coverOf` are then short. A request of many corners would otherwise keep everybody else waiting.
 * @param input the validated input; polygons are found in it wherever a question has places
 * @throws ALPR_ERR_AREA_INVALID
 */
export async function preparePolygons(input: unknown): Promise<void> {
  for (const corners of polygonsIn(input)) {
    const ring = await inTurns(slicedRing(corners))
    rememberRing(corners, ring)
    rememberCover(ring, await inTurns(slicedCover(ring)))
  }
}

function* polygonsIn(input: unknown): Generator<Corners> {
  if (typeof input !== 'object' || input === null) return
  const { places, scenes } = input as { places?: unknown; scenes?: unknown }
  for (const place of Array.isArray(places) ? places : []) {
    const { polygon } = place as { polygon?: Corners }
    if (polygon) yield polygon
  }
  for (const scene of Array.isArray(scenes) ? scenes : []) yield* polygonsIn(scene)
}
