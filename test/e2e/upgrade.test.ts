import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AckPolicy, DiscardPolicy, headers, nanos, StorageType } from 'nats'
import sharp from 'sharp'
import t from 'tap'
import { BUCKET, connectNats, createClient, dataPaths, loadSettings, startPrivateServer } from '../../engine/mod.js'
import { loadSecrets } from '../../engine/runtime/mod.js'
import { launchStore } from '../../engine/chdb/mod.js'
import { eventually, isReady, startUp } from '../cli/up_process.js'

t.setTimeout(240_000)

const folder = mkdtempSync(join(tmpdir(), 'platestream-upgrade-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
const paths = dataPaths(loadSettings({ env: {}, overrides: { dataFolder: folder } }))
const golden = (name: string) => readFileSync(join('test/engine/store/golden', name), 'utf8')

/** The store of the release with schema 5: one read in two versions, its hit, the ledger of the hour. */
async function makeOldStore(): Promise<void> {
  mkdirSync(paths.store, { recursive: true })
  const store = await launchStore({ path: paths.store, token: loadSecrets(paths.secrets).store, poolSize: 2 })
  const client = createClient(loadSettings({ env: {} }), { url: store.url, token: loadSecrets(paths.secrets).store })
  const run = (query: string) => client.command({ query })
  await run('CREATE DATABASE IF NOT EXISTS platestream')
  for (const statement of golden('single_5.sql').split(/;\n+/).filter(Boolean)) await run(statement)
  await run("INSERT INTO platestream.schema_version (version, name) SELECT number + 1, 'before' FROM numbers(5)")
  for (const version of [1, 2]) {
    await run(`INSERT INTO platestream.reads (cell, ts, read_id, version, plate, confidence, region, camera,
        ts_last, lat, lon, heading, direction, frames, crop_segment, module, model, lists)
      SELECT 5, '2026-11-16 08:30:00.007', 4711, ${version}, '8ABC12${version}', 0.9126, 'US-CA', 'gate-1',
        '2026-11-16 08:30:01.500', 37.7, -122.2, 90, 'approaching', ${version}, '', 'm', 'n', 'l'`)
  }
  await run(`INSERT INTO platestream.hits (ts, hit_id, revision, state, read_id, plate, confidence, listed_plate, list,
      list_name, list_version, list_loaded_at, reason, priority, exact, probability, camera, camera_name, lat, lon,
      direction, ts_last, published_at)
    SELECT '2026-11-16 08:30:00.007', 'hit-1', 1, 'possible', 4711, '8ABC122', 0.9126, '8ABC122', 'stolen',
      'Stolen', 'v1', '2026-11-15 00:00:00', 'stolen vehicle', 'high', true, 0.9, 'gate-1', 'Gate', 37.7, -122.2,
      'approaching', '2026-11-16 08:30:01.500', '2026-11-16 08:30:01.600'`)
  await run("INSERT INTO platestream.ledger SELECT 'gate-1', '2026-11-16 08:00:00', 0, 2, 2, 0, 0, 1")
  await client.close()
  await store.stop()
}

/**
 * NATS of a release before detections: longer leases, states read from any replica, a committed offset, a camera and a
 * waiting frame.
 */
async function makeOldNats(jpeg: Uint8Array): Promise<void> {
  mkdirSync(paths.nats, { recursive: true })
  const { nats: token } = loadSecrets(paths.secrets)
  const server = await startPrivateServer({ folder: paths.nats, token })
  const connection = await connectNats({ url: server.url, token, name: 'before' })
  const manager = await connection.jetstreamManager()
  await manager.streams.add({
    name: 'FRAMES',
    subjects: ['frames.>'],
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    max_bytes: 1_073_741_824,
  })
  await manager.streams.add({ name: 'HITS', subjects: ['hits.>'], storage: StorageType.File })
  await manager.streams.add({
    name: 'DEAD',
    subjects: ['dead.>'],
    storage: StorageType.File,
    discard: DiscardPolicy.New,
  })
  const js = connection.jetstream()
  const bucket = (name: string, options = {}) =>
    js.views.kv(name, { storage: StorageType.File, history: 1, ...options })
  await (await bucket(BUCKET.cameras, { history: 5 })).put(
    'gate-1',
    JSON.stringify({ id: 'gate-1', name: 'Gate', kind: 'fixed', lat: 37.7, lon: -122.2, agency: '' }),
  )
  await bucket(BUCKET.hotlists, { history: 5 })
  await bucket('PASSES')
  await bucket(BUCKET.leases, { ttl: 8_000 })
  const header = headers()
  header.set('Captured-At', '2026-11-16T08:31:00Z')
  // One processed frame and one waiting frame: the committed offset is between them.
  for (let n = 0; n < 2; n++) await js.publish('frames.0.gate-1', jpeg, { headers: header, msgID: `frame-${n}` })
  const floors = await bucket(BUCKET.partitions)
  for (let partition = 0; partition < 4; partition++)
    await floors.put(String(partition), JSON.stringify({ floor: partition === 0 ? 1 : 2, wanted: 2 }))
  await manager.consumers.add('FRAMES', {
    durable_name: 'engine-0',
    ack_policy: AckPolicy.All,
    ack_wait: nanos(600_000),
  })
  await connection.drain()
  await server.stop(5_000)
}

t.test(
  'up on the data folder of an earlier release keeps reads and hits, processes the waiting frame and takes new frames',
  async (t) => {
    const jpeg = new Uint8Array(
      await sharp({ create: { width: 640, height: 360, channels: 3, background: '#777' } })
        .jpeg()
        .toBuffer(),
    )
    await Promise.all([makeOldStore(), makeOldNats(jpeg)])

    const { facts } = await startUp(t, folder)
    t.ok(await eventually(() => isReady(facts), 120_000), 'ready')
    const { console: token } = loadSecrets(paths.secrets)
    const get = async (path: string) =>
      (await fetch(new URL(path, facts.console), { headers: { authorization: `Bearer ${token}` } })).json() as Promise<{
        items: Record<string, unknown>[]
      }>
    t.match(
      (await get('/api/reads?plate=8ABC122')).items,
      [{ readId: '4711', version: 2, plate: '8ABC122', camera: 'gate-1', cameraName: 'Gate', lat: 37.7, frames: 2 }],
      'the last version of the read',
    )
    t.match(
      (await get('/api/hits')).items,
      [{ hitId: 'hit-1', readId: '4711', plate: '8ABC122', list: 'stolen', reason: 'stolen vehicle', exact: true }],
      'the hit',
    )

    const connection = await connectNats({ url: facts.nats, token: loadSecrets(paths.secrets).nats, name: 'test' })
    t.teardown(() => connection.close())
    const js = connection.jetstream()
    const header = headers()
    header.set('Captured-At', '2026-11-16T08:32:00Z')
    await js.publish('frames.gate-1', jpeg, { headers: header })
    await js.publish(
      'detections.gate-1',
      JSON.stringify({ capturedAt: '2026-11-16T08:33:00Z', plate: '7XYZ890', confidence: 0.95 }),
    )
    const client = createClient(loadSettings({ env: {} }), {
      url: facts.store,
      token: loadSecrets(paths.secrets).store,
    })
    t.teardown(() => client.close())
    const frames = async () =>
      Number(
        (
          await (
            await client.query({
              query: "SELECT sum(frames_in) AS n FROM platestream.ledger FINAL WHERE camera = 'gate-1'",
              format: 'JSONEachRow',
            })
          ).json<{ n: string }>()
        )[0]?.n,
      )
    t.ok(
      await eventually(async () => (await frames()) === 2 + 3, 30_000),
      'two old frames, the waiting frame, a new frame and a detection; the processed frame is not repeated',
    )
    t.ok(
      await eventually(async () => (await get('/api/reads?plate=7XYZ890')).items.length === 1, 10_000),
      'detections, which the earlier release did not take',
    )
    t.match(JSON.parse(new TextDecoder().decode((await (await js.views.kv(BUCKET.cameras)).get('gate-1'))!.value)), {
      id: 'gate-1',
      name: 'Gate',
    })
    const names = async () => {
      const all: string[] = []
      for await (const { config } of (await connection.jetstreamManager()).streams.list()) all.push(config.name)
      return all
    }
    t.ok(
      await eventually(async () => !(await names()).some((name) => ['FRAMES', 'KV_PASSES'].includes(name)), 30_000),
      'the stream that all partitions shared is empty and deleted',
    )
    t.ok((await names()).includes('FRAMES-4-3'))
  },
)
