import fc from 'fast-check'
import t from 'tap'
import { Pace } from '../../../engine/passes/pace.js'
import { detectionOf } from './plates.js'
import { Player } from './player.js'

const paceOf = (...times: number[]): Pace => {
  const pace = Pace.unknown()
  for (const time of times) pace.note(time)
  return pace
}
/** Times with these steps in between, from 0 on. */
function times(...steps: number[]): number[] {
  const all = [0]
  for (const step of steps) all.push(all.at(-1)! + step)
  return all
}
const repeat = (n: number, ...steps: number[]): number[] => Array.from({ length: n }, () => steps).flat()

t.test('the pace is the usual step; nothing is known after one capture', async (t) => {
  t.equal(paceOf(0).intervalMs, undefined)
  t.equal(paceOf(0, 10_000).intervalMs, 10_000)
  t.equal(paceOf(...times(...repeat(20, 200))).intervalMs, 200)
})

t.test('bursts do not make a slow camera fast, pauses do not make a fast one slow', async (t) => {
  t.equal(paceOf(...times(...repeat(10, 100, 100, 9_800))).intervalMs, 9_800, 'three frames every ten seconds')
  t.equal(paceOf(...times(...repeat(4, 200, 200, 200, 200, 200, 30_000))).intervalMs, 200)
  t.equal(paceOf(...times(...repeat(10, 200), 30_000, 40_000)).intervalMs, 200, 'two pauses in a row')
  t.equal(paceOf(...times(...repeat(10, 200), 3_600_000, ...repeat(3, 200))).intervalMs, 200)
})

t.test('a camera that slows down is slow after three frames, one that speeds up is fast after ten', async (t) => {
  t.equal(paceOf(...times(...repeat(20, 200), ...repeat(3, 10_000))).intervalMs, 10_000)
  t.equal(paceOf(...times(...repeat(20, 10_000), ...repeat(10, 200))).intervalMs, 200)
})

t.test('gaps of a fast camera are the setting, those of a slow one grow with its step', async (t) => {
  t.match(paceOf(...times(...repeat(9, 1_000))).gaps(3_000), { passMs: 3_000, parkedMs: 120_000, jitterMs: 2_000 })
  t.match(paceOf(...times(...repeat(9, 3_100))).gaps(3_000), { passMs: 10_850, parkedMs: 120_000 })
  t.match(paceOf(...times(...repeat(9, 60_000))).gaps(3_000), { passMs: 210_000, parkedMs: 300_000 })
})

t.test('the pace does not depend on the order of arrival, and continues from a checkpoint', async (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 3, maxLength: 11 }),
      fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
      (steps, keys) => {
        const inOrder = times(...steps)
        const shuffled = inOrder
          .map((time) => ({ time, key: keys.next().value }))
          .sort((a, b) => a.key - b.key)
          .map(({ time }) => time)
        let pace = Pace.unknown()
        let newest = -Infinity
        for (const time of shuffled) {
          newest = Math.max(newest, time)
          pace.note(time)
          pace = Pace.fromJSON(newest, JSON.parse(JSON.stringify(pace)) as number[])
        }
        return pace.intervalMs === paceOf(...inOrder).intervalMs
      },
    ),
  )
  t.pass()
})

t.test(
  'a parked car is one read an hour at any interval from 0.04 to 60 s, in spite of jitter and misses',
  async (t) => {
    const car = detectionOf('7ABC123', 100, 300)
    const interval = fc.oneof(
      { weight: 1, arbitrary: fc.integer({ min: 40, max: 400 }) },
      { weight: 6, arbitrary: fc.integer({ min: 400, max: 60_000 }) },
    )
    fc.assert(
      fc.property(interval, fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (ms, random) => {
        const next = () => random.next().value
        const player = new Player()
        let missed = 0
        for (let at = 0; at < 3_600_000; at += ms) {
          // Never more than two frames in a row without the car.
          missed = missed < 2 && next() < 0.1 ? missed + 1 : 0
          player.play([{ ms: Math.round(at + ms * 0.2 * next()), detections: missed > 0 ? [] : [car] }])
        }
        return player.reads.length === 1
      }),
      { numRuns: 25 },
    )
    t.pass()
  },
)

t.test('with a frame every 10 s each car is a read of its own, also at the same place', async (t) => {
  const player = new Player()
  for (let n = 0; n < 40; n++) {
    const plate = 'ABCDEFGHIJKLMNOPQRST'.charAt(n / 2).repeat(7)
    player.play([{ ms: n * 10_000, detections: [detectionOf(plate, 100 + (n % 2) * 20, 300)] }])
  }
  t.equal(player.reads.length, 20)
})

t.test(
  'cars with half the same text that stop at one line of a slow camera stay two; a misread is no second car',
  async (t) => {
    const reads = (second: string, x: number) =>
      new Player().play(
        ['7ABC123', '7ABC123', second, second].map((plate, n) => ({
          ms: n * 4_000,
          detections: [detectionOf(plate, 100 + (n < 2 ? 0 : x), 300)],
        })),
      ).reads.length
    t.equal(reads('7ABC999', 70), 2)
    t.equal(reads('7ABC999', 0), 2)
    t.equal(reads('7ABC128', 10), 1)
  },
)

t.test('a camera that slows down or speeds up while a car is parked does not cut it', async (t) => {
  const car = detectionOf('7ABC123', 100, 300)
  for (const steps of [
    [...repeat(100, 200), ...repeat(30, 60_000)],
    [...repeat(30, 60_000), ...repeat(100, 200)],
  ])
    t.equal(new Player().play(times(...steps).map((ms) => ({ ms, detections: [car] }))).reads.length, 1)
})
