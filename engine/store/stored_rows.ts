import type { Hit } from '../model/hit.js'
import type { CropRef, Read } from '../model/read.js'
import type { StoredRead } from './tables.js'

interface CropColumns {
  crop_segment: string
  crop_offset: string
  crop_length: number
}

/** A row of table `reads` as JSON. */
export interface ReadColumns extends CropColumns {
  read_id: string
  version: number
  plate: string
  confidence: number
  alternate_plates: string[]
  alternate_confidences: number[]
  region: string
  camera: string
  ts: string
  ts_last: string
  lat: number
  lon: number
  heading: number | null
  direction: Read['direction']
  picture_gap: string
  picture_length: number
  height_px: number
  sharpness: number
  contrast: number
  glare: number
  module: string
  model: string
  lists: string
  feed: string
}

/** A row of table `hits` as JSON. */
export interface HitColumns extends CropColumns {
  hit_id: string
  revision: number
  state: Hit['state']
  read_id: string
  plate: string
  confidence: number
  alternate_plates: string[]
  alternate_confidences: number[]
  region: string
  listed_plate: string
  list: string
  list_name: string
  list_version: string
  list_loaded_at: string
  reason: string
  priority: Hit['priority']
  exact: boolean
  probability: number
  tolerated_positions: number[]
  tolerated_read: string[]
  tolerated_listed: string[]
  tolerated_probabilities: number[]
  camera: string
  camera_name: string
  lat: number
  lon: number
  heading: number | null
  direction: string
  ts: string
  ts_last: string
  published_at: string
  picture_segment: string
  picture_offset: string
  picture_length: number
  module: string
  model: string
}

/** No segment: no picture. */
function cropOf(segment: string, offset: string, length: number): CropRef | undefined {
  return segment === '' ? undefined : { segment, offset: Number(offset), length }
}

const alternatesOf = (row: { alternate_plates: string[]; alternate_confidences: number[] }) =>
  row.alternate_plates.map((plate, index) => ({ plate, confidence: row.alternate_confidences[index] ?? 0 }))

export function readOf(row: ReadColumns): StoredRead {
  const crop = cropOf(row.crop_segment, row.crop_offset, row.crop_length)
  const picture =
    crop && row.picture_length > 0
      ? {
          segment: crop.segment,
          offset: crop.offset + crop.length + Number(row.picture_gap),
          length: row.picture_length,
        }
      : undefined
  return {
    readId: row.read_id,
    version: row.version,
    plate: row.plate,
    confidence: row.confidence,
    alternates: alternatesOf(row),
    region: row.region,
    camera: row.camera,
    ts: Date.parse(row.ts),
    tsLast: Date.parse(row.ts_last),
    lat: row.lat,
    lon: row.lon,
    ...(row.heading === null ? {} : { heading: row.heading }),
    direction: row.direction,
    frames: row.version,
    quality: { heightPx: row.height_px, sharpness: row.sharpness, contrast: row.contrast, glare: row.glare },
    ...(crop && { crop }),
    ...(picture && { picture }),
    module: row.module,
    model: row.model,
    lists: row.lists,
    feed: row.feed,
  }
}

export function hitOf(row: HitColumns): Hit {
  const crop = cropOf(row.crop_segment, row.crop_offset, row.crop_length)
  const picture = cropOf(row.picture_segment, row.picture_offset, row.picture_length)
  return {
    hitId: row.hit_id,
    revision: row.revision,
    state: row.state,
    readId: row.read_id,
    plate: row.plate,
    confidence: row.confidence,
    alternates: alternatesOf(row),
    region: row.region,
    listedPlate: row.listed_plate,
    list: row.list,
    listName: row.list_name,
    listVersion: row.list_version,
    listLoadedAt: row.list_loaded_at,
    reason: row.reason,
    priority: row.priority,
    exact: row.exact,
    probability: row.probability,
    tolerated: row.tolerated_positions.map((position, index) => ({
      position,
      read: row.tolerated_read[index] ?? '',
      listed: row.tolerated_listed[index] ?? '',
      probability: row.tolerated_probabilities[index] ?? 0,
    })),
    camera: row.camera,
    cameraName: row.camera_name,
    lat: row.lat,
    lon: row.lon,
    ...(row.heading === null ? {} : { heading: row.heading }),
    direction: row.direction,
    ts: row.ts,
    tsLast: row.ts_last,
    publishedAt: row.published_at,
    ...(crop && { crop }),
    ...(picture && { picture }),
    module: row.module,
    model: row.model,
  }
}
