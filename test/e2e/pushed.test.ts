import { join } from 'node:path'
import sharp from 'sharp'
import t from 'tap'
import { SegmentReader } from '../../engine/internal_mod.js'
import { type CameraPush, CameraRegistry, type Hit, saveHotList } from '../../engine/mod.js'
import { loadSecrets, newPushSecret, savePushCredential } from '../../engine/runtime/mod.js'
import { startTestGateway } from '../gateway/fixtures/gateway.js'
import { axisRequest, hikvisionRequest, type VendorRequest } from '../gateway/push/requests.js'
import { startTestSystem } from '../servers/system.js'
import { until } from '../until.js'

/** From the request of a camera to the read, its pictures and the hit, on the real parts. */
const ENV = { PLATESTREAM_ENGINE_WORKERS: '1', PLATESTREAM_ENGINE_BATCH_MS: '300' }
t.setTimeout(240_000)

interface ReadRow {
  plate: string
  frames: number
  ts: string
}

t.test('what cameras push becomes reads and hits, and a correction withdraws a hit', async (t) => {
  const system = await startTestSystem(t, { engine: false, env: ENV })
  await saveHotList(
    system.connection.jetstream(),
    { id: 'stolen', name: 'stolen', kind: 'hot', priority: 'high', source: 'test', tolerance: 'exact', threshold: 0.5 },
    [{ plate: '7ABC123', reason: 'stolen vehicle' }],
  )
  await system.startEngine()
  const gateway = await startTestGateway(t, {
    nats: { url: system.nats.url, token: system.nats.token },
    settings: { 'push.port': 0 },
  })
  const file = join(gateway.dataFolder, 'secrets.json')
  loadSecrets(file)
  const registry = await CameraRegistry.open(system.connection)
  const add = async (id: string, kind: CameraPush['kind']) => {
    const { secret, credential } = newPushSecret(id)
    await savePushCredential(file, id, credential)
    await registry.put({ id, name: id, kind: 'fixed', lat: 38.75, lon: -121.28, push: { kind, credentials: ['path'] } })
    await until(() => gateway.services.registry.camera(id) !== undefined)
    return async ({ body, headers }: VendorRequest) => {
      const address = `${gateway.pushUrl}/push/${id}/${secret}`
      const { status } = await fetch(address, {
        method: 'POST',
        body: new Uint8Array(body),
        ...(headers && { headers }),
      })
      t.equal(status, 200)
    }
  }
  const [axis, hikvision] = [await add('axis-1', 'axis'), await add('hik-1', 'hikvision')]
  await until(() => system.status()?.lists?.stolen !== undefined, 60_000)
  const hits = async (camera: string): Promise<Hit[]> => (await system.hits()).filter((hit) => hit.camera === camera)
  const reads = (camera: string) =>
    system
      .rows<ReadRow>(`SELECT plate, frames, ts FROM platestream.reads FINAL WHERE camera = '${camera}'`)
      .catch((): ReadRow[] => [])

  const jpeg = async (width: number, height: number) =>
    sharp({ create: { width, height, channels: 3, background: '#406080' } })
      .jpeg()
      .toBuffer()
  const [scene, plate] = [await jpeg(1_280, 720), await jpeg(200, 60)]
  const withPictures = ({ body, headers }: VendorRequest): VendorRequest => {
    const event = JSON.parse(body.toString()) as Record<string, unknown>
    event.ImageArray = [
      { ImageType: 'plate', BinaryImage: plate.toString('base64') },
      { ImageType: 'vehicle', BinaryImage: scene.toString('base64') },
    ]
    return { body: Buffer.from(JSON.stringify(event)), ...(headers && { headers }) }
  }
  const now = Date.now() - 60_000
  const at = (ms: number) => new Date(now + ms).toISOString()

  await axis(withPictures(axisRequest({ state: 'new', at: at(0) })))
  await until(async () => (await hits('axis-1')).length === 1, 60_000)
  const [first] = await hits('axis-1')
  t.match(first, { state: 'possible', revision: 1, plate: '7ABC123' })
  const crops = new SegmentReader(join(system.dataFolder, 'crops'))
  const size = async (of: Hit['crop']) => sharp(await crops.read(of!)).metadata()
  t.match(await size(first!.crop), { width: 200, height: 60 }, "the camera's own picture of the plate")
  t.match(await size(first!.picture), { width: 800, height: 450 }, 'and of the vehicle, reduced')

  for (let i = 0; i < 3; i++) await axis(withPictures(axisRequest({ state: 'new', at: at(0) })))
  await axis(axisRequest({ state: 'update', at: at(400) }))
  await axis(axisRequest({ state: 'update', plate: '7A8C128', at: at(900) }))
  await until(async () => (await hits('axis-1')).length === 2, 60_000)
  t.match((await hits('axis-1'))[1], { state: 'withdrawn', revision: 2, plate: '7A8C128', listedPlate: '7ABC123' })
  t.equal((await hits('axis-1'))[1]!.hitId, first!.hitId)
  await axis(axisRequest({ state: 'lost', plate: '7A8C128', at: at(1_000) }))
  await until(async () => (await reads('axis-1')).some(({ frames }) => Number(frames) === 4), 60_000)
  t.match(await reads('axis-1'), [{ plate: '7A8C128' }], 'new, updates and lost are one read with the corrected text')

  await hikvision(hikvisionRequest())
  await hikvision(hikvisionRequest())
  await until(async () => (await reads('hik-1')).length > 0, 60_000)
  t.match(await reads('hik-1'), [{ plate: '7ABC123' }], 'an event that is sent twice is one read')
  t.match(await hits('hik-1'), [{ state: 'possible', revision: 1 }])
  t.equal((await hits('hik-1'))[0]!.crop, undefined, 'pictures that cannot be decoded do not keep the read')
  t.same(await system.dead(), [])
})
