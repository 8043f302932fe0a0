import t from 'tap'
import fc from 'fast-check'
import { pack, unpack } from '../../../engine/partition/packed.js'
import { CameraPasses, type CameraJson } from '../../../engine/passes/camera_passes.js'
import type { OpenPass } from '../../../engine/passes/pass.js'
import type { Detection } from '../../../wasm/mod.js'
import { detectionOf, frameOf, MAIN_ST } from './plates.js'

const RULES = { gapMs: 3_000 }
const IDS = { module: 'm', model: 'n', lists: 'l' }
const T0 = Date.UTC(2026, 0, 5, 12)

/**
 * Applies frames to one camera and ends with a frame long after; returns the text and frame count of each pass in the
 * order of closing.
 */
function play(
  frames: [ms: number, detections: Detection[]][],
  camera = CameraPasses.empty('main-st', RULES),
): { plate: string; frames: number; id: string; direction: string }[] {
  const closed: OpenPass[] = []
  let seq = camera.seq
  const step = (ms: number, detections: Detection[]) => {
    seq += 1
    closed.push(...camera.advance(frameOf(seq, T0 + ms), detections, (i) => `${seq}-${i}`).closed)
  }
  for (const [ms, detections] of frames) step(ms, detections)
  step(Math.max(...frames.map(([ms]) => ms)) + 3_600_000, [])
  return closed.map((pass) => {
    const read = pass.toRead(MAIN_ST, IDS)
    return { plate: read.plate, frames: read.frames, id: read.readId, direction: read.direction }
  })
}

t.test('one car over ten frames is one read', async (t) => {
  const frames = Array.from({ length: 10 }, (_, i): [number, Detection[]] => [
    i * 200,
    [detectionOf('7ABC123', 100 + i * 60, 300 + i * 20)],
  ])
  t.match(play(frames), [{ plate: '7ABC123', frames: 10, id: '1-0' }])
})

t.test('a misread does not split a car', async (t) => {
  const texts = ['7ABC123', '7A8C123', 'ZZZZ999', '7ABC123', '7ABC12', '7ABC123']
  const reads = play(texts.map((text, i): [number, Detection[]] => [i * 200, [detectionOf(text, 100 + i * 10, 300)]]))
  t.match(reads, [{ plate: '7ABC123', frames: 6 }])
  t.equal(reads.length, 1)
})

t.test('two cars side by side with plates that differ in one character stay two', async (t) => {
  const reads = play(
    Array.from({ length: 6 }, (_, i): [number, Detection[]] => [
      i * 200,
      [detectionOf('7ABC123', 100, 300 + i * 20), detectionOf('7ABC124', 700, 300 + i * 20)],
    ]),
  )
  t.same(reads.map((r) => r.plate).sort(), ['7ABC123', '7ABC124'])
})

t.test('the same number on two vehicles in one frame is two reads', async (t) => {
  const reads = play(
    Array.from({ length: 4 }, (_, i): [number, Detection[]] => [
      i * 200,
      [detectionOf('7ABC123', 100, 300 + i), detectionOf('7ABC123', 900, 300 + i)],
    ]),
  )
  t.equal(reads.length, 2)
})

t.test('a car that follows at the same position is another read', async (t) => {
  const reads = play([
    [0, [detectionOf('7ABC123', 100, 300)]],
    [200, [detectionOf('7ABC123', 120, 320)]],
    [1_600, [detectionOf('8XYZ777', 100, 300)]],
    [1_800, [detectionOf('8XYZ777', 120, 320)]],
  ])
  t.same(
    reads.map((r) => r.plate),
    ['7ABC123', '8XYZ777'],
  )
})

t.test('the same car an hour later is another read', async (t) => {
  const reads = play([
    [0, [detectionOf('7ABC123', 100, 300)]],
    [3_600_000, [detectionOf('7ABC123', 100, 300)]],
  ])
  t.equal(reads.length, 2)
})

t.test('a parked car is one read for ten minutes, although a lorry hides it for one', async (t) => {
  const frames: [number, Detection[]][] = []
  for (let s = 0; s < 600; s++)
    if (s < 200 || s > 260) frames.push([s * 1_000, [detectionOf('7ABC123', 100 + (s % 3), 300)]])
  const reads = play(frames)
  t.equal(reads.length, 1)
  t.match(reads[0], { plate: '7ABC123', direction: 'still' })
})

t.test('a fast car at two frames a second is one read', async (t) => {
  const reads = play(
    Array.from({ length: 4 }, (_, i): [number, Detection[]] => [
      i * 500,
      [detectionOf('7ABC123', 50 + i * 350, 300, { width: 60 })],
    ]),
  )
  t.match(reads, [{ plate: '7ABC123', frames: 4 }])
})

t.test('a plate that grows is approaching, one that shrinks is leaving', async (t) => {
  const grow = (factor: number) =>
    play(
      Array.from({ length: 5 }, (_, i): [number, Detection[]] => [
        i * 200,
        [detectionOf('7ABC123', 300, 300 + i * 30, { width: 80 * factor ** i })],
      ]),
    )
  t.match(grow(1.1), [{ direction: 'approaching' }])
  t.match(grow(0.9), [{ direction: 'leaving' }])
})

t.test('late frames keep their time, on a track of their own, and do not disturb the live pass', async (t) => {
  const camera = CameraPasses.empty('main-st', RULES)
  const live = (i: number): [number, Detection[]] => [7_200_000 + i * 200, [detectionOf('7ABC123', 100 + i * 20, 300)]]
  const late = (i: number): [number, Detection[]] => [i * 200, [detectionOf('8XYZ777', 100 + i * 20, 300)]]
  const reads = play([live(0), late(0), live(1), late(1), live(2), late(2), live(3)], camera)
  t.match(
    reads.sort((a, b) => (a.plate < b.plate ? -1 : 1)),
    [
      { plate: '7ABC123', frames: 4 },
      { plate: '8XYZ777', frames: 3 },
    ],
  )
  t.equal(reads.length, 2)
})

t.test('resuming from a checkpoint at any position gives the same passes with the same ids', async (t) => {
  const plate = fc.constantFrom('7ABC123', '7A8C123', '8XYZ777', '5DEF456')
  const seen = fc.record({ plate, x: fc.integer({ min: 0, max: 1200 }), y: fc.integer({ min: 0, max: 600 }) })
  const stream = fc.array(fc.tuple(fc.integer({ min: -20_000, max: 5_000 }), fc.array(seen, { maxLength: 3 })), {
    minLength: 1,
    maxLength: 30,
  })
  fc.assert(
    fc.property(stream, fc.nat(), (steps, cutAt) => {
      let ms = 0
      const frames = steps.map(([step, cars]): [number, Detection[]] => [
        (ms = Math.max(0, ms + step)),
        cars.map((car) => detectionOf(car.plate, car.x, car.y)),
      ])
      const run = (cut: number) => {
        let camera = CameraPasses.empty('main-st', RULES)
        const out: string[] = []
        frames.forEach(([at, detections], i) => {
          if (i === cut) camera = CameraPasses.fromJSON(unpack(pack(camera)) as CameraJson, RULES)
          const seq = i + 1
          for (const pass of camera.advance(frameOf(seq, T0 + at), detections, (d) => `${seq}-${d}`).closed)
            out.push(JSON.stringify(pass.toRead(MAIN_ST, IDS)))
        })
        for (const pass of camera.open()) out.push(JSON.stringify(pass.toRead(MAIN_ST, IDS)))
        return out
      }
      const straight = run(-1)
      const cut = run(cutAt % frames.length)
      return JSON.stringify(straight) === JSON.stringify(cut)
    }),
  )
  t.pass()
})

t.test('every detection belongs to exactly one pass', async (t) => {
  const cars = fc.array(
    fc.record({
      x: fc.integer({ min: 0, max: 1200 }),
      y: fc.integer({ min: 0, max: 600 }),
      plate: fc.constantFrom('7ABC123', '8XYZ777'),
    }),
    { maxLength: 5 },
  )
  fc.assert(
    fc.property(fc.array(cars, { minLength: 1, maxLength: 20 }), (frames) => {
      const reads = play(
        frames.map((detections, i): [number, Detection[]] => [
          i * 300,
          detections.map((car) => detectionOf(car.plate, car.x, car.y)),
        ]),
      )
      return reads.reduce((sum, read) => sum + read.frames, 0) === frames.flat().length
    }),
  )
  t.pass()
})

t.test('open passes are bounded, and the oldest ones are closed, not lost', async (t) => {
  const crowd = Array.from({ length: 16 }, (_, i) => i)
  const frames = Array.from({ length: 8 }, (_, f): [number, Detection[]] => [
    f * 10,
    crowd.map((i) => detectionOf(`P${f}${String(i).padStart(2, '0')}XYZ`.slice(0, 7), i * 200, f * 200, { width: 30 })),
  ])
  const camera = CameraPasses.empty('main-st', RULES)
  let closed = 0
  const bounds = new Set<string>()
  frames.forEach(([ms, detections], i) => {
    const step = camera.advance(frameOf(i + 1, T0 + ms), detections, (d) => `${i}-${d}`)
    closed += step.closed.length
    for (const name of step.bounds) bounds.add(name)
  })
  t.same([...bounds], ['open_passes'])
  t.equal(camera.openCount, 64)
  t.equal(closed, 128 - 64)
})

t.test('the ledger adds up', async (t) => {
  const camera = CameraPasses.empty('main-st', RULES)
  camera.advance(frameOf(1, T0), [detectionOf('7ABC123', 0, 0)], () => 'a')
  camera.advance(frameOf(2, T0 + 100), [], () => 'b')
  camera.dead(3, T0)
  camera.advance(frameOf(4, T0 + 3_600_000), [], () => 'c')
  const rows = camera.takeLedger()
  t.match(rows, [
    { hour: T0, framesIn: 3, withReads: 1, withoutPlate: 1, dead: 1, part: 1, version: 3 },
    { hour: T0 + 3_600_000, framesIn: 1, withReads: 0, withoutPlate: 1, dead: 0, part: 4, version: 1 },
  ])
  t.same(camera.takeLedger(), [], 'only what changed')
})
