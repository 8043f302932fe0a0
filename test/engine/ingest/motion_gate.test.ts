import t from 'tap'
import { MINIATURE } from '../../../engine/ingest/miniature.js'
import { MotionGate, moves } from '../../../engine/ingest/motion_gate.js'
import { ViewWatch } from '../../../engine/ingest/view_watch.js'

/** Even noise of a seed. */
function noise(seed: number): () => number {
  let state = seed * 2_654_435_761 + 1
  return () => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) / 4_294_967_296 - 0.5
}

interface View {
  /** Left edge of a car, pixels of a miniature; none outside. */
  car?: number
  /** How much lighter it is than the road. */
  contrast?: number
  light?: number
  grain?: number
  seed?: number
  /** Of the scenery: another one is another view. */
  place?: number
  soft?: boolean
}

function miniature({ car = -100, contrast = 40, light = 0, grain = 1, seed = 1, place = 1, soft = false }: View = {}) {
  const { width, height } = MINIATURE
  const out = new Uint8Array(width * height)
  const random = noise(seed)
  const scenery = noise(place)
  const posts = Array.from({ length: 25 }, () => ({ x: (scenery() + 0.5) * 310, y: (scenery() + 0.5) * 170 }))
  const add = (left: number, top: number, right: number, bottom: number, value: number) => {
    for (let y = Math.max(0, Math.round(top)); y < Math.min(height, bottom); y++)
      for (let x = Math.max(0, Math.round(left)); x < Math.min(width, right); x++) out[y * width + x]! += value
  }
  for (let at = 0; at < out.length; at++) out[at] = 90 + light + (at * 40) / out.length + random() * 2 * grain
  if (!soft) for (const { x, y } of posts) add(x - 6, y - 12, x + 6, y + 12, 30)
  add(car, 90, car + 40, 115, contrast)
  return out
}

t.test('a small car that comes, creeps or goes moves; noise and light do not', async (t) => {
  const before = miniature()
  t.equal(moves(before, miniature({ seed: 2 })), false)
  t.equal(moves(miniature({ grain: 12 }), miniature({ grain: 12, seed: 2 })), false)
  t.equal(moves(before, miniature({ light: 8, seed: 2 })), false)
  t.equal(moves(before, miniature({ car: 100, seed: 2 })), true)
  t.equal(moves(before, miniature({ car: 100, contrast: 12, seed: 2 })), true)
  t.equal(moves(miniature({ car: 100 }), miniature({ car: 104, seed: 2 })), true)
})

t.test('still pictures are thinned to one a second, and none is while something moves or just did', async (t) => {
  const gate = new MotionGate()
  const begin = 1_764_590_400_000
  const passed: number[] = []
  for (let i = 0; i < 100; i++) {
    const time = i * 200
    // A car drives by from second 8 to 10.
    const car = time >= 8_000 && time <= 10_000 ? (time - 8_000) / 8 : -100
    if (gate.passes(miniature({ car, seed: i }), begin + time)) passed.push(time)
  }
  const within = (from: number, to: number) => passed.filter((time) => time >= from && time < to).length
  t.equal(within(8_000, 12_000), 20)
  t.ok(within(3_000, 8_000) <= 6, `${within(3_000, 8_000)} before`)
  t.ok(within(3_000, 8_000) >= 4)
  t.ok(within(13_000, 20_000) <= 8, `${within(13_000, 20_000)} after`)
})

t.test('a clock that was set back does not close the gate', async (t) => {
  const gate = new MotionGate()
  gate.passes(miniature(), 2_000_000)
  t.equal(gate.passes(miniature(), 1_000_000), true)
})

t.test('a covered, an unsharp and a turned camera are named, after some time and until it is over', async (t) => {
  const watch = new ViewWatch()
  let time = 1_764_590_400_000
  const see = (seconds: number, view: View | Uint8Array) => {
    for (let i = 0; i < seconds; i++) {
      time += 1_000
      watch.see(view instanceof Uint8Array ? view : miniature({ ...view, seed: time }), time)
    }
    return watch.faults
  }
  t.same(see(60, {}), [])
  t.same(see(60, { car: 100 }), [], 'a car that stops')
  const dark = new Uint8Array(MINIATURE.width * MINIATURE.height).fill(12)
  t.same(see(10, dark), [])
  t.same(see(15, dark), ['blocked'])
  t.same(see(1, {}), [])
  t.same(see(30, { soft: true }), ['blurred'])
  t.same(see(1, {}), [])
  t.same(see(30, { place: 5 }), ['moved'])
  t.same(see(1, {}), [])
})
