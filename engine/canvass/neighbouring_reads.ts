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

const MAX_READS = 500_000
/**
 * How far a vehicle with a camera may have moved between the two reads: 250 km/h, and at least 5 km because positions
 * have errors.
 */
const FASTEST_M_S = 70
const MIN_REACH_M = 5_000
/** Upper bound of the distance from the middle of a cell to its corner, metres. */
const HALF_CELL_M = 450
/**
 * Time spans per query. The key of `reads` is (cell, time): without spans the store would look up all cells in all
 * weeks. Beyond some number each further span costs more to plan than it saves to read: of 8, 16 and one a sighting, 16
 * were fastest over a year of 20 million reads.
 */
const SPANS = 16

/**
 * Reads of other plates by the anchors' cameras within the gap of an anchor (and some up to twice the gap away). Times
 * are selected in slots as wide as the gap: a set of numbers that the store looks up after reading only the time
 * column.
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
  const slot = sql`intDiv(toUnixTimestamp64Milli(ts), ${value('Int64', gapMs)})`
  const pairs = slotsOf(sorted, gapMs)
  const slots = [...new Set(pairs.map((pair) => pair.slot))]
  const cameraOfPair = value(
    'Array(String)',
    pairs.map(({ cam }) => cam),
  )
  const slotOfPair = value(
    'Array(Int64)',
    pairs.map((pair) => pair.slot),
  )
  const condition = {
    fixed: and([
      sql`${slot} IN ${value('Array(Int64)', slots)}`,
      or(spansOf(sorted, cellsOf, gapMs)),
      sql`(camera, ${slot}) IN (SELECT arrayJoin(arrayZip(${cameraOfPair}, ${slotOfPair})))`,
    ]),
    rest: sql`plate != '' AND plate != ${value('String', plate)}`,
  }
  const reads = await ask.rows<NeighbouringRead>(
    sql`
    SELECT plate AS text, camera AS cam, toUnixTimestamp64Milli(ts) AS at
    FROM ${ask.reads(condition, sql`plate, camera, ts`)} LIMIT ${value('UInt32', MAX_READS + 1)}`,
    'neighbouring reads',
  )
  if (reads.length > MAX_READS)
    throw new AlprError('ALPR_ERR_QUESTION_TOO_LARGE', { reason: `more than ${MAX_READS} reads near the sightings` })
  return reads
}

/** Each camera with the slots of time that its anchors' gaps touch. */
function slotsOf(anchors: readonly Anchor[], gapMs: number): { cam: string; slot: number }[] {
  const pairs = new Map<string, { cam: string; slot: number }>()
  for (const { cam, at } of anchors) {
    for (let slot = Math.floor((at - gapMs) / gapMs); slot <= Math.floor((at + gapMs) / gapMs); slot++)
      pairs.set(`${cam} ${slot}`, { cam, slot })
  }
  return [...pairs.values()]
}

/** Conditions that pair a span of time with the cells of its anchors. @param sorted by time */
function spansOf(sorted: readonly Anchor[], cellsOf: (anchor: Anchor) => number[], gapMs: number): Sql[] {
  const each = Math.ceil(sorted.length / SPANS)
  const spans: Sql[] = []
  for (let first = 0; first < sorted.length; first += each) {
    const anchors = sorted.slice(first, first + each)
    const cells = [...new Set(anchors.flatMap(cellsOf))]
    spans.push(
      and([
        sql`ts >= ${time(anchors[0]!.at - gapMs)} AND ts <= ${time(anchors.at(-1)!.at + gapMs)}`,
        sql`cell IN ${value('Array(UInt32)', cells)}`,
      ]),
    )
  }
  return spans
}

/**
 * Cells in which an anchor's camera may have made another read within the gap: a fixed camera's own cell; for a mobile
 * one, the cells it has ever been in, as far as it can have moved.
 */
async function reachOf(ask: Ask, anchors: readonly Anchor[], gapMs: number): Promise<(anchor: Anchor) => number[]> {
  const cameras = [...new Set(anchors.map(({ cam }) => cam))]
  const rows = await ask.rows<{ cam: string; cells: number[] }>(
    sql`
    SELECT camera AS cam, groupUniqArray(cell) AS cells FROM ${tableOf(ask.database, 'camera_cells')}
    WHERE camera IN ${value('Array(String)', cameras)} GROUP BY camera`,
    'cells of the cameras',
  )
  const cellsByCamera = new Map(rows.map(({ cam, cells }) => [cam, cells]))
  const radiusM = Math.max(MIN_REACH_M, (gapMs / 1_000) * FASTEST_M_S) + HALF_CELL_M
  return ({ cam, cell }) => {
    const cells = cellsByCamera.get(cam) ?? [cell]
    if (cells.length <= 1) return cells
    const { south, west, north, east } = cellBounds(cell)
    const ranges = coverOf({ kind: 'circle', lat: (south + north) / 2, lon: (west + east) / 2, radiusM })
    return cells.filter((one) => ranges.some(({ from, to }) => one >= from && one <= to))
  }
}
