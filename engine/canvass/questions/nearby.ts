import { Type } from '@sinclair/typebox'
import { AlprError } from '../../errors.js'
import { MINUTE_MS } from '../../model/time.js'
import { inputOf, pageOf, question } from '../question.js'
import { pointOf, SIGHTING, SIGHTING_COLUMNS, sightingOf, type Sighting, type SightingRow } from '../sighting.js'
import { areasSql } from '../filter.js'
import { and, sql, time, value } from '../../store/sql.js'
import { instantOf } from '../window.js'

export interface NearbyItem extends Sighting {
  /** Seconds from the read in question to this one; negative: before it. */
  offsetS: number
}

interface Row extends SightingRow {
  off: number
}

/** How far a mobile camera may have moved within a minute, metres. */
const MINUTE_REACH_M = 5_000

/** Who passed this camera within a minute of that read: the witness behind, the second car. */
export const nearby = question({
  kind: 'nearby',
  threads: 1,
  summary: 'Who passed the camera of a read, or near its position, shortly before or after it',
  schema: inputOf({
    readId: Type.String({ pattern: '^\\d{1,20}$' }),
    ts: Type.Optional(
      Type.String({
        maxLength: 40,
        description: 'RFC 3339, the time of that read if known; without it all weeks are searched',
      }),
    ),
    withinS: Type.Number({ minimum: 1, maximum: 3_600, default: 60, description: 'seconds before and after' }),
    radiusM: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 50_000,
        description: 'any camera within this many metres of that read, instead of its own camera',
      }),
    ),
  }),
  prepare(input) {
    return { ...input, at: input.ts === undefined ? undefined : instantOf('ts', input.ts) }
  },
  async answer(ask, { readId, at, withinS, radiusM }, limit) {
    const isRead = sql`read_id = ${value('UInt64', readId)}`
    const fixed = at === undefined ? isRead : and([isRead, sql`ts = ${time(at)}`])
    const [read] = await ask.rows<SightingRow>(sql`SELECT ${SIGHTING} FROM ${ask.reads({ fixed })} LIMIT 1`, 'the read')
    if (!read) throw new AlprError('ALPR_ERR_NOT_FOUND', { what: `read ${readId}` })
    const begin = Number(read.begin)
    const span = sql`ts >= ${time(Math.ceil(begin - withinS * 1_000))}
      AND ts <= ${time(Math.floor(begin + withinS * 1_000))}`
    const within = (metres: number) =>
      areasSql(ask.database, [{ kind: 'circle', lat: read.y, lon: read.x, radiusM: metres }])
    const sameCamera = sql`camera = ${value('String', read.cam)}`
    // Within a minute even a mobile camera is still near: the area lets the store prune by its key.
    const ofCamera = withinS * 1_000 <= MINUTE_MS ? and([sameCamera, within(MINUTE_REACH_M)]) : sameCamera
    const here = radiusM === undefined ? ofCamera : within(radiusM)
    const [off, id] = ask.after ?? []
    const rows = await ask.rows<Row>(
      sql`
      SELECT ${SIGHTING}, toInt64(toUnixTimestamp64Milli(ts) - ${value('Int64', begin)}) AS off
      FROM ${ask.reads({ fixed: and([span, here, sql`read_id != ${value('UInt64', readId)}`]) })}
      ${ask.after ? sql`WHERE (abs(off), read_id) > (${value('Int64', off)}, ${value('UInt64', id)})` : sql``}
      ORDER BY abs(off), read_id LIMIT ${value('UInt32', limit + 1)}`,
      'reads around it',
    )
    return {
      ...pageOf(rows, limit, (row) => [Math.abs(Number(row.off)), row.readId]),
      items: rows.slice(0, limit).map((row): NearbyItem => ({ ...sightingOf(row), offsetS: Number(row.off) / 1_000 })),
      notes: { read: sightingOf(read) },
    }
  },
  columns: [['offsetS', (s: NearbyItem) => s.offsetS], ...SIGHTING_COLUMNS],
  shape: pointOf,
})
