import { headers } from 'nats'
import t from 'tap'
import { detectionsSubject, HEADER, saveHotList, type Camera } from '../../engine/mod.js'
import { sleep } from '../../engine/runtime/mod.js'
import { startTestSystem, type TestSystem } from '../servers/system.js'
import { until } from '../until.js'

/**
 * Hits depend on what is on the stream alone: not on how fast it came, on pauses, or on a restart of the engine. A list
 * applies to what arrives after its import.
 */
const ENV = { PLATESTREAM_ENGINE_WORKERS: '1', PLATESTREAM_ENGINE_BATCH_MS: '300' }
const START = Date.now() - 600_000
t.setTimeout(240_000)

const cameraOf = (id: string): Camera => ({
  id,
  name: id,
  kind: 'fixed',
  lat: 38.75,
  lon: -121.28,
  heading: 0,
  agency: 'test',
})

type Detection = [at: number, plate: string, confidence: number, track: string]

/**
 * Vehicles of one camera. v1 is read as a listed plate once, weakly, and is clearly another one 2.5 s later: long
 * enough for the pass to become idle in between, when it comes in real time.
 */
const TRAFFIC: Detection[] = [
  ...[0, 200, 400, 600, 800, 1_000].map((at): Detection => [at, '8XYZ999', 0.9, 'v0']),
  [1_200, '7STL001', 0.5, 'v1'],
  [3_700, '4KLM771', 0.95, 'v1'],
  [3_900, '4KLM771', 0.95, 'v1'],
  ...[4_200, 4_400, 4_600, 4_800, 5_000].map((at): Detection => [at, '7STL002', 0.9, 'v2']),
  [7_400, '7STL002', 0.9, 'v2'],
  [20_000, '9END999', 0.9, 'v9'],
]

async function send(system: TestSystem, camera: string, detections: readonly Detection[], speed = Infinity) {
  const began = performance.now()
  for (const [at, plate, confidence, track] of detections) {
    const due = speed === Infinity ? 0 : (Math.min(at, 8_000) - detections[0]![0]) / speed
    await sleep(Math.max(0, began + due - performance.now()))
    const header = headers()
    header.set(HEADER.msgId, `${camera}-${at}`)
    const value = { capturedAt: new Date(START + at).toISOString(), plate, confidence, track }
    await system.connection.jetstream().publish(detectionsSubject(camera), JSON.stringify(value), { headers: header })
  }
}

const importList = (system: TestSystem, id: string, plates: string[]) =>
  saveHotList(
    system.connection.jetstream(),
    { id, name: id, kind: 'hot', priority: 'high', source: 'test', tolerance: 'tolerant', threshold: 0.5 },
    plates.map((plate) => ({ plate, reason: 'stolen vehicle' })),
  )

/** Waits until the last read of each camera is stored. */
const untilRead = (system: TestSystem, plate: string, cameras: readonly string[]) =>
  until(async () => {
    const rows = await system
      .rows<{ camera: string }>(`SELECT camera FROM platestream.reads FINAL WHERE plate = '${plate}'`)
      .catch(() => [])
    return cameras.every((id) => rows.some(({ camera }) => camera === id))
  }, 60_000)

/** The hits of a camera as people see them, in order. */
const hitsOf = async (system: TestSystem, of: string) =>
  (await system.hits())
    .filter(({ camera }) => camera === of)
    .map(({ list, listedPlate, plate, state, revision, tsLast }) =>
      [list, listedPlate, plate, state, revision, Date.parse(tsLast) - START].join(' '),
    )

t.test('the same detections give the same hits at any speed and over a restart', async (t) => {
  const cameras = ['max', 'ten', 'one', 'restarted', 'parked', 'queue']
  const system = await startTestSystem(t, { cameras: cameras.map(cameraOf), engine: false, env: ENV })
  await importList(system, 'stolen', ['7STL001', '7STL002'])
  await system.startEngine()
  await until(() => system.status()?.lists?.stolen !== undefined, 60_000)

  const parked = Array.from({ length: 10 }, (_, i): Detection => [i * 200, '5PRK555', 0.9, 'v5'])
  const queue = Array.from({ length: 4 }, (_, i): Detection => [i * 200, '6QUE666', 0.9, 'v6'])
  await Promise.all([
    send(system, 'max', TRAFFIC),
    send(system, 'ten', TRAFFIC, 10),
    send(system, 'one', TRAFFIC, 1),
    send(system, 'restarted', TRAFFIC.slice(0, 7), 1),
    send(system, 'parked', parked),
    send(system, 'queue', queue),
  ])
  await untilRead(system, '9END999', ['max', 'ten', 'one'])
  await untilRead(system, '7STL001', ['restarted'])

  await importList(system, 'late', ['5PRK555', '6QUE666'])
  await until(() => system.status()?.lists?.late !== undefined)
  await system.stopEngine()
  const rest = send(system, 'restarted', TRAFFIC.slice(7))
  await system.startEngine()
  await rest
  await send(system, 'queue', [[800, '6QUE666', 0.9, 'v6']])
  for (const camera of ['parked', 'queue']) await send(system, camera, [[20_000, '9END999', 0.9, 'v9']])
  await untilRead(system, '9END999', cameras)
  await until(async () => (await hitsOf(system, 'restarted')).length > 0)

  const expected = await hitsOf(system, 'max')
  t.same(expected, ['stolen 7STL002 7STL002 possible 1 4200', 'stolen 7STL002 7STL002 possible 2 7400'])
  for (const camera of ['ten', 'one', 'restarted']) t.same(await hitsOf(system, camera), expected, camera)
  t.same(await hitsOf(system, 'parked'), [], 'a list applies to nothing that arrived before it')
  t.match(await hitsOf(system, 'queue'), [/^late 6QUE666 6QUE666 possible 1 800$/], 'a car in view meets the new list')

  const versions = await system.rows<{ camera: string; plate: string; lists: string }>(
    `SELECT camera, plate, toString(lists) AS lists FROM platestream.reads FINAL WHERE plate IN ('5PRK555', '6QUE666')`,
  )
  t.equal(new Set(versions.map(({ lists }) => lists)).size, 2, 'a read names the rules that applied to it')
})
