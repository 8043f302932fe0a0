import type { Read } from './read.js'
import type { LiveRead } from './engine_status.js'

/** A stored read for live display. `lists`: ids of the hot lists on which it made a hit. */
export function liveReadOf(read: Read, cameraName: string, lists: string[]): LiveRead {
  const { readId, version, plate, confidence, region, camera, lat, lon, frames, direction, crop } = read
  return {
    readId,
    version,
    plate,
    confidence,
    region,
    camera,
    cameraName,
    lat,
    lon,
    ts: new Date(read.ts).toISOString(),
    tsLast: new Date(read.tsLast).toISOString(),
    frames,
    direction,
    crop,
    lists,
  }
}
