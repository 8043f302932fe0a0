import t from 'tap'
import { backAt, type Point } from '../../../bench/recovery/mod.js'

/** Frames stored by second: `rates` frames a second, one after the other, looked at four times a second. */
function storedAt(rates: readonly number[]): Point[] {
  const points: Point[] = [[0, 0]]
  for (const [second, rate] of rates.entries())
    for (let quarter = 1; quarter <= 4; quarter++)
      points.push([second * 1_000 + quarter * 250, points.at(-1)![1] + rate / 4])
  return points
}
/** When it is said, looking as the points come. */
function said(points: readonly Point[], full: number): number | undefined {
  for (let seen = 1; seen <= points.length; seen++) {
    const ms = backAt(points.slice(0, seen), full)
    if (ms !== undefined) return ms
  }
  return undefined
}

t.test('a stream is back where four seconds of it have nine tenths of the rate', async (t) => {
  t.equal(
    said(storedAt([0, 0, 0, 100, 100, 100, 100, 100]), 0.1),
    2_750,
    'within a step of the end of the silence, and of the tenth that may be missing',
  )
  t.equal(said(storedAt([100, 100, 100, 100, 100]), 0.1), 0, 'nothing was seen of it')
  t.equal(said(storedAt([0, 0, 50, 50, 50, 50, 50, 50]), 0.1), undefined, 'half the rate is not full')
  const leap = said(storedAt([0, 0, 0, 400, 100, 100, 100, 100, 100]), 0.1)!
  t.ok(leap >= 3_000 && leap <= 4_000, `a leap is no rate: it counts from behind it (${leap})`)
  t.equal(said(storedAt([0, 0, 100, 100]), 0.1), undefined, 'too early to say')
})
