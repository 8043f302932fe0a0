import t from 'tap'
import fc from 'fast-check'
import { cellBounds, cellOf } from '../../../engine/geo/cell.js'

const lat = fc.double({ min: -90, max: 90, noNaN: true })
const lon = fc.double({ min: -180, max: 180, noNaN: true })

/** The definition, bit by bit. */
function slowly(latitude: number, longitude: number): number {
  const x = Math.min(65_519, Math.floor((longitude + 180) * 182))
  const y = Math.min(32_759, Math.floor((latitude + 90) * 182))
  let cell = 0n
  for (let bit = 0n; bit < 16n; bit++)
    cell |= (((BigInt(x) >> bit) & 1n) << (2n * bit)) | (((BigInt(y) >> bit) & 1n) << (2n * bit + 1n))
  return Number(cell)
}

t.test('a cell number interleaves the bits of both coordinates', async () => {
  fc.assert(
    fc.property(lat, lon, (a, b) => cellOf(a, b) === slowly(a, b)),
    { numRuns: 2_000 },
  )
})

t.test('a point lies inside its cell', async () => {
  fc.assert(
    fc.property(lat, lon, (a, b) => {
      const { south, west, north, east } = cellBounds(cellOf(a, b))
      const slack = 1e-9
      return a >= south - slack && a <= north + slack && b >= west - slack && b <= east + slack
    }),
    { numRuns: 2_000 },
  )
})

t.test('the cells of a box lie between those of its corners', async () => {
  fc.assert(
    fc.property(
      lat,
      lon,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (a, b, up, right) => {
        const north = Math.min(90, a + up)
        const east = Math.min(180, b + right)
        const middle = cellOf((a + north) / 2, (b + east) / 2)
        return cellOf(a, b) <= middle && middle <= cellOf(north, east)
      },
    ),
  )
})

t.test('known positions have their fixed numbers, and values out of range are clamped', async (t) => {
  t.equal(cellOf(0, 0), slowly(0, 0))
  t.equal(cellOf(-90, -180), 0)
  t.equal(cellOf(90, 180), slowly(90, 180))
  t.equal(cellOf(Number.NaN, Number.NaN), cellOf(0, 0))
  t.equal(cellOf(1e9, -1e9), cellOf(90, -180))
  t.equal(cellOf(Infinity, -Infinity), cellOf(90, -180))
  t.equal(
    cellOf(37.77, -122.42),
    650_704_509,
    'San Francisco must never change: the cell is the first column of the key',
  )
})
