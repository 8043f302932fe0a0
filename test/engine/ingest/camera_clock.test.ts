import t from 'tap'
import { CameraClock } from '../../../engine/ingest/camera_clock.js'

const NOW = 1_764_590_400_000

t.test('without a time in the stream the arrival counts', async (t) => {
  const clock = new CameraClock()
  t.equal(clock.timeOf(NOW), NOW)
  t.match(clock, { source: 'arrival', offsetMs: undefined })
})

t.test("the camera's clock counts while it is within 5 s, and again within 4", async (t) => {
  const clock = new CameraClock()
  const at = (offset: number) => clock.timeOf(NOW, { camera: NOW + offset }) - NOW
  t.same([at(-4_900), at(-5_100), at(-4_500), at(-3_900), at(4_900), at(90_000)], [-4_900, 0, 0, -3_900, 4_900, 0])
  t.equal(clock.offsetMs, 90_000)
  t.equal(clock.source, 'arrival')
})

t.test('a counter takes the jitter of the network out of times of arrival', async (t) => {
  const clock = new CameraClock()
  const jitter = [40, 0, 120, 15, 300, 5, 80]
  const times = jitter.map((late, i) => clock.timeOf(NOW + i * 200 + late, { counter: 7_000 + i * 200 }))
  // From the second picture on, the one that came fastest is known.
  t.same(
    times.slice(1),
    [1, 2, 3, 4, 5, 6].map((i) => NOW + i * 200),
  )
})

t.test('no picture is later than its arrival, and a counter that begins again is followed', async (t) => {
  const clock = new CameraClock()
  clock.timeOf(NOW, { counter: 1_000_000 })
  t.equal(clock.timeOf(NOW + 1_000, { counter: 5 }), NOW + 1_000)
  t.equal(clock.timeOf(NOW + 1_210, { counter: 205 }), NOW + 1_200)
  t.equal(clock.timeOf(NOW + 1_300, { counter: 405 }), NOW + 1_300)
})
