import { Type } from '@sinclair/typebox'
import { AlprError } from '../../errors.js'
import { both, filterOf, FilterFields, filterSql, patternSql } from '../filter.js'
import { CANONICAL } from '../../plate_search/pattern.js'
import { inputOf, pageOf, question } from '../question.js'
import { iso } from '../sighting.js'
import { join, sql, value } from '../../store/sql.js'
import { neverSeen, withNotes } from '../never_seen.js'

export interface SceneVehicle {
  /** The text that was read most often. */
  plate: string
  /** All texts that count as this vehicle. */
  readings: string[]
  /** The scenes at which it was seen (indexes into the question), and when. */
  scenes: { scene: number; count: number; first: string; last: string }[]
  count: number
}

interface Row {
  vehicle: string
  seen: [scene: number, text: string, n: number, begin: string, end: string][]
  total: number
  hits: number
}

const { places, windows, daily, ...common } = FilterFields
const Scene = Type.Object({ places, windows, daily }, { additionalProperties: false })

/** Vehicles seen at k or more of n scenes: which were at all three burglaries? */
export const scenes = question({
  kind: 'scenes',
  summary: 'Vehicles seen at k or more of n scenes, most scenes first',
  schema: inputOf({
    scenes: Type.Array(Scene, { minItems: 2, maxItems: 10 }),
    atLeast: Type.Optional(Type.Integer({ minimum: 1, maximum: 10, description: 'scenes; default all of them' })),
    misreads: Type.Boolean({
      default: true,
      description: 'look-alike texts (8 for B, 0 for O ...) are one vehicle',
    }),
    ...common,
  }),
  prepare({ scenes: of, atLeast = of.length, misreads, limit: _, cursor: __, explain: ___, ...shared }) {
    if (atLeast > of.length)
      throw new AlprError('ALPR_ERR_REQUEST_INVALID', {
        field: 'atLeast',
        reason: `atLeast is ${atLeast} of ${of.length} scenes`,
      })
    return { atLeast, misreads, filters: of.map((scene) => filterOf({ ...shared, ...scene })) }
  },
  async answer(ask, { atLeast, misreads, filters }, limit) {
    const vehicle = misreads
      ? sql`translate(plate, ${value('String', CANONICAL.from)}, ${value('String', CANONICAL.to)})`
      : sql`plate`
    const each = filters.map((filter, index) => {
      const pattern = filter.pattern ? { rest: patternSql(filter.pattern) } : {}
      return sql`
      SELECT ${value('UInt8', index)} AS scene, plate AS text, any(${vehicle}) AS vehicle, toUInt32(count()) AS n,
        toUnixTimestamp64Milli(min(ts)) AS begin, toUnixTimestamp64Milli(max(ts_last)) AS end
      FROM ${ask.reads(both(filterSql(ask.database, filter), pattern), sql`plate, ts, ts_last`)}
      GROUP BY plate`
    })
    const [hits, total, name] = ask.after ?? []
    const afterKey = ask.after
      ? sql` AND (-toInt64(hits), -toInt64(total), vehicle)
          > (${value('Int64', hits)}, ${value('Int64', total)}, ${value('String', name)})`
      : sql``
    const rows = await ask.rows<Row>(
      sql`
      SELECT vehicle, groupArray((scene, text, n, begin, end)) AS seen, toUInt32(sum(n)) AS total,
        toUInt32(uniqExact(scene)) AS hits
      FROM (${join(each, sql` UNION ALL `)})
      GROUP BY vehicle
      HAVING hits >= ${value('UInt8', atLeast)}${afterKey}
      ORDER BY hits DESC, total DESC, vehicle LIMIT ${value('UInt32', limit + 1)}`,
      'vehicles at scenes',
    )
    const notes = await neverSeen(ask, ...filters)
    return {
      ...pageOf(rows, limit, (row) => [-row.hits, -row.total, row.vehicle]),
      items: rows.slice(0, limit).map(vehicleOf),
      ...withNotes(notes),
    }
  },
  columns: [
    ['plate', (v) => v.plate],
    ['readings', (v) => v.readings.join(' ')],
    ['count', (v) => v.count],
    ['atScenes', (v) => v.scenes.length],
    ['scenes', (v) => v.scenes.map((s) => `${s.scene}: ${s.first} ${s.last} ${s.count}`).join('; ')],
  ],
  shape: () => undefined,
})

function vehicleOf({ seen, total }: Row): SceneVehicle {
  const texts = new Map<string, number>()
  const at = new Map<number, { count: number; begin: number; end: number }>()
  for (const [scene, text, n, begin, end] of seen) {
    texts.set(text, (texts.get(text) ?? 0) + n)
    const visit = at.get(scene) ?? { count: 0, begin: Infinity, end: -Infinity }
    at.set(scene, {
      count: visit.count + n,
      begin: Math.min(visit.begin, Number(begin)),
      end: Math.max(visit.end, Number(end)),
    })
  }
  const readings = [...texts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([text]) => text)
  const visits = [...at]
    .sort(([a], [b]) => a - b)
    .map(([scene, { count, begin, end }]) => ({ scene, count, first: iso(begin), last: iso(end) }))
  return { plate: readings[0]!, readings, scenes: visits, count: total }
}
