import t from 'tap'
import { FramePacer } from '../../../engine/ingest/frame_pacer.js'

/** How many pictures of a minute are wanted. @param jitterMs each comes up to so much early or late */
function wantedOf(sentFps: number, fps: number, jitterMs = 0): number {
  const pacer = new FramePacer(fps)
  let seed = 7
  const random = () => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648 - 0.5
  let wanted = 0
  for (let i = 0; i < sentFps * 60; i++)
    if (pacer.wants(1_000_000 + (i * 1_000) / sentFps + 2 * jitterMs * random())) wanted++
  return wanted
}

t.test('as many pictures are taken as are wanted, evenly', async (t) => {
  for (const sent of [6, 7, 8, 10, 12.5, 15, 25, 30, 60]) t.ok(Math.abs(wantedOf(sent, 5) - 300) <= 3, `${sent}`)
  t.ok(Math.abs(wantedOf(25, 0.5) - 30) <= 1)
})

t.test('a camera of the wanted rate keeps all its pictures, whatever their jitter', async (t) => {
  t.equal(wantedOf(5, 5), 300)
  t.equal(wantedOf(5, 5, 80), 300)
  t.equal(wantedOf(5.5, 5, 30), 330)
  t.equal(wantedOf(1, 5, 300), 60)
})

t.test('pictures in the order of a decoder (B-frames) are taken at the same rate', async (t) => {
  const pacer = new FramePacer(5)
  const all: number[] = []
  // I0 P3 B1 B2 P6 B4 B5 ..., 25 a second
  const order = [0, ...Array.from({ length: 200 }, (_, i) => [3 * i + 3, 3 * i + 1, 3 * i + 2]).flat()]
  for (const i of order) if (pacer.wants(i * 40)) all.push(i)
  const seconds = (order.length * 40) / 1_000
  t.ok(all.length > 3.5 * seconds && all.length < 6.5 * seconds, `${all.length} in ${seconds} s`)

  const slow = new FramePacer(5)
  t.equal(order.filter((i) => slow.wants(i * 200)).length, order.length)
})

t.test('a picture of the same time is not wanted; a clock that was set back begins again', async (t) => {
  const pacer = new FramePacer(5)
  t.same(
    [1_000, 1_000, 2_000].map((time) => pacer.wants(time + 1e9)),
    [true, false, true],
  )
  t.same(
    [1_000, 2_000].map((time) => pacer.wants(time)),
    [true, true],
  )
})
