import { cellBounds } from './cell.js'
import { EARTH_M, SLICE_EDGES, type Circle, type Ring } from './area.js'
import { atOnce, type Sliced } from '../runtime/slices.js'

/** Cells from `from` to `to`, both included. */
export interface CellRange {
  from: number
  to: number
}

/** Most ranges of one area: each is an interval of the primary key. More would prune better but cost more to plan. */
export const MAX_RANGES = 48

/** Degrees; a box never crosses the antimeridian. */
interface Box {
  south: number
  west: number
  north: number
  east: number
}

type Judge = (box: Box) => 'out' | 'part' | 'in'

/**
 * Intervals of the Morton order that contain every cell an area touches, and as few others as `MAX_RANGES` intervals
 * allow: squares of the quad-tree are split, the largest first, while there is room. A cover only prunes; queries also
 * compare each read with the area itself.
 */
export const coverOf = (area: Circle | Ring, maxRanges = MAX_RANGES): CellRange[] =>
  (maxRanges === MAX_RANGES ? prepared.get(area) : undefined) ?? atOnce(slicedCover(area, maxRanges))

/** Covers that were made in slices. */
const prepared = new WeakMap<Circle | Ring, CellRange[]>()
/** Remembers what `coverOf` returns for this area. */
export const rememberCover = (area: Circle | Ring, cover: CellRange[]): unknown => prepared.set(area, cover)

export function* slicedCover(area: Circle | Ring, maxRanges = MAX_RANGES): Sliced<CellRange[]> {
  const judge = area.kind === 'circle' ? circleJudge(area) : ringJudge(area)
  // Edges that one judgement may compare: a square with each edge, in each turn of the world.
  const cost = area.kind === 'circle' ? 1 : area.lon.length * 2
  let compared = 0
  const isFull = () => {
    compared += cost
    if (compared <= SLICE_EDGES) return false
    compared = cost
    return true
  }
  // Sixteen bits in each direction: the whole world is one square of level 16.
  let open: { first: number; level: number }[] = [{ first: 0, level: 16 }]
  const done: CellRange[] = []
  while (open.length > 0) {
    const next: { first: number; level: number }[] = []
    for (const square of open) {
      const size = 4 ** square.level
      if (isFull()) yield
      const verdict = judge(boxOf(square.first, square.level))
      if (verdict === 'out') continue
      if (verdict === 'in' || square.level === 0) done.push({ from: square.first, to: square.first + size - 1 })
      else
        for (let quarter = 0; quarter < 4; quarter++)
          next.push({ first: square.first + quarter * (size / 4), level: square.level - 1 })
    }
    // Judged before they are counted, because most quarters lie outside.
    const touched: typeof next = []
    for (const square of next) {
      if (isFull()) yield
      if (judge(boxOf(square.first, square.level)) !== 'out') touched.push(square)
    }
    const ranges = merged([
      ...done,
      ...touched.map(({ first, level }) => ({ from: first, to: first + 4 ** level - 1 })),
    ])
    // One level beyond the limit is worthwhile when it merges into few ranges; a small area is always resolved to its
    // cells.
    if (ranges.length > maxRanges && open.length <= maxRanges * 4) return squeezed(ranges, maxRanges)
    if (touched.length > maxRanges * 16) return squeezed(ranges, maxRanges)
    open = touched
  }
  return squeezed(merged(done), maxRanges)
}

/** Closes the smallest gaps until at most `most` ranges remain. */
function squeezed(ranges: CellRange[], most: number): CellRange[] {
  if (ranges.length <= most) return ranges
  const gaps = ranges
    .slice(1)
    .map((range, index) => range.from - ranges[index]!.to)
    .sort((a, b) => a - b)
  const limit = gaps[ranges.length - most - 1]!
  const out: CellRange[] = []
  let allowed = ranges.length - most
  for (const range of ranges) {
    const last = out.at(-1)
    if (last && allowed > 0 && range.from - last.to <= limit) {
      last.to = range.to
      allowed--
    } else out.push({ ...range })
  }
  return out
}

function merged(ranges: CellRange[]): CellRange[] {
  const out: CellRange[] = []
  for (const range of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = out.at(-1)
    if (last && range.from <= last.to + 1) last.to = Math.max(last.to, range.to)
    else out.push({ ...range })
  }
  return out
}

/** The box of a square of 2^level by 2^level cells whose first cell is `first`; squares may extend past the world. */
function boxOf(first: number, level: number): Box {
  const low = cellBounds(first >>> 0)
  const high = cellBounds((first + 4 ** level - 1) >>> 0)
  return { south: low.south, west: low.west, north: high.north, east: high.east }
}

/** Boxes are enlarged by this before they are judged: rounding must never lose a read. Degrees. */
const SLACK = 1e-9

function circleJudge({ lat, lon, radiusM }: Circle): Judge {
  const angle = radiusM / EARTH_M
  const reach = (angle * 180) / Math.PI + SLACK
  const south = lat - reach
  const north = lat + reach
  // Half the width of the circle in longitude; all longitudes when it contains a pole.
  const sine = Math.sin(angle) / Math.cos((lat * Math.PI) / 180)
  const width = south <= -90 || north >= 90 || !(sine < 1) ? 360 : (Math.asin(sine) * 180) / Math.PI + SLACK
  return (box) => {
    if (box.north + SLACK < south || box.south - SLACK > north) return 'out'
    const apart = Math.min(...[-360, 0, 360].map((turn) => Math.max(box.west + turn - lon, lon - (box.east + turn), 0)))
    return apart - SLACK > width ? 'out' : 'part'
  }
}

function ringJudge(ring: Ring): Judge {
  const turns = [0, 360, -360]
  return (box) => {
    let verdict: 'out' | 'part' = 'out'
    for (const turn of turns) {
      const west = box.west + turn - SLACK
      const east = box.east + turn + SLACK
      const south = box.south - SLACK
      const north = box.north + SLACK
      if (east < ring.west || west > ring.east || north < ring.south || south > ring.north) continue
      if (edgeMeets(ring, west, south, east, north)) verdict = 'part'
      // No edge meets the box: it is all inside or all outside.
      else if (ringHolds(ring, (west + east) / 2, (south + north) / 2)) return 'in'
    }
    return verdict
  }
}

function edgeMeets({ lon, lat }: Ring, west: number, south: number, east: number, north: number): boolean {
  for (let i = 0, j = lon.length - 1; i < lon.length; j = i++) {
    const ax = lon[j]!,
      ay = lat[j]!,
      bx = lon[i]!,
      by = lat[i]!
    if (Math.max(ax, bx) < west || Math.min(ax, bx) > east || Math.max(ay, by) < south || Math.min(ay, by) > north)
      continue
    // Corners of the box on both sides of the line, or on it: edge and box meet.
    let above = 0
    let below = 0
    for (const [x, y] of [
      [west, south],
      [west, north],
      [east, south],
      [east, north],
    ] as const) {
      const side = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
      if (side >= 0) above++
      if (side <= 0) below++
    }
    if (above > 0 && below > 0) return true
  }
  return false
}

/** Whether the ring contains a point, by the even-odd rule. @param x longitude as the ring counts it */
export function ringHolds({ lon, lat }: Ring, x: number, y: number): boolean {
  let inside = false
  for (let i = 0, j = lon.length - 1; i < lon.length; j = i++) {
    if (lat[i]! > y !== lat[j]! > y && x < ((lon[j]! - lon[i]!) * (y - lat[i]!)) / (lat[j]! - lat[i]!) + lon[i]!)
      inside = !inside
  }
  return inside
}
