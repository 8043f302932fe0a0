import t from 'tap'
import { fullRateSince, type Point } from '../../../bench/recovery/steady_rate.js'

/** Frames stored by second: `rates` frames in each, sampled four times a second. */
function storedAt(rates: readonly number[]): Point[] {
  const points: Point[] = [[0, 0]]
  for (const [second, rate] of rates.entries())
    for (let quarter = 1; quarter <= 4; quarter++)
      points.push([second * 1_000 + quarter * 250, points.at(-1)![1] + rate / 4])
  return points
}

/** The first answer while the points arrive. */
function firstAnswer(points: readonly Point[], full: number): number | undefined {
  for (let seen = 1; seen <= points.length; seen++) {
    const ms = fullRateSince(points.slice(0, seen), full)
    if (ms !== undefined) return ms
  }
  return undefined
}

t.test('the full rate is back when four seconds have nine tenths of it', async (t) => {
  t.equal(
    firstAnswer(storedAt([0, 0, 0, 100, 100, 100, 100, 100]), 0.1),
    2_750,
    'one sample before the end of the silence, because a tenth may be missing',
  )
  t.equal(firstAnswer(storedAt([100, 100, 100, 100, 100]), 0.1), 0, 'the rate never fell')
  t.equal(firstAnswer(storedAt([0, 0, 50, 50, 50, 50, 50, 50]), 0.1), undefined, 'half the rate is not the full rate')
  const leap = firstAnswer(storedAt([0, 0, 0, 400, 100, 100, 100, 100, 100]), 0.1)!
  t.ok(leap >= 3_000 && leap <= 4_000, `a leap is not a rate: the answer is after it (${leap})`)
  t.equal(firstAnswer(storedAt([0, 0, 100, 100]), 0.1), undefined, 'two seconds are too few')
})
