import t from 'tap'
import { ReplayPace } from '../../../engine/feeds/replay_pace.js'

t.test('frames are due by event time from the start; delays do not accumulate, old frames do not wait', async (t) => {
  const slept: number[] = []
  let now = 1_000
  const clock = {
    now: () => now,
    sleep: async (ms: number) => {
      slept.push(ms)
      now += ms
    },
  }
  const pace = new ReplayPace({ speed: 2, clock })
  t.equal(await pace.wait(50_000), 0)
  await pace.wait(50_400)
  t.same(slept, [200])
  now += 1_000 // the publisher blocked for a second
  t.equal(Math.round(await pace.wait(50_800)), 800)
  t.equal(slept.length, 1)
  await pace.wait(40_000) // sent late: due at once, in its place
  t.equal(slept.length, 1)
  await pace.wait(53_000)
  t.equal(now, 1_000 + 1_500, 'due times count from the start')
  const steady = new ReplayPace({ speed: 1, rate: 100, clock })
  const from = now
  for (let i = 0; i <= 50; i++) await steady.wait(7)
  t.equal(Math.round(now - from), 500)
  const fast = new ReplayPace({ speed: Infinity, clock })
  for (let i = 0; i < 10; i++) t.equal(await fast.wait(i * 1e6), 0)
})
