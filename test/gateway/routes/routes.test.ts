import t from 'tap'
import type { EngineStatus } from '../../../engine/mod.js'
import { toCsv } from '../../../gateway/http/csv_writer.js'
import { cursorOf, isBefore, parseCursor } from '../../../gateway/http/cursor.js'
import type { ArchivedRead } from '../../../gateway/records/archive.js'
import { startTestNats } from '../../servers/nats.js'
import { BEARER, startTestGateway } from '../fixtures/gateway.js'
import { makeHit } from '../fixtures/hits.js'
import { until } from '../../until.js'

const read = (n: number, change: Partial<ArchivedRead> = {}): ArchivedRead => ({
  readId: String(n),
  version: 1,
  plate: `7ABC${n}`,
  confidence: 0.9,
  alternates: [{ plate: '7A8C1', confidence: 0.05 }],
  region: 'CA',
  camera: 'cam-1',
  ts: '2026-11-22T03:00:00.000Z',
  tsLast: '2026-11-22T03:00:01.000Z',
  lat: 37.5,
  lon: -122.5,
  direction: 'leaving',
  frames: 4,
  crop: { segment: '2026-W47-a.crops', offset: 12, length: 300 },
  module: 'm',
  model: 'n',
  ...change,
})

const status = (change: Partial<EngineStatus> = {}): EngineStatus => ({
  instance: 'e1',
  at: new Date().toISOString(),
  waiting: {},
  partitions: [0, 1],
  workers: 2,
  module: 'm',
  model: 'n',
  counters: { frames_total: 100, reads_total: 10, dead_ALPR_ERR_FRAME_EMPTY_total: 2, bound_slots_total: 1 },
  gauges: { frames_waiting: 3, delay_seconds: 0.25, 'hot_list_age_seconds.svs': 60, 'bad name': 1 },
  bounds: [],
  ...change,
})

t.test('lists come in pages, newest first, as JSON and as CSV', async (t) => {
  const { app, archive } = await startTestGateway(t)
  archive.stored = Array.from({ length: 5 }, (_, i) => read(i + 1))
  const get = (url: string) => app.inject({ url, headers: BEARER })
  const first = (await get('/api/reads?limit=2')).json()
  t.same(
    first.items.map((r: ArchivedRead) => r.readId),
    ['1', '2'],
  )
  const second = (await get(`/api/reads?limit=2&before=${first.next}`)).json()
  t.same(
    second.items.map((r: ArchivedRead) => r.readId),
    ['3', '4'],
  )
  const third = (await get(`/api/reads?limit=2&before=${second.next}`)).json()
  t.same(third.items.length, 1)
  t.notOk('next' in third)

  const csv = await get('/api/reads?limit=2&format=csv')
  t.match(csv.headers, {
    'content-type': /^text\/csv/,
    'content-disposition': 'attachment; filename="reads.csv"',
    'next-page': '2',
  })
  const [heading, line] = csv.body.split('\r\n')
  t.match(heading, /^readId,plate,confidence,/)
  t.match(
    line,
    /^1,7ABC1,0\.9,7A8C1 0\.05,CA,cam-1,,2026-11-22T03:00:00\.000Z,.*,37\.5,-122\.5,,leaving,4,\/api\/crops\/2026-W47-a\.crops\/12\/300,m,n$/,
  )

  await get('/api/reads?plate=7 abc-1&camera=cam-1')
  t.same(
    archive.asked.at(-1),
    { limit: 100, camera: 'cam-1', plate: '7ABC1' },
    'a plate is compared without spaces and case',
  )
  archive.storedHits = [makeHit(1, { reason: 'said "stop", twice' })]
  t.match((await get('/api/hits')).json().items[0], { hitId: archive.storedHits[0]!.hitId, state: 'possible' })
  t.match((await get('/api/hits?format=csv&list=svs')).body, /"said ""stop"", twice"/)
  archive.storedLedger = [
    { camera: 'cam-1', hour: '2026-11-22T03:00:00.000Z', framesIn: 10, withReads: 4, withoutPlate: 5, dead: 1 },
  ]
  t.same(
    (await get('/api/ledger?from=2026-11-22T00:00:00Z&to=2026-11-23T00:00:00Z&camera=cam-1')).json().items,
    archive.storedLedger,
  )
  t.same(archive.asked.at(-1), { from: Date.UTC(2026, 10, 22), to: Date.UTC(2026, 10, 23), camera: 'cam-1' })
  t.match((await get('/api/ledger?format=csv')).body, /cam-1,2026-11-22T03:00:00.000Z,10,4,5,1\r\n$/)
})

t.test('a question that makes no sense is refused with the name of its field', async (t) => {
  const { app } = await startTestGateway(t)
  for (const [url, field] of [
    ['/api/reads?limit=0', 'querystring.limit'],
    ['/api/reads?limit=1001', 'querystring.limit'],
    ['/api/reads?limit=ten', 'querystring.limit'],
    ['/api/reads?unknown=1', 'querystring.unknown'],
    ['/api/reads?camera=A!', 'querystring.camera'],
    ['/api/reads?format=xml', 'querystring.format'],
    ['/api/hits?list=A!', 'querystring.list'],
    ['/api/ledger?from=yesterday', 'querystring.from'],
    ['/api/cameras?x=1', 'querystring.x'],
    ['/api/crops/2026-W47-a.crops/-1/20', 'params.offset'],
    ['/api/crops/2026-W47-a.crops/0/999999999', 'params.length'],
    ['/api/crops/..%2Fsecrets.json/0/20', 'params.segment'],
    ['/api/crops/.hidden/0/20', 'params.segment'],
  ] as const) {
    const answer = await app.inject({ url, headers: BEARER })
    t.equal(answer.statusCode, 400, url)
    t.match(answer.json(), { code: 'ALPR_ERR_REQUEST_INVALID', message: String, details: { field } }, url)
  }
  for (const query of [
    'from=2026-11-22T00:00Z&to=2026-11-21T00:00Z',
    'from=2026-01-01T00:00Z&to=2026-11-21T00:00Z',
    'from=2026-13-41T00:00Z',
  ]) {
    t.match(
      (await app.inject({ url: `/api/ledger?${query}`, headers: BEARER })).json(),
      { code: 'ALPR_ERR_REQUEST_INVALID' },
      query,
    )
  }
  t.match((await app.inject({ url: '/api/nothing', headers: BEARER })).json(), {
    code: 'ALPR_ERR_NOT_FOUND',
    message: 'GET /api/nothing was not found',
  })
  t.match(
    (
      await app.inject({ method: 'POST', url: '/api/session', headers: { 'content-type': 'text/plain' }, payload: 'x' })
    ).json(),
    { code: 'ALPR_ERR_REQUEST_INVALID' },
  )
  t.equal(
    (await app.inject({ method: 'POST', url: '/api/session', payload: { token: 'x'.repeat(70_000) } })).statusCode,
    413,
  )
})

t.test('pictures: private, unchanging, and only what is there', async (t) => {
  const { app, archive } = await startTestGateway(t)
  archive.crops.set('2026-W47-a.crops/12/300', Buffer.from([0xff, 0xd8, 0xff, 0xd9]))
  const answer = await app.inject({ url: '/api/crops/2026-W47-a.crops/12/300', headers: BEARER })
  t.equal(answer.statusCode, 200)
  t.match(answer.headers, { 'content-type': 'image/jpeg', 'cache-control': /^private, / })
  t.same(answer.rawPayload, Buffer.from([0xff, 0xd8, 0xff, 0xd9]))
  t.match((await app.inject({ url: '/api/crops/2026-W47-a.crops/13/300', headers: BEARER })).json(), {
    code: 'ALPR_ERR_NOT_FOUND',
  })
})

t.test('readyz tells the truth about each part', async (t) => {
  const nats = await startTestNats(t)
  const gateway = await startTestGateway(t, { nats })
  const { app, archive, services } = gateway
  const ready = async () => {
    const answer = await app.inject({ url: '/readyz' })
    return { ...answer.json(), code: answer.statusCode } as { code: number; ready: boolean; reasons: string[] }
  }
  await until(async () => services.hub.feed.state.live)
  t.same((await ready()).reasons, ['engines: none has reported yet'])
  const publisher = await nats.connect()
  const say = async (change: Partial<EngineStatus> = {}) => {
    publisher.publish('status.engine.e1', JSON.stringify(status(change)))
    await publisher.flush()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await say()
  t.match(await ready(), { code: 200, ready: true, reasons: [] })
  await say({ waiting: { clickhouse: 'no answer' } })
  t.match(await ready(), { code: 503, reasons: ['engine e1: waits for clickhouse: no answer'] })
  await say({ partitions: [0, 3], gauges: { partitions_total: 4 } })
  t.match(await ready(), { code: 503, reasons: ['partitions: 1, 2 held by no engine, their cameras wait'] })
  await say({ partitions: [0, 1, 2, 3], gauges: { partitions_total: 4 } })
  t.match(await ready(), { code: 200 })
  await say()
  archive.alive = false
  await until(async () => (await ready()).reasons.some((reason) => reason.startsWith('store: ')))
  archive.alive = true
  archive.ping = () => new Promise(() => {}) // hangs
  await until(async () => (await ready()).reasons.some((reason) => reason.includes('no answer within')))
  await (await publisher.jetstreamManager()).streams.delete('KV_CAMERAS')
  await nats.restart()
  await until(async () => (await ready()).reasons.some((reason) => reason.startsWith('registry: CAMERAS: ')))
  await nats.kill()
  await until(async () => (await ready()).reasons.some((reason) => reason.startsWith('nats: ')))
  t.equal((await app.inject({ url: '/healthz' })).statusCode, 200, 'alive all the time')
  await until(async () => (await ready()).reasons.some((reason) => /^engine e1: silent for \d+ s$/.test(reason)))
})

t.test('metrics: of the gateway, and of each engine by instance', async (t) => {
  const { app, services } = await startTestGateway(t)
  services.board.put(status())
  services.board.put(status({ instance: 'e"2\n', counters: { frames_total: 7 }, gauges: {} }))
  const text = (await app.inject({ url: '/metrics', remoteAddress: '127.0.0.1' })).body
  for (const line of [
    'alpr_gateway_consoles 0',
    'alpr_gateway_nats_connected 0',
    'alpr_gateway_engines_fresh 2',
    'alpr_engine_frames_total{instance="e1"} 100',
    'alpr_engine_frames_total{instance="e_2_"} 7',
    'alpr_engine_dead_total{instance="e1",code="ALPR_ERR_FRAME_EMPTY"} 2',
    'alpr_engine_bound_total{instance="e1",bound="slots"} 1',
    'alpr_engine_hot_list_age_seconds{instance="e1",list="svs"} 60',
    'alpr_engine_workers{instance="e1"} 2',
    '# TYPE alpr_engine_frames_total counter',
    '# TYPE alpr_engine_frames_waiting gauge',
  ])
    t.ok(text.split('\n').includes(line), line)
  t.equal(text.match(/# TYPE alpr_engine_frames_total/g)!.length, 1, 'one family')
  t.notMatch(text, /bad name/)
})

t.test('rates and freshness of engines go by our clock and survive their restarts', async (t) => {
  const { StatusBoard } = await import('../../../gateway/status/status_board.js')
  let now = 0
  const board = new StatusBoard(() => now)
  t.equal(board.rate('frames_total'), undefined)
  board.put(status())
  now += 1_000
  board.put(status({ counters: { frames_total: 120, reads_total: 10 } }))
  t.equal(board.rate('frames_total'), 20)
  now += 1_000
  board.put(status({ counters: { frames_total: 3, reads_total: 0 } }))
  t.equal(board.rate('frames_total'), undefined, 'a new process: unknown, not negative')
  t.equal(board.engines()[0]!.fresh, true)
  now += 5_001
  t.match(board.engines(), [{ instance: 'e1', fresh: false, ageMs: 5_001 }])
  t.equal(board.sumOf('frames_waiting'), undefined)
  now += 600_000
  t.same(board.engines(), [], 'forgotten')
  for (let i = 0; i < 400; i++) board.put(status({ instance: `flood-${i}` }))
  t.equal(board.engines().length, 256, 'bounded')
  board.put({} as EngineStatus)
})

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
  t.equal(services.registry.cameras().length, 1, 'what is known stays known')
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

t.test('the document of the API has every route and its errors', async (t) => {
  const { app } = await startTestGateway(t)
  const document = (await app.inject({ url: '/docs/json', headers: BEARER })).json()
  t.same(Object.keys(document.paths).sort(), [
    '/api/cameras',
    ...['canvass', 'convoy', 'heat', 'history', 'look-back', 'nearby', 'plates', 'preview', 'scenes', 'timeline'].map(
      (kind) => `/api/canvass/${kind}`,
    ),
    '/api/crops/{segment}/{offset}/{length}',
    '/api/hits',
    '/api/hotlists',
    '/api/ledger',
    '/api/reads',
    '/api/session',
    '/api/status',
    '/healthz',
    '/metrics',
    '/readyz',
  ])
  t.ok(document.paths['/api/reads'].get.responses['401'])
  const page = await app.inject({ url: '/docs/', headers: BEARER })
  t.equal(page.statusCode, 200)
  t.notMatch(page.body, /https?:\/\/(?!www\.w3\.org)/, 'nothing from outside')
})

t.test('a table cell cannot become a formula', (t) => {
  const rows = [
    { text: '=1+1', more: '@x' },
    { text: 'a,b', more: 'line\nbreak' },
    { text: '-5', more: '' },
  ]
  t.equal(
    toCsv(rows, [
      ['text', (r) => r.text],
      ['more', (r) => r.more],
      ['n', () => -5],
      ['none', () => undefined],
    ]),
    'text,more,n,none\r\n\'=1+1,\'@x,-5,\r\n"a,b","line\nbreak",-5,\r\n\'-5,,-5,\r\n',
  )
  t.end()
})

t.test('a cursor is a place in (time, id), and nothing else is a cursor', (t) => {
  const cursor = { time: 1_795_316_400_000, id: '0000000000000012-0.svs.7ABC123' }
  t.same(parseCursor(cursorOf(cursor)), cursor)
  for (const text of [
    '',
    'x',
    'MTIz',
    Buffer.from('12 a b').toString('base64url'),
    Buffer.from('x y').toString('base64url'),
  ]) {
    t.throws(() => parseCursor(text), { code: 'ALPR_ERR_REQUEST_INVALID' }, text)
  }
  t.ok(isBefore({ time: 1, id: '9' }, { time: 2, id: '1' }))
  t.ok(isBefore({ time: 1, id: '9' }, { time: 1, id: '10' }), 'numbers as numbers')
  t.notOk(isBefore({ time: 1, id: '10' }, { time: 1, id: '10' }))
  t.ok(isBefore({ time: 1, id: '9.a' }, { time: 1, id: '9.b' }))
  t.end()
})
