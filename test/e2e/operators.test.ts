import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { CameraRegistry, changePartitions, detectionsSubject, partitionsNow, setupNats } from '../../engine/mod.js'
import {
  closeStream,
  lowerBounds,
  partitionOfCamera,
  restoreStream,
  snapshotStream,
} from '../../engine/internal_mod.js'
import { MAIN_ST } from '../engine/passes/plates.js'
import { startTestSystem, type TestSystem } from '../servers/system.js'
import { until } from '../until.js'

t.setTimeout(240_000)

const T0 = Date.UTC(2026, 0, 5, 12)
const BOUNDS = { framesMaxBytes: 1_073_741_824 }
const CAMERAS = Array.from({ length: 6 }, (_, n) => ({ ...MAIN_ST, id: `cam-${n}` }))

/** Publishes one detection; each has a plate of its own. @returns the plate */
async function detect(system: TestSystem, camera: string, n: number): Promise<string> {
  const plate = `7AB${String(n).padStart(4, '0')}`
  const payload = JSON.stringify({ capturedAt: new Date(T0 + n * 10_000).toISOString(), plate, confidence: 0.95 })
  await system.connection.jetstream().publish(detectionsSubject(camera), payload, { timeout: 5_000 })
  return plate
}

const platesRead = async (system: TestSystem) =>
  // Before the engine runs there is no table.
  (
    await system.rows<{ plate: string }>('SELECT plate FROM platestream.reads FINAL ORDER BY plate').catch(() => [])
  ).map(({ plate }) => plate)

/** Waits until the engine holds all partitions. */
const untilWorking = (system: TestSystem) =>
  until(() => {
    const { partitions = [], allPartitions = [] } = system.status() ?? {}
    return allPartitions.length > 0 && partitions.length === allPartitions.length
  }, 60_000)

const streamOfCamera = (camera: string, count = 2) => `DETECTIONS-${count}-${partitionOfCamera(camera, count)}`

t.test('the number of partitions changes on a running system, with a backlog, without loss', async (t) => {
  const env = { PLATESTREAM_NATS_PARTITIONS: undefined }
  const system = await startTestSystem(t, { cameras: CAMERAS, engine: false, env })
  const plates: string[] = []
  for (let n = 0; n < 60; n++) plates.push(await detect(system, `cam-${n % 6}`, n))
  await changePartitions(system.connection, 3, BOUNDS)
  await t.rejects(changePartitions(system.connection, 5, BOUNDS), { code: 'ALPR_ERR_PARTITIONS_CHANGING' })
  await system.startEngine()
  // The server still maps to 2: these go to the earlier streams.
  for (let n = 60; n < 90; n++) plates.push(await detect(system, `cam-${n % 6}`, n))
  await until(() => /still maps/.test(system.status()?.waiting.partitioning ?? ''), 60_000)
  system.nats.remap(3)
  for (let n = 90; n < 150; n++) plates.push(await detect(system, `cam-${n % 6}`, n))
  await until(async () => (await partitionsNow(system.connection)).from === undefined, 60_000)
  for (let n = 150; n < 180; n++) plates.push(await detect(system, `cam-${n % 6}`, n))
  await until(async () => (await platesRead(system)).length >= plates.length, 60_000)
  t.same(await platesRead(system), plates, 'every detection that was acknowledged is one read')
  const names: string[] = []
  for await (const { config } of (await system.connection.jetstreamManager()).streams.list()) names.push(config.name)
  t.notOk(
    names.some((name) => name.includes('-2-')),
    'the earlier streams are deleted',
  )
})

t.test('a start with another number of partitions is refused by name, and nothing is lost', async (t) => {
  const system = await startTestSystem(t, {
    cameras: CAMERAS,
    engine: false,
    env: { PLATESTREAM_NATS_PARTITIONS: '4', PLATESTREAM_LOG_LEVEL: 'fatal' },
  })
  const plate = await detect(system, 'cam-1', 1)
  await system.startEngine()
  await system.engineExited()
  await t.rejects(setupNats(system.connection, { ...BOUNDS, partitions: 4 }), {
    code: 'ALPR_ERR_PARTITIONS_DIFFER',
    message: /nats.partitions is 4, but this installation has 2/,
  })
  const manager = await system.connection.jetstreamManager()
  t.equal((await manager.streams.info(streamOfCamera('cam-1'))).state.messages, 1, plate)
})

t.test('publishers that no stream covers are refused, and the engine says so', async (t) => {
  const system = await startTestSystem(t, { cameras: CAMERAS })
  await untilWorking(system)
  const js = system.connection.jetstream()
  for (const subject of ['frames.site.camera', 'detections.a.b.c.d', 'frames.a.b.c.d.e'])
    await t.rejects(
      js.publish(subject, '{}', { timeout: 3_000 }),
      { message: /the id of a camera has no dots/ },
      subject,
    )
  system.nats.remap(8)
  await until(() => /does not map publishers to 2/.test(system.status()?.waiting.mapping ?? ''), 45_000)
  await t.rejects(detect(system, 'cam-1', 1), 'mapped to a partition that does not exist')
  system.nats.remap(2)
  await until(() => system.status()?.waiting.mapping === undefined)
  const plate = await detect(system, 'cam-1', 2)
  await until(async () => (await platesRead(system)).includes(plate))
})

t.test('a stream that is recreated, or set back, is read from its first new message on', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'platestream-set-back-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const system = await startTestSystem(t, { cameras: CAMERAS })
  const { connection } = system
  const manager = await connection.jetstreamManager()
  const stream = streamOfCamera('cam-1')
  const plates: string[] = []
  const publish = async (from: number, to: number) => {
    for (let n = from; n < to; n++) plates.push(await detect(system, 'cam-1', n))
  }
  const allRead = () => until(async () => (await platesRead(system)).length >= plates.length, 60_000)
  await publish(0, 20)
  await allRead()
  const snapshot = await snapshotStream(connection, stream, join(folder, 'stream'))
  await publish(20, 60)
  await allRead()
  // Restored as it was: the next messages get sequences that were used before.
  await manager.streams.delete(stream)
  await restoreStream(connection, snapshot, join(folder, 'stream'))
  await publish(60, 90)
  await allRead()
  await system.stopEngine('SIGTERM')
  const { config } = await manager.streams.info(stream)
  await manager.streams.delete(stream)
  await manager.streams.add(config)
  await publish(90, 130)
  await system.startEngine()
  await allRead()
  t.same(await platesRead(system), plates, 'each acknowledged detection is read, once')
})

t.test('a bound that is lowered deletes nothing', async (t) => {
  const system = await startTestSystem(t, { cameras: CAMERAS, engine: false })
  const manager = await system.connection.jetstreamManager()
  const stream = `FRAMES-2-${partitionOfCamera('cam-1', 2)}`
  const js = system.connection.jetstream()
  for (let n = 0; n < 40; n++) await js.publish('frames.cam-1', new Uint8Array(1_000_000))
  const lower = () => lowerBounds(system.connection, { partitions: 2 }, { framesMaxBytes: 16_777_216 })
  await closeStream(manager, stream)
  await setupNats(system.connection, { framesMaxBytes: 16_777_216 })
  await t.rejects(js.publish('frames.cam-1', new Uint8Array(10)), 'an engine that starts opens no closed stream')
  await lower()
  const { state, config } = await manager.streams.info(stream)
  t.equal(state.messages, 40)
  t.equal(config.max_bytes, BOUNDS.framesMaxBytes / 2, 'the bound stays until there is room')
  await manager.streams.purge(stream, { seq: state.first_seq + 37 })
  await lower()
  t.equal((await manager.streams.info(stream)).config.max_bytes, 16_777_216)
  await js.publish('frames.cam-1', new Uint8Array(10))
  t.equal((await manager.streams.info(stream)).state.messages, 4)
})

t.test('a camera that is removed while a vehicle is in view leaves its read, and holds nothing', async (t) => {
  const system = await startTestSystem(t, { cameras: CAMERAS })
  const manager = await system.connection.jetstreamManager()
  const quad = [
    [100, 100],
    [200, 100],
    [200, 140],
    [100, 140],
  ]
  const seen = (n: number) =>
    system.connection.jetstream().publish(
      detectionsSubject('cam-2'),
      JSON.stringify({
        capturedAt: new Date(T0 + n * 200).toISOString(),
        plate: '8ABC123',
        confidence: 0.95,
        quad,
      }),
    )
  for (let n = 0; n < 5; n++) await seen(n)
  await until(async () => (await platesRead(system)).includes('8ABC123'), 60_000)
  await (await CameraRegistry.open(system.connection)).delete('cam-2')
  await until(async () => (await manager.streams.info(streamOfCamera('cam-2'))).state.messages === 0, 30_000)
  await until(() => (system.status()?.gauges.open_passes ?? -1) === 0, 60_000)
  await seen(6)
  await until(async () => (await system.dead()).length === 1)
  t.match((await system.dead())[0]!.reason, 'ALPR_ERR_CAMERA_UNKNOWN')
  t.same(await platesRead(system), ['8ABC123'])
})

t.test('a camera that nobody registered does not fill DEAD, and every message is in the ledger', async (t) => {
  const system = await startTestSystem(t, { cameras: CAMERAS })
  const js = system.connection.jetstream()
  const body = JSON.stringify({ capturedAt: new Date(T0).toISOString(), plate: '8ABC123', confidence: 0.95 })
  const publishing: Promise<unknown>[] = []
  for (let n = 0; n < 1_500; n++) {
    publishing.push(js.publish(detectionsSubject('stranger'), body))
    if (n % 50 === 0) await Promise.all(publishing)
  }
  await Promise.all(publishing)
  await system.untilStored(1_500)
  const [row] = await system.rows<{ dead: string }>('SELECT sum(dead) AS dead FROM platestream.ledger FINAL')
  t.equal(row?.dead, '1500')
  await system.stopEngine('SIGTERM') // after its end nothing is added
  const dead = await system.dead()
  t.equal(dead.length, 1_000, 'the rest is counted in the ledger only')
  t.equal(dead.filter(({ payload }) => payload.length > 0).length, 100, 'the first have their payload')
})
