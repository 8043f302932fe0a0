import { Type } from '@sinclair/typebox'
import { both, filterOf, FilterFields, requireArea } from '../filter.js'
import { conditionOf } from '../planner.js'
import { inputOf, pageOf, question } from '../question.js'
import { iso } from '../sighting.js'
import { or, sql, time, value } from '../../store/sql.js'
import { cellBounds } from '../../geo/cell.js'
import { HOUR_MS } from '../../model/time.js'
import { neverSeen, withNotes } from '../never_seen.js'

export interface HeatItem {
  cell: number
  /** Edges of the cell in degrees. */
  south: number
  west: number
  north: number
  east: number
  /** Beginning of the hour, RFC 3339; absent when all windows count as one. */
  time?: string
  reads: number
  /** Distinct plates. */
  plates: number
}

interface Row {
  square: number
  at: string
  n: number
  p: number
}

/** Reads per cell (about 600 m) and hour. */
export const heat = question({
  kind: 'heat',
  summary: 'Reads per cell of the map (about 600 m) and hour',
  schema: inputOf({
    ...FilterFields,
    by: Type.Union([Type.Literal('hour'), Type.Literal('whole')], {
      default: 'hour',
      description: 'each hour separately, or all windows as one',
    }),
  }),
  prepare(input) {
    const filter = filterOf(input)
    requireArea(filter, 31)
    return { filter, hourly: input.by === 'hour' }
  },
  async answer(ask, { filter, hourly }, limit) {
    const inWindows = or(filter.windows.map(({ from, to }) => sql`(ts >= ${time(from)} AND ts < ${time(to)})`))
    const [at, cell] = ask.after ?? []
    const slot = hourly ? sql`intDiv(toUnixTimestamp(ts), 3600)` : sql`0`
    const rows = await ask.rows<Row>(
      sql`
      SELECT cell AS square, toString(${slot}) AS at, toUInt32(count()) AS n, toUInt32(uniqExact(plate)) AS p
      FROM ${ask.reads(both(await conditionOf(ask, filter), { fixed: inWindows }), sql`cell, ts, plate`)}
      GROUP BY cell, at
      ${ask.after ? sql`HAVING (toInt64(at), square) > (${value('Int64', at)}, ${value('UInt32', cell)})` : sql``}
      ORDER BY toInt64(at), square LIMIT ${value('UInt32', limit + 1)}`,
      'cells',
    )
    const notes = await neverSeen(ask, filter)
    return {
      ...pageOf(rows, limit, (row) => [Number(row.at), row.square]),
      items: rows.slice(0, limit).map(
        ({ square, at: hour, n, p }): HeatItem => ({
          cell: square,
          ...cellBounds(square),
          ...(hourly && { time: iso(Number(hour) * HOUR_MS) }),
          reads: n,
          plates: p,
        }),
      ),
      ...withNotes(notes),
    }
  },
  columns: [
    ['cell', (i) => i.cell],
    ['south', (i) => i.south],
    ['west', (i) => i.west],
    ['north', (i) => i.north],
    ['east', (i) => i.east],
    ['time', (i) => i.time],
    ['reads', (i) => i.reads],
    ['plates', (i) => i.plates],
  ],
  shape: ({ south, west, north, east }: HeatItem) => ({
    corners: [
      [west, south],
      [east, south],
      [east, north],
      [west, north],
      [west, south],
    ],
  }),
})
