import { filterOf, FilterFields, requireArea } from '../filter.js'
import { conditionOf } from '../planner.js'
import { inputOf, pageOf, question } from '../question.js'
import { iso, pointOf } from '../sighting.js'
import { sql, value } from '../../store/sql.js'
import { pictureAddress, type CropRef } from '../../model/read.js'
import { neverSeen, withNotes } from '../never_seen.js'

/** A vehicle that was there, insofar as one text is one vehicle. */
export interface Vehicle {
  plate: string
  region: string
  /** Reads of it in the places and windows. */
  count: number
  /** First and last time it was seen there, RFC 3339. */
  first: string
  last: string
  /** Cameras that saw it, at most 8; `moreCameras` when others saw it too. */
  cameras: string[]
  moreCameras?: true
  /** The read with the highest confidence. */
  best: { readId: string; confidence: number; camera: string; ts: string; lat: number; lon: number; crop?: CropRef }
}

interface Row {
  text: string
  state: string
  n: number
  begin: string
  end: string
  cams: string[]
  best: [
    readId: string,
    sure: number,
    cam: string,
    at: string,
    y: number,
    x: number,
    file: string,
    offset: string,
    bytes: number,
  ]
}

/**
 * Which vehicles were here then (CAN-1), in the order in which they came. With a pattern: partial plates in major
 * crimes (CAN-2).
 */
export const canvass = question({
  kind: 'canvass',
  summary: 'Which vehicles were in these places at these times, in the order in which they came',
  schema: inputOf(FilterFields),
  prepare(input) {
    const filter = filterOf(input)
    requireArea(filter, 31)
    return filter
  },
  async answer(ask, filter, limit) {
    const condition = await conditionOf(ask, filter)
    const [first, plate] = ask.after ?? []
    const rows = await ask.rows<Row>(
      sql`
      SELECT plate AS text, argMax(region, (confidence, read_id)) AS state, toUInt32(count()) AS n,
        toUnixTimestamp64Milli(min(ts)) AS begin, toUnixTimestamp64Milli(max(ts_last)) AS end,
        arraySort(groupUniqArray(9)(camera)) AS cams,
        argMax((read_id, confidence, camera, toUnixTimestamp64Milli(ts), lat, lon,
          crop_segment, crop_offset, crop_length), (confidence, read_id)) AS best
      FROM ${ask.reads(condition, COLUMNS)}
      GROUP BY plate
      ${ask.after ? sql`HAVING (begin, text) > (${value('Int64', first)}, ${value('String', plate)})` : sql``}
      ORDER BY begin, text LIMIT ${value('UInt32', limit + 1)}`,
      'vehicles',
    )
    const notes = await neverSeen(ask, filter)
    return {
      ...pageOf(rows, limit, (row) => [Number(row.begin), row.text]),
      items: rows.slice(0, limit).map(vehicleOf),
      ...withNotes(notes),
    }
  },
  columns: [
    ['plate', (v) => v.plate],
    ['region', (v) => v.region],
    ['count', (v) => v.count],
    ['first', (v) => v.first],
    ['last', (v) => v.last],
    ['cameras', (v) => [...v.cameras, ...(v.moreCameras ? ['...'] : [])].join(' ')],
    ['readId', (v) => v.best.readId],
    ['confidence', (v) => v.best.confidence],
    ['camera', (v) => v.best.camera],
    ['ts', (v) => v.best.ts],
    ['lat', (v) => v.best.lat],
    ['lon', (v) => v.best.lon],
    ['crop', (v) => v.best.crop && pictureAddress(v.best.crop)],
  ],
  shape: (v: Vehicle) => pointOf(v.best),
})

/** Cameras of a vehicle that are named. */
const MAX_CAMERAS = 8
const COLUMNS = sql`read_id, plate, confidence, region, camera, ts, ts_last, lat, lon,
  crop_segment, crop_offset, crop_length`

function vehicleOf({ text, state, n, begin, end, cams, best }: Row): Vehicle {
  const [readId, sure, cam, at, y, x, file, offset, bytes] = best
  return {
    plate: text,
    region: state,
    count: n,
    first: iso(begin),
    last: iso(end),
    cameras: cams.slice(0, MAX_CAMERAS),
    ...(cams.length > MAX_CAMERAS && { moreCameras: true }),
    best: {
      readId,
      confidence: sure,
      camera: cam,
      ts: iso(at),
      lat: y,
      lon: x,
      ...(file !== '' && { crop: { segment: file, offset: Number(offset), length: Number(bytes) } }),
    },
  }
}
