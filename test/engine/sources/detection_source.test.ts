import t, { type Test } from 'tap'
import { headers } from 'nats'
import type { Camera } from '../../../engine/model/camera.js'
import { saveHotList } from '../../../engine/hotlists/hotlist_store.js'
import { deadLetters, redrive } from '../../../engine/dead_letters/queue.js'
import { detectionsSubject, HEADER } from '../../../engine/nats/topology.js'
import { sleep } from '../../../engine/runtime/backoff.js'
import { until } from '../../until.js'
import { startTestSystem, type TestSystem } from '../../servers/system.js'

const cameraOf = (id: string): Camera => ({
  id,
  name: id,
  kind: 'fixed',
  lat: 38.75,
  lon: -121.28,
  heading: 0,
  agency: 'test',
})
/** These tests send no frames, and one recognition thread starts faster. */
const ENV = { PLATESTREAM_ENGINE_WORKERS: '1', PLATESTREAM_ENGINE_BATCH_MS: '300' }
const CAMERAS = ['alpha', 'beta', 'gamma'].map(cameraOf)
const START = Date.now() - 3_600_000
const at = (ms: number) => new Date(START + ms).toISOString()
const letter = (n: number) => String.fromCharCode(65 + (n % 26))
const plateOf = (n: number) => `7${letter(n)}${letter(Math.floor(n / 26))}X${String(n % 1_000).padStart(3, '0')}`

/** Publishes with an id until the stream has the message, so that a publish whose answer was lost is stored once. */
async function send(system: TestSystem, camera: string, value: unknown, id: string): Promise<boolean> {
  const header = headers()
  header.set(HEADER.msgId, id)
  for (;;) {
    try {
      return (
        await system.connection
          .jetstream()
          .publish(detectionsSubject(camera), typeof value === 'string' ? value : JSON.stringify(value), {
            headers: header,
            timeout: 5_000,
          })
      ).duplicate
    } catch {
      await sleep(100)
    }
  }
}

const listed = (system: TestSystem, plates: string[]) =>
  saveHotList(
    system.connection.jetstream(),
    {
      id: 'stolen',
      name: 'Stolen',
      kind: 'hot',
      priority: 'high',
      source: 'test',
      tolerance: 'tolerant',
      threshold: 0.5,
    },
    plates.map((plate) => ({ plate, reason: 'stolen vehicle' })),
  )

const readsOf = (system: TestSystem) =>
  system.rows<{
    plate: string
    camera: string
    ts: string
    frames: number
    confidence: number
    read_id: string
    direction: string
  }>(
    `SELECT plate, camera, ts, frames, confidence, read_id, direction
      FROM platestream.reads FINAL ORDER BY camera, ts, read_id`,
  )

t.setTimeout(280_000)

t.test('valid detections are stored once, invalid ones are dead-lettered, late ones keep their time', async (t) => {
  const system = await startTestSystem(t, { cameras: CAMERAS, engine: false, env: ENV })
  await listed(system, ['7STL001'])
  await system.startEngine()
  await send(system, 'alpha', { capturedAt: at(0), plate: '7abc 123', confidence: 0.9, region: 'US-CA' }, 'a')
  t.equal(
    await send(system, 'alpha', { capturedAt: at(0), plate: '7abc 123', confidence: 0.9, region: 'US-CA' }, 'a'),
    true,
    'the stream recognizes a duplicate',
  )
  // A message with several detections, one invalid: the valid ones pass, the invalid one is dead-lettered alone.
  await send(
    system,
    'alpha',
    [
      { capturedAt: at(100), plate: '7STL001', confidence: 0.95 },
      { capturedAt: at(200), plate: '7AB*123', confidence: 0.9 },
      { capturedAt: at(200), plate: '8GOOD22', confidence: 0.9 },
    ],
    'b',
  )
  await send(system, 'beta', '{"plate": ', 'c')
  await send(system, 'nowhere', { capturedAt: at(0), plate: '7ABC123', confidence: 0.9 }, 'd')
  await send(system, 'beta', { capturedAt: '2099-01-01T00:00:00Z', plate: '7ABC123', confidence: 0.9 }, 'e')
  // One vehicle in three detections of one track, voted; then a detection that comes an hour late and keeps its time.
  for (const [i, plate] of ['7TRK123', '7TRK128', '7TRK123'].entries())
    await send(system, 'gamma', { capturedAt: at(i * 300), plate, confidence: 0.9, track: 'v1' }, `f${i}`)
  await send(system, 'gamma', { capturedAt: at(20_000), plate: '9NEXT11', confidence: 0.9, track: 'v2' }, 'g')
  await send(system, 'gamma', { capturedAt: at(-3_000_000), plate: '6LATE66', confidence: 0.9 }, 'h')
  await system.untilStored(12)
  await untilReads(system, 6)

  const reads = await readsOf(system)
  t.same(
    reads.map(({ plate, camera, ts, frames }) => [camera, plate, Date.parse(ts) - START, frames]),
    [
      ['alpha', '7ABC123', 0, 1],
      ['alpha', '7STL001', 100, 1],
      ['alpha', '8GOOD22', 200, 1],
      ['gamma', '6LATE66', -3_000_000, 1],
      ['gamma', '7TRK123', 0, 3],
      ['gamma', '9NEXT11', 20_000, 1],
    ],
  )
  t.ok(Math.abs(reads[0]!.confidence - 0.9) < 1e-6, 'the confidence is that of the camera')
  t.match(await system.hits(), [
    { listedPlate: '7STL001', plate: '7STL001', camera: 'alpha', exact: true, revision: 1 },
  ])
  const dead = await system.dead()
  t.same(dead.map(({ reason, camera }) => [camera, reason]).sort(), [
    ['alpha', 'ALPR_ERR_DETECTION_INVALID'],
    ['beta', 'ALPR_ERR_DETECTION_INVALID'],
    ['beta', 'ALPR_ERR_FRAME_TIME_FUTURE'],
    ['nowhere', 'ALPR_ERR_CAMERA_UNKNOWN'],
  ])
  const ledger = await system.rows<Record<string, string>>(
    `SELECT camera, sum(frames_in) AS f, sum(with_reads) AS r, sum(without_plate) AS w, sum(dead) AS d
      FROM platestream.ledger FINAL GROUP BY camera ORDER BY camera`,
  )
  t.same(
    ledger.map(({ camera, f, r, w, d }) => [camera, Number(f), Number(r), Number(w), Number(d)]),
    [
      ['alpha', 4, 3, 0, 1],
      ['beta', 2, 0, 0, 2],
      ['gamma', 5, 5, 0, 0],
      ['nowhere', 1, 0, 0, 1],
    ],
  )

  // A dead letter is redriven to its own entrance.
  const manager = await system.connection.jetstreamManager()
  await system.stopEngine('SIGTERM')
  const { CameraRegistry } = await import('../../../engine/cameras/camera_registry.js')
  await (await CameraRegistry.open(system.connection)).put(cameraOf('nowhere'))
  for await (const { seq } of deadLetters(manager, { camera: 'nowhere' }))
    await redrive(system.connection, manager, seq)
  await system.startEngine()
  await untilReads(system, 7)
  t.equal((await readsOf(system)).at(-1)!.camera, 'nowhere')
})

t.test(
  'kill -9 under 1,000 detections a second from one camera stores every read once and every hit once',
  async (t) => {
    const messages = Array.from({ length: 60 }, (_, m) => ({
      camera: m % 3 === 0 ? 'beta' : 'alpha',
      value: Array.from({ length: 50 }, (_, i) => ({
        capturedAt: at(m * 50 + i),
        plate: plateOf(m * 50 + i),
        confidence: 0.9,
      })),
    }))
    const straight = await play(t, messages, 0)
    const killed = await play(t, messages, 2)
    t.equal(straight.reads.length, 3_000)
    t.ok(straight.hits.length >= 15, `${straight.hits.length} hits`)
    t.same(killed, straight, 'the same reads, hits and ledger')
  },
)

/**
 * Sends 20 messages of 50 detections a second, in one part for each run of the engine; each run but the last is killed
 * at a random time.
 */
async function play(t: Test, messages: { camera: string; value: unknown }[], kills: number) {
  const system = await startTestSystem(t, { cameras: CAMERAS, engine: false, env: ENV })
  await listed(
    system,
    Array.from({ length: 15 }, (_, k) => plateOf(k * 200)),
  )
  await system.startEngine()
  const part = Math.ceil(messages.length / (kills + 1))
  for (let life = 0; life <= kills; life++) {
    const publishing = (async () => {
      for (const [m, { camera, value }] of messages.entries()) {
        if (Math.floor(m / part) !== life) continue
        await send(system, camera, value, `m${m}`)
        await sleep(50)
      }
    })()
    if (life < kills) {
      await untilWorking(system)
      await sleep(800 * Math.random())
      await system.stopEngine('SIGKILL')
      await system.startEngine()
    }
    await publishing
  }
  await system.untilStored(3_000, 90_000)
  const reads = await readsOf(system)
  const hits = await system.hits()
  const revisions = hits.map((hit) => `${hit.hitId} ${hit.revision}`)
  t.equal(new Set(revisions).size, revisions.length, 'no hit revision twice')
  t.same(await system.dead(), [])
  const ledger = await system.rows(
    `SELECT camera, hour, sum(frames_in) AS f, sum(with_reads) AS r
      FROM platestream.ledger FINAL GROUP BY camera, hour ORDER BY camera, hour`,
  )
  await system.stopEngine('SIGTERM')
  // Ids without the minute in which the stream was created.
  const short = (id: string) => (BigInt(id) & 0xff_ffff_ffffn).toString()
  return {
    reads: reads.map((read) => ({ ...read, read_id: short(read.read_id) })),
    hits: hits
      .map(({ hitId, plate, listedPlate, probability }) => ({
        id: short(hitId.split('.')[0]!),
        plate,
        listedPlate,
        probability,
      }))
      .sort((a, b) => (a.id < b.id ? -1 : 1)),
    ledger,
  }
}

/** Waits until the running engine has applied a message. */
async function untilWorking(system: TestSystem): Promise<void> {
  await until(() => {
    const status = system.status()
    return Boolean(status && Date.parse(status.at) > system.engineStartedAt && status.counters.camera_messages_total)
  }, 60_000)
}

async function untilReads(system: TestSystem, count: number): Promise<void> {
  const deadline = Date.now() + 30_000
  while ((await readsOf(system).catch(() => [])).length < count) {
    if (Date.now() > deadline) throw new Error(`fewer than ${count} reads: ${JSON.stringify(await readsOf(system))}`)
    await sleep(200)
  }
}
