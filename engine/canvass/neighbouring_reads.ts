import { coverOf } from '../geo/cover.js'
import { AlprError } from '../errors.js'
import { cellBounds } from '../geo/cell.js'
import type { Ask } from './question.js'
import { and, or, sql, tableOf, time, value, type Sql } from '../store/sql.js'

/** Where and when a vehicle was seen. `at` in ms. */
export interface Anchor {
  cam: string
  cell: number
  at: number
}

/** A read near an anchor, by the same camera. */
export interface NeighbouringRead {
  text: string
  cam: string
  at: string
}

const MOST_READS = 500_000
/**
 * How far a car with a camera may have come between the two reads: 250 km/h, and at least 5 km because positions err.
 */
const FASTEST_M_S = 70
const NEAREST_REACH_M = 5_000
/** From the middle of a cell to its corner, at most, metres. */
const HALF_CELL_M = 450
/**
 * Spans of time that an area is asked in. The key of `reads` is (cell, time): without spans all cells are looked up in
 * all weeks. Beyond some number every further span costs the store more to plan than it saves to read: of 8, 16 and one
 * a sighting, 16 were fastest over a year of 20 million reads.
 */
const SPANS = 16

/**
 * Reads of other plates by the anchors' cameras within the gap of one of them (and some up to twice the gap away).
 * Times are picked in slots as wide as the gap: a set of numbers, looked up before anything but the time has been read.
 * @throws ALPR_ERR_QUESTION_TOO_LARGE
 */
export async function neighbouringReads(
  ask: Ask,
  plate: string,
  anchors: readonly Anchor[],
  gapMs: number,
): Promise<NeighbouringRead[]> {
  if (anchors.length === 0) return []
  const cellsOf = await reachOf(ask, anchors, gapMs)
  const sorted = [...anchors].sort((a, b) => a.at - b.at)
  const slots = new Set<number>()
  const pairs = new Map<string, { cam: string; slot: number }>()
  for (const { cam, at } of sorted) {
    for (let slot = Math.floor((at - gapMs) / gapMs); slot <= Math.floor((at + gapMs) / gapMs); slot++) {
      slots.add(slot)
      pairs.set(`${cam} ${slot}`, { cam, slot })
    }
  }
  const each = Math.ceil(sorted.length / SPANS)
  const spans: Sql[] = []
  for (let first = 0; first < sorted.length; first += each) {
    const of = sorted.slice(first, first + each)
    const cells = [...new Set(of.flatMap(cellsOf))]
    spans.push(
      and([
        sql`ts >= ${time(of[0]!.at - gapMs)} AND ts <= ${time(of.at(-1)!.at + gapMs)}`,
        sql`cell IN ${value('Array(UInt32)', cells)}`,
      ]),
    )
  }
  const slot = sql`intDiv(toUnixTimestamp64Milli(ts), ${value('Int64', gapMs)})`
  const all = [...pairs.values()]
  const reads = await ask.rows<NeighbouringRead>(
    sql`
    SELECT plate AS text, camera AS cam, toUnixTimestamp64Milli(ts) AS at
    FROM ${ask.reads(
      {
        fixed: and([
          sql`${slot} IN ${value('Array(Int64)', [...slots])}`,
          or(spans),
          sql`(camera, ${slot}) IN (SELECT arrayJoin(arrayZip(${value(
            'Array(String)',
            all.map(({ cam }) => cam),
          )}, ${value(
            'Array(Int64)',
            all.map((pair) => pair.slot),
          )})))`,
        ]),
        rest: sql`plate != '' AND plate != ${value('String', plate)}`,
      },
      sql`plate, camera, ts`,
    )} LIMIT ${value('UInt32', MOST_READS + 1)}`,
    'reads around them',
  )
  if (reads.length > MOST_READS)
    throw new AlprError('ALPR_ERR_QUESTION_TOO_LARGE', { reason: `more than ${MOST_READS} reads around the sightings` })
  return reads
}

/**
 * Cells in which an anchor's camera may have made another read within the gap: a fixed one's own; of a car's, those it
 * ever was in, as far as it can have come.
 */
async function reachOf(ask: Ask, anchors: readonly Anchor[], gapMs: number): Promise<(anchor: Anchor) => number[]> {
  const cameras = [...new Set(anchors.map(({ cam }) => cam))]
  const where = await ask.rows<{ cam: string; cells: number[] }>(
    sql`
    SELECT camera AS cam, groupUniqArray(cell) AS cells FROM ${tableOf(ask.database, 'camera_cells')} WHERE camera IN ${value('Array(String)', cameras)} GROUP BY camera`,
    'cells of the cameras',
  )
  const known = new Map(where.map(({ cam, cells }) => [cam, cells]))
  const radiusM = Math.max(NEAREST_REACH_M, (gapMs / 1_000) * FASTEST_M_S) + HALF_CELL_M
  return ({ cam, cell }) => {
    const cells = known.get(cam) ?? [cell]
    if (cells.length <= 1) return cells
    const { south, west, north, east } = cellBounds(cell)
    const ranges = coverOf({ kind: 'circle', lat: (south + north) / 2, lon: (west + east) / 2, radiusM })
    return cells.filter((one) => ranges.some(({ from, to }) => one >= from && one <= to))
  }
}
