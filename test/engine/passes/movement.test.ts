import t from 'tap'
import { distanceM } from '../../../engine/geo/travel.js'
import type { Camera } from '../../../engine/model/camera.js'
import type { Read } from '../../../engine/model/read.js'
import { CameraPasses } from '../../../engine/passes/camera_passes.js'
import { detectionOf, MAIN_ST } from './plates.js'
import { Player, RULES, type Shot } from './player.js'

const UNIT: Camera = { id: 'unit-7', name: 'Unit 7', kind: 'mobile', agency: 'test' }
const START = { lat: 38.75, lon: -121.28 }
/** Metres of a degree of latitude. */
const DEGREE_M = 111_195
const north = (metres: number) => ({ lat: START.lat + metres / DEGREE_M, lon: START.lon })
const unit = () => new Player(CameraPasses.empty(UNIT.id, RULES), UNIT)
const car = (width = 90) => detectionOf('7ABC123', 400 - width / 2, 300, { width })

/** A car that the unit follows: `frames` frames with so many metres in between. */
const followed = (frames: number, metres: number, intervalMs = 200): Shot[] =>
  Array.from({ length: frames }, (_, n) => ({
    ms: n * intervalMs,
    detections: [car()],
    position: north(n * metres),
  }))

t.test('a car that is followed for 10 km has reads along the way, with the direction of the way', async (t) => {
  const { reads } = unit().play(followed(3_600, 10_000 / 3_600))
  t.equal(
    reads.reduce((sum, read) => sum + read.frames, 0),
    3_600,
  )
  for (let metres = 100; metres < 9_900; metres += 50) {
    const found = reads.filter((read) => distanceM(read, north(metres)) <= 103)
    t.ok(found.length > 0, `a read within 103 m of ${metres} m`)
  }
  t.ok(reads.length <= 10_000 / 200 + 1, `${reads.length} reads`)
  t.match(
    reads.filter(({ direction, heading, plate }) => direction !== 'unknown' || heading !== 0 || plate !== '7ABC123'),
    [],
  )
  for (const [i, { ts, tsLast }] of reads.slice(1).entries()) t.ok(ts > reads[i]!.tsLast && tsLast >= ts)
})

t.test('a read that continues another keeps its vote, over a checkpoint too', async (t) => {
  const shots = followed(80, 3.9)
  const blurred = { ...shots[52]!, detections: [detectionOf('8XYC1Z3', 355, 300, { sure: 0.4, confidence: 0.3 })] }
  const player = unit()
  for (const shot of [...shots.slice(0, 52), blurred]) player.restart().play([shot])
  const [first, second] = player.reads as [Read, Read]
  t.match([first.frames, second.frames], [52, 1])
  t.match(second, { plate: '7ABC123', version: 1, lat: north(202.8).lat }, 'one blurred frame is outvoted')
  t.ok(second.confidence > 0.8, `confidence ${second.confidence}`)
})

t.test('a moving camera with a frame every 10 s reads a followed car at each frame', async (t) => {
  const { reads } = unit().play(followed(30, 250, 10_000))
  t.equal(reads.length, 30)
  t.same(new Set(reads.map(({ plate }) => plate)), new Set(['7ABC123']))
})

t.test('a parked unit whose position wavers reads a parked car once', async (t) => {
  const { reads } = unit().play(
    Array.from({ length: 3_600 }, (_, s) => ({
      ms: s * 1_000,
      detections: s % 100 < 70 ? [car()] : [],
      position: north(10 * Math.sin(s)),
    })),
  )
  t.match(reads, [{ direction: 'still' }])
  t.equal(reads.length, 1)
})

t.test('a car that creeps along with the camera is not still', async (t) => {
  const [read, ...more] = unit().play(followed(100, 0.5)).reads
  t.same(more, [])
  t.match(read, { direction: 'unknown', heading: 0 })
})

t.test('a parked car is another read when the unit drives away and comes back within two minutes', async (t) => {
  const here = (from: number): Shot[] =>
    Array.from({ length: 50 }, (_, n) => ({ ms: from + n * 200, detections: [car()], position: START }))
  const away: Shot[] = Array.from({ length: 100 }, (_, n) => ({
    ms: 10_000 + n * 400,
    detections: [],
    position: north(15 * Math.min(n, 100 - n)),
  }))
  t.equal(unit().play([...here(0), ...away, ...here(51_000)]).reads.length, 2)
})

t.test('a plate that grows in its place approaches, though it stays there for long', async (t) => {
  const { reads } = new Player().play(
    Array.from({ length: 40 }, (_, n) => ({ ms: n * 200, detections: [car(60 * 1.03 ** n)] })),
  )
  t.match(reads, [{ direction: 'approaching', heading: 180 }])
})

t.test('frames of a fixed camera have one position, so its passes do not end by distance', async (t) => {
  const player = new Player(CameraPasses.empty(MAIN_ST.id, RULES), MAIN_ST)
  t.equal(player.play(followed(100, 0)).reads.length, 1)
})
