/**
 * Cells divide the world into squares of 1/182 degree (about 611 m north to south), numbered in Morton order, so that
 * most neighbours are adjacent in the primary key. They are computed here, and in SQL (`cellSql`) only from stored
 * positions.
 *
 *     bit  31 30 29 28 ... 3  2  1  0
 *           y  x  y  x ... y  x  y  x     x = (longitude + 180) * 182, y = (latitude + 90) * 182, 16 bits each
 */
const PER_DEGREE = 182
const MAX_X = 360 * PER_DEGREE - 1
const MAX_Y = 180 * PER_DEGREE - 1

/** @param lat degrees, -90..90; @param lon degrees, -180..180; values outside are clamped, NaN counts as 0 */
export function cellOf(lat: number, lon: number): number {
  return (spread(row(lon, 180, MAX_X)) | (spread(row(lat, 90, MAX_Y)) << 1)) >>> 0
}

/** Cell of a position as it is stored: 6 decimals, 11 cm. */
export const storedCellOf = (lat: number, lon: number): number => cellOf(micro(lat), micro(lon))
const micro = (degrees: number): number => Math.round(degrees * 1e6) / 1e6

/** `cellOf` in SQL. @param lat, lon expressions, Float64, no NaN */
export function cellSql(lat: string, lon: string): string {
  const rowSql = (degrees: string, half: number, max: number) =>
    `toUInt32(greatest(0, least(${max}, floor((${degrees} + ${half}) * ${PER_DEGREE}))))`
  return `toUInt32(mortonEncode(${rowSql(lon, 180, MAX_X)}, ${rowSql(lat, 90, MAX_Y)}))`
}

/** The edges of a cell in degrees; the upper ones belong to the next cell. */
export function cellBounds(cell: number): { south: number; west: number; north: number; east: number } {
  const x = gather(cell)
  const y = gather(cell >>> 1)
  return {
    south: y / PER_DEGREE - 90,
    west: x / PER_DEGREE - 180,
    north: (y + 1) / PER_DEGREE - 90,
    east: (x + 1) / PER_DEGREE - 180,
  }
}

function row(degrees: number, half: number, max: number): number {
  return Math.min(max, Math.max(0, Math.floor(((Number.isNaN(degrees) ? 0 : degrees) + half) * PER_DEGREE)))
}

/** Moves 16 bits to every second bit of 32. */
function spread(value: number): number {
  let v = value & 0xffff
  v = (v | (v << 8)) & 0x00ff00ff
  v = (v | (v << 4)) & 0x0f0f0f0f
  v = (v | (v << 2)) & 0x33333333
  return (v | (v << 1)) & 0x55555555
}

/** The inverse of `spread`. */
function gather(value: number): number {
  let v = value & 0x55555555
  v = (v | (v >>> 1)) & 0x33333333
  v = (v | (v >>> 2)) & 0x0f0f0f0f
  v = (v | (v >>> 4)) & 0x00ff00ff
  return (v | (v >>> 8)) & 0xffff
}
