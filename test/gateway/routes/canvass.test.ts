import { request } from 'node:http'
import { connect } from 'node:net'
import t from 'tap'
import { DictionarySearch, SearchPool, StoreWriter } from '../../../engine/internal_mod.js'
import { migrate } from '../../../engine/mod.js'
import { OpenGate } from '../../engine/records/test_records.js'
import { cityRows, CAMERAS } from '../../engine/canvass/city.js'
import { runningQueries } from '../../servers/running_queries.js'
import { startTestStore } from '../../servers/store.js'
import { until } from '../../until.js'
import { BEARER, startTestGateway } from '../fixtures/gateway.js'

const wide = { windows: [{ from: '2026-10-30T00:00:00Z', to: '2026-11-20T00:00:00Z' }] }
t.setTimeout(240_000)

t.test('canvass questions are answered over HTTP', async (t) => {
  const store = await startTestStore(t)
  await migrate(store.client, 'p')
  await new StoreWriter(store.client, 'p').write({ reads: cityRows(400), hits: [], ledger: [] })
  const gate = new OpenGate()
  const { app, url } = await startTestGateway(t, { client: store.client, gate })
  const post = (path: string, payload: object, headers: object = BEARER) =>
    app.inject({ method: 'POST', url: `/api/canvass/${path}`, headers: headers as Record<string, string>, payload })

  t.equal((await post('canvass', wide, {})).statusCode, 401, 'authentication comes first')
  const page = (await post('canvass?purpose=homicide%20CR-17', { ...wide, limit: 2, explain: true })).json()
  t.match(page, {
    items: [{ plate: String, count: Number, best: { readId: String } }, {}],
    next: String,
    plan: { queries: [{ ms: Number }] },
  })
  t.match(
    gate.begun,
    [{ who: 'service', purpose: 'homicide CR-17', session: 'token', kind: 'question', form: 'explain' }],
    'caller and purpose reach the access gate',
  )
  t.equal((await post('canvass', { ...wide, limit: 2, cursor: page.next })).json().items.length, 2)

  // A file says where it ends: in trailers, which `inject` does not show.
  const fileOf = (path: string, body: object) =>
    new Promise<{ text: string; trailers: NodeJS.Dict<string> }>((resolve, reject) => {
      const headers = { ...BEARER, 'content-type': 'application/json' }
      const sent = request(`${url}/api/canvass/${path}`, { method: 'POST', headers }, (response) => {
        let text = ''
        response.on('data', (piece) => (text += String(piece)))
        response.on('end', () => resolve({ text, trailers: response.trailers }))
      })
      sent.on('error', reject).end(JSON.stringify(body))
    })
  const cut = await fileOf('heat?format=csv', { ...wide, limit: 7 })
  t.equal(cut.text.trim().split('\r\n').length, 1 + 7)
  const cursor = cut.trailers['next-page']
  const rest = await fileOf('heat?format=csv', { ...wide, cursor })
  const whole = await fileOf('heat?format=csv', wide)
  t.equal(`${cut.text}${rest.text.slice(rest.text.indexOf('\r\n') + 2)}`, whole.text, 'the cursor leads to the rest')
  t.notOk(whole.trailers['next-page'], 'a whole file has no cursor')
  t.equal(JSON.parse((await fileOf('heat?format=geojson', { ...wide, limit: 7 })).text).next, cursor)
  t.match(await fileOf('plates?format=csv', { pattern: '?*', limit: 2 }), { trailers: { 'rows-left': /^[1-9]/ } })
  t.match((await post('plates', { pattern: '?*', limit: 2 })).json(), { left: Number })

  for (const [kind, input] of Object.entries({
    canvass: {},
    history: { plate: '7ABC123' },
    scenes: undefined,
    convoy: { plate: '7ABC123', gapS: 600, minMeetings: 2 },
    nearby: undefined,
    timeline: { step: '1h' },
    heat: {},
    'look-back': { plates: ['7ABC123'] },
    plates: undefined,
    preview: { entries: 1_000_000 },
  })) {
    const body =
      kind === 'plates'
        ? { pattern: '7*' }
        : kind === 'scenes'
          ? { scenes: [wide, wide] }
          : kind === 'nearby'
            ? { readId: '1001', withinS: 3_600 }
            : { ...wide, ...input }
    const json = await post(kind, body)
    t.equal(json.statusCode, 200, kind)
    const csv = await post(`${kind}?format=csv`, { ...body, limit: 1_000 })
    t.match(csv.headers, { 'content-type': /^text\/csv/, 'content-disposition': `attachment; filename="${kind}.csv"` })
    const geo = (await post(`${kind}?format=geojson`, { ...body, limit: 1_000 })).json()
    t.equal(geo.type, 'FeatureCollection')
    t.equal(csv.body.trim().split('\r\n').length - 1, geo.features.length, 'as many rows as features')
    t.ok(geo.features.length >= json.json().items.length)
  }
  t.match(
    (
      await post('canvass', {
        ...wide,
        places: [{ circle: { lat: CAMERAS[0]!.lat, lon: CAMERAS[0]!.lon, radiusM: 0 } }],
      })
    ).json(),
    { code: 'ALPR_ERR_REQUEST_INVALID' },
  )
  t.match(
    (await post('canvass?format=csv', { windows: [{ from: wide.windows[0]!.to, to: wide.windows[0]!.from }] })).json(),
    { code: 'ALPR_ERR_WINDOW_INVALID' },
    'a file that cannot start is an error with its code',
  )
  const lines = (await post('plates?format=pages', { pattern: '*' })).body
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.match(
    lines.at(-1),
    { items: [{ plate: String, count: Number, firstSeen: String }], notes: { done: true } },
    'one line per page; the last one is done',
  )
  t.match((await post('heat?format=pages', wide)).json(), {
    code: 'ALPR_ERR_REQUEST_INVALID',
    details: { field: 'format' },
  })
  t.match((await post('plates?format=pages', { pattern: '[8' })).json(), { code: 'ALPR_ERR_PATTERN_INVALID' })
  const preview = (await post('preview', { ...wide, entries: 1_000_000, thresholds: [0.5, 0.05] })).json()
  t.match(preview, {
    items: [{ threshold: 0.5, falseHitsPerDay: Number, found: Number }, { threshold: 0.05 }],
    notes: { entries: 1_000_000, reads: Number },
  })
  t.ok(
    preview.items[1].falseHitsPerDay >= preview.items[0].falseHitsPerDay &&
      preview.items[1].found >= preview.items[0].found,
  )
  t.match((await post('preview', { ...wide, entries: -1 })).json(), {
    code: 'ALPR_ERR_REQUEST_INVALID',
    details: { field: 'entries' },
  })
  t.match((await post('canvass', { ...wide, pattern: '[8' })).json(), {
    code: 'ALPR_ERR_PATTERN_INVALID',
    details: { position: 1 },
  })
  t.equal((await post('canvass?x=1', wide)).statusCode, 400)
  t.equal((await post('nothing', wide)).statusCode, 404)
  const openApi = (await app.inject({ url: '/docs/json', headers: BEARER })).json()
  t.match(openApi.paths['/api/canvass/convoy'].post.requestBody, {
    content: {
      'application/json': { schema: { required: ['windows', 'plate'], properties: { gapS: { default: 30 } } } },
    },
  })
})

t.test('when a client disconnects, the store ends its query', async (t) => {
  const { client } = await startTestStore(t)
  await migrate(client, 'p')
  await client.command({
    query: `INSERT INTO p.reads
        (cell, ts, read_id, version, plate, confidence, region, camera, stay_ms, lat, lon, direction)
      SELECT number % 50, fromUnixTimestamp64Milli(1794000000000 + number, 'UTC'), number, 1,
        concat('8', leftPad(toString(number), 7, '0')), 0.9, 'US-CA', 'cam-1', 10, 37.7, -122.2, 'unknown'
      FROM numbers(600000)`,
  })
  const { url } = await startTestGateway(t, { client })
  const ask = (signal?: AbortSignal) =>
    fetch(`${url}/api/canvass/canvass`, {
      method: 'POST',
      ...(signal && { signal }),
      headers: { ...BEARER, 'content-type': 'application/json' },
      body: JSON.stringify(wide),
    }).then((response) => response.text())
  const began = performance.now()
  await ask()
  const wholeMs = performance.now() - began

  const running = () => runningQueries(client, 'GROUP BY plate')
  const leaving = new AbortController()
  const left = ask(leaving.signal)
  left.catch(() => {})
  await until(async () => (await running()) > 0)
  const abortedAt = performance.now()
  leaving.abort()
  await t.rejects(left)
  await until(async () => (await running()) === 0)
  const endedMs = performance.now() - abortedAt
  t.ok(endedMs < wholeMs / 2, `ended ${endedMs.toFixed(0)} ms after the disconnection, of ${wholeMs.toFixed(0)} ms`)
})

t.test('a search that uses its budget up says so, and a client that reads nothing holds nobody up', async (t) => {
  const store = await startTestStore(t)
  await migrate(store.client, 'p')
  await store.client.command({
    query: `INSERT INTO p.plates SELECT concat('7AB', leftPad(toString(number), 5, '0')), 'CA', 1, now(), now()
      FROM numbers(60000)`,
  })
  const pool = new SearchPool(2)
  t.teardown(() => pool.close())
  const search = await DictionarySearch.load(store.client, 'p', { pool, budgetMs: 20 })
  const { app, url } = await startTestGateway(t, { client: store.client, search })
  const post = (path: string, payload: object) =>
    app.inject({ method: 'POST', url: `/api/canvass/${path}`, headers: BEARER, payload })
  const costly = { pattern: '[A-M]&B&[0-4]&[5-9]~2', limit: 5_000 }
  const narrow = { pattern: '7AB0001?', lookAlikes: false }

  const { hostname, port } = new URL(url)
  const deaf = connect(Number(port), hostname)
  t.teardown(() => deaf.destroy())
  deaf.pause()
  const body = JSON.stringify(costly)
  deaf.write(
    `POST /api/canvass/plates?format=pages HTTP/1.1\r\nHost: ${hostname}:${port}\r\n` +
      `Authorization: ${BEARER.authorization}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
  )
  t.match((await post('plates', narrow)).json(), { items: Array, notes: { matched: 10, done: true } })

  const part = (await post('plates', costly)).json()
  t.match(part, { partial: true, notes: { plates: 60_000, done: true } })
  t.ok(part.notes.scanned < 60_000)
  const lines = (await post('plates?format=pages', costly)).body.trim().split('\n')
  t.match(JSON.parse(lines.at(-1)!), { partial: true, notes: { done: true } })
  const file = await post('plates?format=csv', costly)
  t.equal(file.statusCode, 422, 'a file has no place to say that it is a part')
  t.match(file.json(), { code: 'ALPR_ERR_SEARCH_TOO_COSTLY', details: { reason: / of 60000 plates were searched/ } })
  t.equal((await post('plates', narrow)).json().partial, undefined)
})
