import { pictureAddress, type CropRef } from '../model/read.js'
import type { CsvColumn, Shape } from './question.js'
import { sql } from '../store/sql.js'

/** A read as answers show it. Times RFC 3339, positions WGS 84 degrees. */
export interface Sighting {
  readId: string
  plate: string
  /** State or country of issue; empty when it is unknown. */
  region: string
  confidence: number
  camera: string
  ts: string
  tsLast: string
  lat: number
  lon: number
  heading?: number
  direction: string
  crop?: CropRef
}

/**
 * Columns of a sighting, under names that the table does not have: in ClickHouse an alias hides the column of the same
 * name, even in WHERE.
 */
export const SIGHTING = sql`toString(read_id) AS readId, plate AS text, region AS state, confidence AS sure,
  camera AS cam, toUnixTimestamp64Milli(ts) AS begin, toUnixTimestamp64Milli(ts_last) AS end,
  lat AS y, lon AS x, heading AS course, direction AS way,
  crop_segment AS cropFile, crop_offset AS cropAt, crop_length AS cropBytes`

export interface SightingRow {
  readId: string
  text: string
  state: string
  sure: number
  cam: string
  begin: string
  end: string
  y: number
  x: number
  course: number | null
  way: string
  cropFile: string
  cropAt: string
  cropBytes: number
}

export function sightingOf(row: SightingRow): Sighting {
  return {
    readId: row.readId,
    plate: row.text,
    region: row.state,
    confidence: row.sure,
    camera: row.cam,
    ts: iso(row.begin),
    tsLast: iso(row.end),
    lat: row.y,
    lon: row.x,
    ...(row.course !== null && { heading: row.course }),
    direction: row.way,
    ...(row.cropFile !== '' && { crop: { segment: row.cropFile, offset: Number(row.cropAt), length: row.cropBytes } }),
  }
}

export const iso = (ms: string | number): string => new Date(Number(ms)).toISOString()

export const SIGHTING_COLUMNS: readonly CsvColumn<Sighting>[] = [
  ['readId', (s) => s.readId],
  ['plate', (s) => s.plate],
  ['region', (s) => s.region],
  ['confidence', (s) => s.confidence],
  ['camera', (s) => s.camera],
  ['ts', (s) => s.ts],
  ['tsLast', (s) => s.tsLast],
  ['lat', (s) => s.lat],
  ['lon', (s) => s.lon],
  ['heading', (s) => s.heading],
  ['direction', (s) => s.direction],
  ['crop', (s) => s.crop && pictureAddress(s.crop)],
]

export const pointOf = ({ lat, lon }: { lat: number; lon: number }): Shape => ({ point: [lon, lat] })
