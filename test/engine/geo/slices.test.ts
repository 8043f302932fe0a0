import t from 'tap'
import { ringOf, SLICE_EDGES, slicedRing } from '../../../engine/geo/area.js'
import { coverOf, slicedCover } from '../../../engine/geo/cover.js'
import { preparePolygons } from '../../../engine/geo/prepare_areas.js'
import { atOnce, type Sliced } from '../../../engine/runtime/slices.js'

/** A comb: all edges overlap in longitude or latitude, so bounds settle little. */
const comb = (corners: number): [number, number][] => [
  [-122, 37],
  ...Array.from({ length: corners - 2 }, (_, i): [number, number] => [-122 + (i + 1) / corners, i % 2 ? 38 : 37.5]),
  [-121, 37],
]

function slicesOf<T>(work: Sliced<T>): { slices: number; result: T } {
  for (let slices = 1; ; slices++) {
    const step = work.next()
    if (step.done) return { slices, result: step.value }
  }
}

t.test('the work on a polygon comes in slices of bounded work, with the same result', async (t) => {
  const corners = comb(2_000)
  const ring = slicesOf(slicedRing(corners))
  // Each pair of edges once: at most SLICE_EDGES of them, or one edge with all others, in a slice.
  t.ok(ring.slices >= (2_000 * 2_000) / 2 / SLICE_EDGES, `${ring.slices} slices`)
  t.same(ring.result, ringOf(corners))
  const cover = slicesOf(slicedCover(ring.result))
  t.ok(cover.slices > 10, `${cover.slices} slices`)
  t.same(cover.result, atOnce(slicedCover(ring.result)))
})

t.test('the event loop turns while a question of 16 large polygons is prepared', async (t) => {
  const polygons = Array.from({ length: 16 }, () => ({ polygon: comb(2_000) }))
  let turns = 0
  let ended = false
  const count = () => {
    turns++
    if (!ended) setImmediate(count)
  }
  setImmediate(count)
  await preparePolygons({ places: polygons.slice(0, 8), scenes: [{ places: polygons.slice(8) }] })
  ended = true
  t.ok(turns >= 16 * 40, `${turns} turns`)
  // What was prepared is remembered: the question gets the same objects.
  const ring = ringOf(polygons[15]!.polygon)
  t.equal(ringOf(polygons[15]!.polygon), ring)
  t.equal(coverOf(ring), coverOf(ring))
})

t.test('a polygon that is none is refused while it is prepared', async (t) => {
  const bow = [
    [0, 0],
    [1, 1],
    [1, 0],
    [0, 1],
  ]
  await t.rejects(preparePolygons({ places: [{ polygon: bow }] }), { code: 'ALPR_ERR_AREA_INVALID' })
})
