import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NatsConnection } from 'nats'
import { pino } from 'pino'
import sharp from 'sharp'
import t from 'tap'
import { CameraRegistry } from '../../../engine/cameras/camera_registry.js'
import { startIngest, type Ingest } from '../../../engine/ingest/ingest.js'
import { saveCameraSecret } from '../../../engine/runtime/camera_secrets.js'
import { dataPaths, loadSettings } from '../../../engine/settings.js'
import { startHttpCamera } from '../../servers/http_camera.js'
import { startTestNats } from '../../servers/nats.js'
import { makeVideos, rtspMissing, startRtspServer } from '../../servers/rtsp.js'
import { until } from '../../until.js'

const PASSWORD = 'S3cr et@/%'
const folder = mkdtempSync(join(tmpdir(), 'platestream-ingest-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

/** Pictures that differ, so that something moves. */
const jpegs = await Promise.all(
  [0, 1, 2, 3].map((i) =>
    sharp({ create: { width: 320, height: 240, channels: 3, background: '#336699' } })
      .composite([
        { input: Buffer.alloc(60 * 40 * 3, 240), raw: { width: 60, height: 40, channels: 3 }, left: i * 60, top: 90 },
      ])
      .jpeg()
      .toBuffer(),
  ),
)

interface Frame {
  camera: string
  capturedAt: number
  arrivedAt: number
  jpeg: Buffer
}

/** What comes on the entrance, as an engine would get it. */
function listen(connection: NatsConnection): Frame[] {
  const frames: Frame[] = []
  connection.subscribe('frames.>', {
    callback: (_, message) => {
      const capturedAt = Date.parse(message.headers?.get('Captured-At') ?? '')
      if (Number.isNaN(capturedAt)) return
      const camera = message.subject.slice(message.subject.lastIndexOf('.') + 1)
      frames.push({ camera, capturedAt, arrivedAt: Date.now(), jpeg: Buffer.from(message.data) })
    },
  })
  return frames
}

const log: string[] = []
const logger = pino({ level: 'info' }, { write: (line: string) => void log.push(line) })
const camera = (id: string, live: object) => ({ id, name: id, kind: 'fixed', lat: 38, lon: -121, agency: '', live })

t.test('live cameras', async (t) => {
  const nats = await startTestNats(t)
  const settings = loadSettings({
    file: undefined,
    env: {},
    overrides: { dataFolder: folder, 'ingest.instance': 'i1' },
  })
  const connection = await nats.connect('ingest')
  const watcher = await nats.connect('watcher')
  const frames = listen(watcher)
  const of = (id: string) => frames.filter((frame) => frame.camera === id)
  const registry = await CameraRegistry.open(watcher)
  const secrets = dataPaths(settings).secrets
  const ingest: Ingest = await startIngest(settings, connection, logger)
  let isClosed = false
  t.teardown(async () => {
    if (!isClosed) await ingest.close()
  })
  const stateOf = (id: string) => ingest.status().cameras[id]

  await t.test('MJPEG over HTTP is passed on byte for byte, with the clock of arrival', async (t) => {
    const http = await startHttpCamera(t, { jpegs, login: { user: 'admin', password: PASSWORD, scheme: 'Digest' } })
    await saveCameraSecret(secrets, 'http-1', { user: 'admin', password: PASSWORD })
    const began = Date.now()
    await registry.put(camera('http-1', { url: `http://127.0.0.1:${http.port}/stream` }))
    await until(() => of('http-1').length >= 8)
    for (const { jpeg, capturedAt, arrivedAt } of of('http-1')) {
      t.ok(jpegs.some((one) => one.equals(jpeg)))
      t.ok(capturedAt >= began && capturedAt <= arrivedAt)
    }
    t.match(stateOf('http-1'), { state: 'connected', source: 'mjpeg', clock: 'arrival', width: 320, height: 240 })
    // 10 a second come, 5 are wanted.
    const spanned = of('http-1').at(-1)!.capturedAt - of('http-1')[0]!.capturedAt
    t.ok(of('http-1').length <= 2 + (spanned * 5.5) / 1_000, `${of('http-1').length} in ${spanned} ms`)

    http.cut()
    const before = of('http-1').length
    await until(() => of('http-1').length > before + 3)
    t.pass('it connects again')
    await registry.delete('http-1')
    await until(() => stateOf('http-1') === undefined)
  })

  await t.test('a camera whose clock is near ours gives its times, another does not', async (t) => {
    for (const [id, offset] of [
      ['near', -1_500],
      ['far', -90_000],
    ] as const) {
      const headersOf = () => ({ 'X-Timestamp': ((Date.now() + offset) / 1_000).toFixed(3) })
      const http = await startHttpCamera(t, { jpegs, headersOf, withLength: false })
      await registry.put(camera(id, { url: `http://127.0.0.1:${http.port}/stream` }))
      await until(() => of(id).length >= 3)
      const { clock, clockOffsetMs } = stateOf(id)!
      t.equal(clock, id === 'near' ? 'stream' : 'arrival')
      t.ok(Math.abs(clockOffsetMs! - offset) < 1_000, `offset ${clockOffsetMs}`)
      const { capturedAt, arrivedAt } = of(id)[2]!
      t.ok(id === 'near' ? arrivedAt - capturedAt > 1_400 : arrivedAt - capturedAt < 1_400)
      await registry.delete(id)
    }
  })

  await t.test(
    'a snapshot is polled; a page, a wrong password and a dead host are named without the secret',
    async (t) => {
      const login = { user: 'admin', password: PASSWORD, scheme: 'Basic' as const }
      const http = await startHttpCamera(t, { jpegs, login })
      const at = (path: string) => `http://127.0.0.1:${http.port}${path}`
      for (const id of ['shot', 'page']) await saveCameraSecret(secrets, id, { user: 'admin', password: PASSWORD })
      await saveCameraSecret(secrets, 'wrong', { user: 'admin', password: 'nonsense' })
      await registry.put(camera('shot', { url: at('/snapshot'), fps: 10 }))
      await registry.put(camera('page', { url: at('/page') }))
      await registry.put(camera('wrong', { url: at('/stream') }))
      await registry.put(camera('none', { url: at('/stream') }))
      await registry.put(camera('dead', { url: 'rtsp://127.0.0.1:1/x' }))
      await until(() => of('shot').length >= 4 && ['page', 'wrong', 'none', 'dead'].every((id) => stateOf(id)?.reason))
      t.equal(stateOf('shot')?.source, 'snapshot')
      t.match(stateOf('page')?.reason, /gives text\/html, not JPEGs/)
      t.match(stateOf('wrong')?.reason, /refuses the user or the password/)
      t.match(stateOf('none')?.reason, /asks for a user and a password/)
      t.match(stateOf('dead')?.reason, /refuses the connection/)
      for (const id of ['shot', 'page', 'wrong', 'none', 'dead']) await registry.delete(id)
    },
  )

  await t.test('RTSP', { skip: rtspMissing() ?? false }, async (t) => {
    const videos = makeVideos(t, ['h264', 'bframes', 'h265', 'jpeg'])
    const rtsp = await startRtspServer(t, videos, { user: 'admin', password: PASSWORD, digest: true })
    const cases = { h264: 'tcp', bframes: 'tcp', h265: 'tcp', jpeg: 'udp' } as const
    for (const [path, transport] of Object.entries(cases)) {
      await saveCameraSecret(secrets, path, { user: 'admin', password: PASSWORD })
      await registry.put(camera(path, { url: `rtsp://127.0.0.1:${rtsp.port}/${path}`, transport, motionGate: false }))
    }
    const paths = Object.keys(cases)
    await until(() => paths.every((path) => of(path).length >= 15), 60_000)

    for (const path of paths) {
      const all = of(path)
      t.match(stateOf(path), { state: 'connected', source: path === 'bframes' ? 'h264' : path })
      const sizes = await Promise.all(all.slice(0, 3).map(({ jpeg }) => sharp(jpeg).metadata()))
      t.match(sizes, [{ width: 320, height: 240 }, { width: 320 }, { width: 320 }], path)
      const times = all.map(({ capturedAt }) => capturedAt)
      t.same(times, [...new Set(times)].sort(), `${path}: in order, none twice`)
    }

    // Nobody on this machine can read the password in the arguments or the environment of a process of ours.
    const texts = readdirSync('/proc').flatMap((pid) => {
      try {
        const read = (name: string) => readFileSync(`/proc/${pid}/${name}`, 'latin1')
        const args = read('cmdline')
        return /ffmpeg/.test(args) ? [args, read('environ')] : []
      } catch {
        return []
      }
    })
    t.ok(texts.length >= 6, 'three decoders run')
    const secret = [PASSWORD, encodeURIComponent(PASSWORD), 'rtsp://']
    t.notOk(texts.some((text) => secret.some((one) => text.includes(one))))

    await rtsp.stop()
    await until(() => paths.every((path) => stateOf(path)?.state === 'failed'))
    for (const path of paths) await registry.delete(path)
  })

  await t.test('while NATS is away frames wait on disk, and come when it is back', async (t) => {
    const http = await startHttpCamera(t, { jpegs })
    await registry.put(camera('spooled', { url: `http://127.0.0.1:${http.port}/stream` }))
    await until(() => of('spooled').length >= 3)
    await nats.kill()
    await until(() => (ingest.status().cameras.spooled?.spooled ?? 0) >= 8)
    t.match(ingest.status().waiting.stream, /NATS/)
    const held = ingest.status().cameras.spooled!.spooled
    await nats.restart()
    await until(() => ingest.status().cameras.spooled?.spooled === 0, 30_000)
    // The connection of the test comes back in its own time.
    let stored: Awaited<ReturnType<typeof countOf>> | undefined
    await until(async () => (stored = await countOf(watcher, 'spooled').catch(() => undefined)) !== undefined)
    const { messages, times } = stored!
    t.ok(messages >= held, `${messages} of at least ${held} are on the stream`)
    t.equal(new Set(times).size, times.length, 'none twice')
    await registry.delete('spooled')
  })

  const published = ingest.status()
  await ingest.close()
  isClosed = true
  t.same(published.bounds, [])
  const said = [...log, JSON.stringify(published), readKeys(await registry.list())].join('\n')
  for (const secret of [PASSWORD, encodeURIComponent(PASSWORD), 'nonsense', 'S3cr']) t.notOk(said.includes(secret))
})

const readKeys = (cameras: unknown[]): string => JSON.stringify(cameras)

/** The frames of a camera on the stream of its partition. */
async function countOf(connection: NatsConnection, id: string): Promise<{ messages: number; times: string[] }> {
  const manager = await connection.jetstreamManager()
  const times: string[] = []
  for await (const { config } of manager.streams.list()) {
    if (!config.name.startsWith('FRAMES-')) continue
    const { state } = await manager.streams.info(config.name)
    for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
      const message = await manager.streams.getMessage(config.name, { seq }).catch(() => undefined)
      if (message?.subject.endsWith(`.${id}`)) times.push(message.header?.get('Captured-At') ?? '')
    }
  }
  return { messages: times.length, times }
}
