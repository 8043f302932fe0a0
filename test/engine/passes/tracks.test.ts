import fc from 'fast-check'
import t from 'tap'
import type { Read } from '../../../engine/model/read.js'
import { CameraPasses, type CameraJson } from '../../../engine/passes/camera_passes.js'
import { readColumns } from '../../../engine/passes/vote_columns.js'
import type { PassJson } from '../../../engine/passes/pass_state.js'
import { saveState } from '../../../engine/partition/saved_state.js'
import type { Detection } from '../../../wasm/mod.js'
import { detectionOf, frameOf } from './plates.js'
import { Player, RULES, type Shot, T0 } from './player.js'

/** A car that drives through the picture in `frames` frames of a camera. */
interface Car {
  lane: number
  from: number
  frames: number
  /** Pixels from frame to frame. */
  step: number
  growth: number
  misread: number
}
const car = fc.record({
  lane: fc.integer({ min: 0, max: 5 }),
  from: fc.integer({ min: 0, max: 30 }),
  frames: fc.integer({ min: 2, max: 12 }),
  step: fc.integer({ min: 0, max: 150 }),
  growth: fc.constantFrom(0.95, 1, 1.08),
  misread: fc.integer({ min: 0, max: 20 }),
})

/** What a camera sees of cars, each in a lane of its own text and place. */
function traffic(cars: readonly Car[], intervalMs: number, frames = 45): Shot[] {
  return Array.from({ length: frames }, (_, frame) => ({
    ms: frame * intervalMs,
    name: `frame-${frame}`,
    detections: cars
      .filter(({ lane }, i) => cars.findIndex((other) => other.lane === lane) === i)
      .filter(({ from, frames: n }) => frame >= from && frame < from + n)
      .map(({ lane, from, step, growth, misread }) => {
        const plate = 'ABCDEF'.charAt(lane).repeat(6)
        const text = frame === misread ? `8${plate.slice(1)}` : plate
        return detectionOf(text, 100 + step * (frame - from), 1_000 * lane, { width: 90 * growth ** (frame - from) })
      }),
  }))
}

/** What must not depend on the order of arrival. The text of few votes that disagree may. */
const facts = ({ plate, frames, tsLast, direction }: Read) => ({ plate, frames, tsLast, direction })
const sorted = (reads: readonly Read[]) =>
  reads
    .map(facts)
    .map((one) => JSON.stringify(one))
    .sort()

/** The frames in the order in which they arrive when each is delayed by 0 to `most` ms. */
function delayed(shots: readonly Shot[], delays: Iterator<number>, most: number): Shot[] {
  return shots
    .map((shot) => ({ shot, at: shot.ms + most * delays.next().value! }))
    .sort((a, b) => a.at - b.at)
    .map(({ shot }) => shot)
}
const delays = fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true }))

t.test('frames in any order within the jitter give the reads of the frames in order', async (t) => {
  fc.assert(
    fc.property(
      fc.array(car, { maxLength: 6 }),
      fc.integer({ min: 40, max: 900 }),
      delays,
      (cars, intervalMs, random) => {
        const shots = traffic(cars, intervalMs)
        const straight = new Player().play(shots).reads
        const mixed = new Player().play(delayed(shots, random, 2_000)).reads
        t.same(sorted(mixed), sorted(straight))
        // The time and place of a read are those of the detection that arrived first.
        return mixed.every(({ ts, tsLast, plate }) =>
          straight.some((one) => one.plate === plate && one.tsLast === tsLast && ts >= one.ts && ts <= one.ts + 2_000),
        )
      },
    ),
    { numRuns: 150 },
  )
})

t.test('the jitter of a slow camera is two of its frames', async (t) => {
  fc.assert(
    fc.property(
      fc.array(car, { maxLength: 6 }),
      fc.integer({ min: 3_000, max: 60_000 }),
      delays,
      (cars, intervalMs, random) => {
        const shots = traffic(cars, intervalMs)
        const known = shots.slice(0, 4)
        const mixed = [...known, ...delayed(shots.slice(4), random, 2 * intervalMs)]
        t.same(sorted(new Player().play(mixed).reads), sorted(new Player().play(shots).reads))
      },
    ),
    { numRuns: 50 },
  )
})

t.test('frames of any lateness behind a fresh one are one read, as in order', async (t) => {
  for (let late = 0; late <= 30_000; late += 500) {
    const shots = traffic([{ lane: 0, from: 0, frames: 12, step: 20, growth: 1, misread: 20 }], 200, 12)
    const fresh = { ms: late, detections: [] }
    t.match(new Player().play([fresh, ...shots]).reads, [{ plate: 'AAAAAA', frames: 12, ts: T0 }], `${late} ms`)
  }
})

t.test('late frames that catch up with the live ones cut no car', async (t) => {
  // As `replay --speed 4` right after another replay: it begins 9 s behind the newest frame and ends in front of it.
  const [first] = traffic([], 200, 1)
  const cars = [4, 44, 47].map((from, lane) => ({ lane, from, frames: 12, step: 20, growth: 1, misread: -1 }))
  const player = new Player().play([{ ...first!, ms: 9_000, name: 'fresh' }, ...traffic(cars, 200, 80)])
  t.match(
    player.reads.map(({ plate, frames }) => [plate, frames]),
    [
      ['AAAAAA', 12],
      ['BBBBBB', 12],
      ['CCCCCC', 12],
    ],
  )
})

t.test('segments that are sent side by side have a track each', async (t) => {
  const segment = (plate: string, ms: number): Shot[] =>
    Array.from({ length: 20 }, (_, i) => ({
      ms: ms + i * 200,
      detections: [detectionOf(plate, 100 + i * 20, 300)],
    }))
  const together = (...segments: Shot[][]) => segments[0]!.flatMap((_, i) => segments.map((shots) => shots[i]!))
  const fresh = { ms: 3_600_000, detections: [] }
  for (const apart of [5_000, 30_000, 600_000]) {
    const player = new Player().play([fresh, ...together(segment('7ABC123', 0), segment('8XYZ777', apart))])
    t.same(
      player.reads.map(({ plate, frames }) => [plate, frames]),
      [
        ['7ABC123', 20],
        ['8XYZ777', 20],
      ],
      `${apart} ms apart`,
    )
  }
  // The bound on late tracks: the fifth segment closes the track that got nothing for longest; all of it is stored.
  const plates = ['7ABC123', '8XYZ777', '5DEF456', '6LMN890', '3QRS246']
  const player = new Player().play([fresh, ...together(...plates.map((plate, n) => segment(plate, n * 60_000)))])
  t.ok(player.bounds.includes('late_tracks'))
  t.equal(
    player.reads.reduce((sum, read) => sum + read.frames, 0),
    100,
  )
})

t.test('a late frame joins the pass that its vehicle is in, on any track', async (t) => {
  const shots = traffic([{ lane: 0, from: 0, frames: 45, step: 0, growth: 1, misread: -1 }], 200)
  const held = shots.splice(20, 1)
  t.match(new Player().play([...shots, ...held]).reads, [{ plate: 'AAAAAA', frames: 45 }])
  t.match(new Player().play([...shots, ...held, ...held]).reads, [{ plate: 'AAAAAA', frames: 45 }])
})

t.test('messages that come again, at any later time, change nothing', async (t) => {
  const again = fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(
      fc.array(car, { maxLength: 6 }),
      fc.array(car, { maxLength: 3 }),
      fc.integer({ min: 100, max: 900 }),
      again,
      fc.boolean(),
      (cars, lateCars, intervalMs, repeats, restart) => {
        const live = traffic(cars, intervalMs).map((shot) => ({ ...shot, ms: shot.ms + 3_600_000 }))
        const late = traffic(lateCars, intervalMs).map((shot) => ({ ...shot, name: `late-${shot.name}` }))
        const stream = live.flatMap((shot, i) => [shot, late[i]!])
        const pauses = Array.from({ length: 200 }, (_, n) => ({
          ms: 3_600_000 + 45 * intervalMs + n * 1_000,
          detections: [],
          name: `pause-${n}`,
        }))
        const once = [...stream, ...pauses]
        const twice: Shot[] = [...once]
        // From the end on, so that each repetition stays behind its message.
        const places = repeats.map(([which, where]) => ({ i: which % stream.length, where }))
        for (const { i, where } of places.sort((a, b) => b.i - a.i))
          twice.splice(i + 1 + (where % (once.length - i)), 0, stream[i]!)
        const player = new Player()
        for (const [i, shot] of twice.entries()) {
          if (restart && i % 20 === 0) player.restart()
          player.play([shot])
        }
        const unique = (reads: Read[]) =>
          reads.map(({ readId, ts, confidence, ...read }) =>
            JSON.stringify([readId, ts, confidence, facts(read as Read)]),
          )
        t.same(unique(player.reads), unique(new Player().play(once).reads))
      },
    ),
    { numRuns: 150 },
  )
})

t.test('frames up to 10 s late give the reads of the frames in order, however often they come', async (t) => {
  const lateness = fc.infiniteStream(fc.oneof(fc.constant(0), fc.integer({ min: 2_100, max: 10_000 })))
  fc.assert(
    fc.property(
      fc.array(car, { maxLength: 6 }),
      fc.integer({ min: 100, max: 900 }),
      lateness,
      fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 20 }),
      fc.boolean(),
      (cars, intervalMs, random, repeats, restart) => {
        const shots = traffic(cars, intervalMs)
        const pauses = Array.from({ length: 150 }, (_, n) => ({
          ms: 45 * intervalMs + n * 1_000,
          detections: [],
          name: `pause-${n}`,
        }))
        // A third is on time, so that no car is out of sight for a gap.
        const late = [...shots, ...pauses]
          .map((shot, i) => ({ shot, at: shot.ms + (i % 3 === 0 ? 0 : random.next().value!) }))
          .sort((a, b) => a.at - b.at)
          .map(({ shot }) => shot)
        for (const [which, where] of repeats) {
          const i = which % late.length
          late.splice(i + 1 + (where % (late.length - i)), 0, late[i]!)
        }
        const player = new Player()
        for (const [i, shot] of late.entries()) {
          if (restart && i % 10 === 0) player.restart()
          player.play([shot])
        }
        t.same(sorted(player.reads), sorted(new Player().play(shots).reads))
        // The last version of each was closed: its hits have their last revision.
        t.equal(player.camera.lingers, false)
        const last = new Map(player.closed.map((pass) => [pass.state.readId, pass.state.frames]))
        t.same(
          player.reads.map(({ frames }) => frames),
          player.reads.map(({ readId }) => last.get(readId)),
        )
      },
    ),
    { numRuns: 60 },
  )
})

t.test('a late frame of a vehicle whose pass closed lately is another version of its read', async (t) => {
  const seen = (ms: number): Shot => ({ ms, detections: [detectionOf('7ABC123', 100, 300)] })
  const empty = (ms: number): Shot => ({ ms, detections: [] })
  const start = [seen(1_000), seen(1_500), ...[2_000, 2_500, 3_000, 3_500, 4_000, 4_500, 5_000].map(empty)]
  const player = new Player().play(start)
  t.equal(player.closed.length, 1)
  t.match(player.play([seen(1_250), seen(500), seen(4_250)]).reads, [{ plate: '7ABC123', frames: 5, version: 5 }])
  t.equal(player.reads[0]!.tsLast, T0 + 4_250)
  t.match(player.play([seen(1_250), seen(500), seen(1_500)]).reads, [{ frames: 5 }], 'they are known')
  player.play([empty(20_000)])
  t.equal(player.closed.length, 1)
  player.play([empty(20_001)])
  t.equal(player.closed.length, 2, 'it closes once more, for the last revision of its hits')
  t.match(player.play([seen(3_000)]).reads, [{ frames: 5 }], 'what is later changes nothing')
  const unchanged = new Player().play([...start, empty(20_001)])
  t.equal(unchanged.camera.lingers, false)
  t.equal(unchanged.closed.length, 1, 'one that did not change closes once')
})

t.test('a camera that is put away lets no pass linger', async (t) => {
  const seen = (ms: number): Shot => ({ ms, detections: [detectionOf('7ABC123', 100, 300)] })
  const start = [seen(1_000), seen(1_500), ...[2_000, 2_500, 3_000, 4_900].map((ms) => ({ ms, detections: [] }))]
  const player = new Player().play(start)
  t.equal(player.camera.lingers, true)
  t.equal(player.camera.stopLingering().length, 0)
  t.match(player.play([seen(1_250)]).reads, [{ frames: 2 }])
  t.match(new Player().play([...start, seen(1_250)]).camera.stopLingering(), [{ state: { frames: 3 } }])
})

t.test('at most eight passes linger', async (t) => {
  const cars = Array.from({ length: 10 }, (_, n) => ({
    ms: n * 100,
    detections: [detectionOf('ABCDEFGHKL'.charAt(n).repeat(6), 100, 400 * n)],
  }))
  const player = new Player().play([...cars, { ms: 5_000, detections: [] }])
  t.equal(player.closed.length, 10)
  t.equal([...player.camera.changeable()].length, 8)
})

t.test('late tracks survive a checkpoint', async (t) => {
  const late = (n: number): Shot => ({ ms: n * 200, detections: [detectionOf('7ABC123', 100 + n * 20, 300)] })
  const player = new Player()
    .play([{ ms: 600_000, detections: [] }, late(0), late(1)])
    .restart()
    .play([late(2)])
  t.match(player.reads, [{ plate: '7ABC123', frames: 3 }])
})

t.test('a late track closes after a minute of live time without a capture of its own', async (t) => {
  const late = { ms: 0, detections: [detectionOf('7ABC123', 100, 300)] }
  const player = new Player().play([{ ms: 600_000, detections: [] }, late, { ms: 660_000, detections: [] }])
  t.equal(player.camera.openCount, 1)
  player.play([{ ms: 660_001, detections: [] }])
  t.equal(player.camera.openCount, 0)
  t.equal(player.closed.length, 1)
})

/** An earlier release saved all sums of a vote, in base64. */
const earlierPass = ({ state, vote }: PassJson): PassJson => ({
  state,
  vote: { ...vote, columns: Buffer.concat(readColumns(vote.columns).map(bytesOf)).toString('base64') },
})
const bytesOf = (sums: Float32Array) => Buffer.from(sums.buffer, sums.byteOffset, sums.byteLength)

t.test('the state of an older release loads, with its live and its late pass', async (t) => {
  const player = new Player().play([
    { ms: 600_000, detections: [detectionOf('8XYZ777', 100, 300)] },
    { ms: 0, detections: [detectionOf('7ABC123', 100, 300)] },
  ])
  const { live, late, camera, seq, hours } = player.camera.toJSON()
  const [{ watermark, open }] = late as [typeof live]
  const old = {
    camera,
    seq,
    lateAt: T0 + 600_000,
    live: { ...live, open: live.open.map(earlierPass) },
    late: { watermark, open: open.map(earlierPass) },
    ids: 'x'.repeat(28),
    hours,
  }
  const loaded = CameraPasses.fromJSON(JSON.parse(JSON.stringify(old)) as CameraJson, RULES)
  t.equal(loaded.openCount, 2)
  const resumed = new Player(loaded).play([
    { ms: 600_200, detections: [detectionOf('8XYZ777', 120, 300)] },
    { ms: 200, detections: [detectionOf('7ABC123', 120, 300)] },
  ])
  t.match(resumed.reads, [
    { plate: '7ABC123', frames: 2 },
    { plate: '8XYZ777', frames: 2 },
  ])
  const quiet = { ...old, live: { watermark: null, open: [] }, late: { watermark: null, open: [] }, lateAt: 0 }
  t.equal(CameraPasses.fromJSON(quiet as CameraJson, RULES).openCount, 0)
})

for (const [view, last] of [
  ['no vehicle', []],
  ['a parked car', [detectionOf('8XYZ777', 100, 300)]],
] as const)
  t.test(`the state of a camera with ${view} in view is below 1 kB, however much it has seen`, async (t) => {
    const camera = CameraPasses.empty('main-st', RULES)
    let seq = 0
    const advance = (ms: number, seen: Detection[]) => {
      seq += 1
      camera.isNew(seq * 7_919_533, T0 + ms)
      camera.advance(frameOf(seq, T0 + ms), seen, (index) => `${seq}-${index}`)
      if (seq % 5 === 0) camera.takeLedger()
    }
    for (let ms = 0; ms < 10_800_000; ms += 200)
      advance(
        ms,
        ms % 4_000 < 2_000 ? [detectionOf(`7AB${1_000 + Math.floor(ms / 4_000)}`, 100 + (ms % 4_000) / 10, 300)] : [],
      )
    for (let ms = 10_800_000; ms < 10_830_000; ms += 200) advance(ms, [...last])
    t.equal(camera.openCount, last.length)
    const { length } = saveState(camera, T0)
    t.ok(length < 1_000, `${length} bytes`)
  })
