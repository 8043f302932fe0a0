import { headers, type NatsConnection } from 'nats'
import t from 'tap'
import {
  CameraRegistry,
  connectNats,
  dataPaths,
  type EngineStatus,
  framesSubject,
  loadSettings,
} from '../../engine/mod.js'
import { loadSecrets } from '../../engine/runtime/mod.js'
import { framesOfFeed } from '../../bench/system/feed_frames.js'
import { eventually } from '../cli/up_process.js'
import { clusterProgram } from '../servers/cluster_program.js'
import { ComposeSystem } from './compose_system.js'

t.setTimeout(300_000)

const nats = clusterProgram()

t.test(
  'the compose file starts one system: both engines work, both gateways answer, and one NATS server may die',
  { skip: 'missing' in nats && nats.missing },
  async (t) => {
    const system = await ComposeSystem.start(t, 'program' in nats ? nats.program : '')
    const ready = async (gateway: string) =>
      (await fetch(`http://${system.at(gateway, 8480)}/readyz`).catch(() => undefined))?.ok ?? false
    if (!(await eventually(async () => (await ready('gateway-a')) && (await ready('gateway-b')), 120_000)))
      return t.fail(`not ready: ${system.log.join('\n')}`)

    let connection: NatsConnection | undefined
    await eventually(async () => {
      connection = await connectNats({
        url: ['nats-1', 'nats-2', 'nats-3'].map((name) => `nats://${system.at(name, 4222)}`).join(','),
        token: system.secrets.NATS_TOKEN,
        name: 'test',
        firstConnectMs: 0,
      }).catch(() => undefined)
      return connection !== undefined
    })
    t.teardown(() => connection!.close())
    const engines = new Map<string, EngineStatus>()
    void (async () => {
      for await (const message of connection!.subscribe('status.engine.*')) {
        const status = message.json<EngineStatus>()
        engines.set(status.instance, status)
      }
    })()
    t.ok(
      await eventually(() => ['a', 'b'].every((name) => engines.get(name)?.partitions.length === 4)),
      'the eight partitions of both entrances are shared evenly',
    )

    const feed = await framesOfFeed('bench/feeds/sample.mcap')
    const registry = await CameraRegistry.open(connection!)
    for (const camera of feed.cameras) await registry.put(camera)
    const begin = Date.now() - feed.durationMs
    const publish = async (from: number, to: number) => {
      for (const frame of feed.frames.slice(from, to)) {
        const header = headers()
        header.set('Captured-At', new Date(begin + frame.offsetMs).toISOString())
        header.set('Nats-Msg-Id', `frame-${frame.camera}-${frame.offsetMs}`)
        let done = false
        while (!done)
          done = await connection!
            .jetstream()
            .publish(framesSubject(frame.camera), frame.jpeg, { headers: header, timeout: 5_000 })
            .then(
              () => true,
              () => false,
            )
      }
    }
    const stored = async () =>
      Number(
        (
          await (
            await system.store.client.query({
              query: 'SELECT sum(frames_in) AS n FROM platestream.ledger FINAL',
              format: 'JSONEachRow',
            })
          ).json<{ n: string }>()
        )[0]?.n,
      )
    await publish(0, 60)
    t.ok(await eventually(async () => (await stored()) === 60), 'sixty frames are in the ledger')

    await system.kill('nats-1')
    await publish(60, 120)
    t.ok(
      await eventually(async () => (await stored()) === 120, 90_000),
      'sixty more are in the ledger with one server down',
    )
    system.run('nats-1')

    const { console: token } = loadSecrets(
      dataPaths(loadSettings({ env: {}, overrides: { dataFolder: `${system.data}/data` } })).secrets,
    )
    const get = (gateway: string, path: string) =>
      fetch(`http://${system.at(gateway, 8480)}${path}`, { headers: { authorization: `Bearer ${token}` } })
    interface ListedRead {
      readId: string
      plate: string
      crop?: { segment: string; offset: number; length: number }
    }
    const reads = async (gateway: string) =>
      ((await (await get(gateway, '/api/reads?limit=100')).json()) as { items: ListedRead[] }).items
    t.ok(await eventually(async () => (await reads('gateway-b')).some(({ crop }) => crop)), 'reads with pictures')
    t.same(
      (await reads('gateway-a')).map(({ readId }) => readId),
      (await reads('gateway-b')).map(({ readId }) => readId),
      'both gateways return the same reads',
    )
    const { crop } = (await reads('gateway-a')).find((read) => read.crop)!
    const picture = await get('gateway-b', `/api/crops/${crop!.segment}/${crop!.offset}/${crop!.length}`)
    t.match(
      [picture.status, picture.headers.get('content-type')],
      [200, 'image/jpeg'],
      'a gateway serves a picture of an engine from the shared folder',
    )

    for (const part of ['engine-a', 'engine-b', 'gateway-a', 'gateway-b'])
      t.equal(await system.kill(part, 'SIGTERM'), 0, `${part} exits on SIGTERM`)
  },
)
