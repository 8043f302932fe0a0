import t from 'tap'
import { startTestNats } from '../../servers/nats.js'
import { until } from '../../until.js'
import { BEARER, startTestGateway } from '../fixtures/gateway.js'

t.test('cameras and hot lists follow their buckets', async (t) => {
  const nats = await startTestNats(t)
  const publisher = await nats.connect()
  const { app, services } = await startTestGateway(t, { nats })
  const cameras = await publisher.jetstream().views.kv('CAMERAS', { bindOnly: true })
  const lists = await publisher.jetstream().views.kv('HOTLISTS', { bindOnly: true })
  const camera = { id: 'cam-1', name: 'Main St', kind: 'fixed', lat: 1, lon: 2, heading: 90, agency: 'PD' }
  await cameras.put('cam-1', JSON.stringify(camera))
  await cameras.put('broken', '{')
  await lists.put(
    'svs',
    JSON.stringify({
      id: 'svs',
      name: 'Stolen vehicles',
      kind: 'hot',
      priority: 'high',
      source: 'local',
      version: '0123456789abcdef',
      loadedAt: new Date(Date.now() - 13 * 3_600_000).toISOString(),
      entries: 3,
      tolerance: 'tolerant',
      threshold: 0.5,
    }),
  )
  await until(async () => services.registry.cameras().length === 1 && services.registry.lists().length === 1)
  t.same((await app.inject({ url: '/api/cameras', headers: BEARER })).json().items, [camera])
  t.match((await app.inject({ url: '/api/hotlists?format=csv', headers: BEARER })).body, /svs,Stolen vehicles,hot,high/)
  t.match(
    (await app.inject({ url: '/api/status', headers: BEARER })).json(),
    { lists: 1, staleLists: [{ id: 'svs' }] },
    'older than 12 h',
  )
  await cameras.put('cam-2', JSON.stringify({ ...camera, id: 'cam-2', name: 'Second' }))
  await until(async () => services.registry.cameras().length === 2)
  await cameras.delete('cam-2')
  await until(async () => services.registry.cameras().length === 1)
  await nats.kill()
  await until(async () => !services.natsLink.state.connected)
  t.equal(services.registry.cameras().length, 1, 'the last known state stays available')
  await nats.restart()
  await until(async () =>
    publisher.rtt().then(
      () => true,
      () => false,
    ),
  )
  await cameras.delete('cam-1')
  await until(async () => services.registry.cameras().length === 0)
})
