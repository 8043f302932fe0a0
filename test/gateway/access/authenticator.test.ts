import t from 'tap'
import { request } from 'node:http'
import { pino } from 'pino'
import { WebSocket } from 'ws'
import { Authenticator } from '../../../gateway/access/authenticator.js'
import { gatewayLog } from '../../../gateway/log.js'
import { ConsoleClient } from '../fixtures/console_client.js'
import { BEARER, startTestGateway, TOKEN } from '../fixtures/gateway.js'

const SHELL = [
  '/',
  '/console.css',
  '/console.js',
  '/console.js.map',
  '/icon.svg',
  '/recognize',
  '/recognize.css',
  '/recognize.js',
  '/recognize.js.map',
  '/recognize_worker.js',
  '/recognize_worker.js.map',
  '/recognizer.wasm',
  '/platestream.psm',
]

t.test('only health, metrics for this machine, the empty page and the sign-in are open', async (t) => {
  const { app } = await startTestGateway(t)
  const routes = app.printRoutes({ commonPrefix: false, includeMeta: false })
  t.ok(routes.includes('api/reads'), 'the list of routes is readable')
  const open: string[] = []
  for (const { method, url } of routesOf(app)) {
    if (method === 'HEAD' || method === 'OPTIONS') continue
    // From elsewhere: an address of the network, no credentials.
    const path = url
      .replace(':segment', '2026-W47-a.crops')
      .replace(':offset', '0')
      .replace(':length', '20')
      .replace('*', 'index.html')
    const answer = await app.inject({
      method: method as 'GET',
      url: path,
      remoteAddress: '192.0.2.7',
      ...(method === 'POST' && { payload: {} }),
    })
    if (answer.statusCode !== 401) open.push(`${method} ${url}`)
    else t.match(answer.json(), { code: 'ALPR_ERR_AUTH_REQUIRED' }, `${method} ${url} is closed`)
  }
  t.same(
    open.filter((route) => !SHELL.includes(route.slice(4))),
    ['GET /healthz', 'GET /readyz', 'POST /api/session'],
  )
  t.equal((await app.inject({ url: '/metrics', remoteAddress: '192.0.2.7' })).statusCode, 401)
  t.equal((await app.inject({ url: '/metrics', remoteAddress: '127.0.0.1' })).statusCode, 200)
  t.equal(
    (await app.inject({ url: '/metrics', remoteAddress: '127.0.0.1', headers: { 'x-forwarded-for': '192.0.2.7' } }))
      .statusCode,
    401,
    'nor through a proxy',
  )
  for (const url of ['/api/nothing', '/nothing', '/docs', '/docs/json', '/../package.json', '/api/crops/../x']) {
    t.equal(
      (await app.inject({ url, remoteAddress: '127.0.0.1' })).statusCode,
      401,
      `${url} says nothing to a stranger`,
    )
  }
})

t.test('the token as a bearer', async (t) => {
  const { app } = await startTestGateway(t)
  const status = async (authorization: string) =>
    (await app.inject({ url: '/api/status', headers: { authorization } })).statusCode
  t.equal(await status(`Bearer ${TOKEN}`), 200)
  t.equal(await status(`bearer ${TOKEN}`), 200, 'the word in any case')
  for (const wrong of [
    '',
    'Bearer',
    'Bearer ',
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(0, -1)}`,
    `Basic ${TOKEN}`,
    TOKEN,
    `Bearer  ${TOKEN}`,
  ]) {
    t.equal(await status(wrong), 401, JSON.stringify(wrong.slice(0, 12)))
  }
})

t.test('a browser trades the token for a cookie that scripts cannot read', async (t) => {
  const { app } = await startTestGateway(t)
  const signIn = (token: unknown, headers = {}) =>
    app.inject({ method: 'POST', url: '/api/session', payload: { token }, headers })
  const answer = await signIn(TOKEN)
  t.equal(answer.statusCode, 204)
  const set = String(answer.headers['set-cookie'])
  t.match(set, /^alpr_[0-9a-f]{8}=v1\.\d+\.[\w-]+\.[\w-]+; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/)
  t.notOk(set.includes(TOKEN))
  const cookie = set.split(';')[0]!
  const look = (value: string) => app.inject({ url: '/api/session', headers: { cookie: value } })
  t.match((await look(cookie)).json(), { kind: 'session', expiresAt: String })
  t.equal((await look(`other=1; ${cookie}; more=2`)).statusCode, 200)

  const [name, value] = cookie.split('=') as [string, string]
  const [version, expires, nonce, mac] = value.split('.') as [string, string, string, string]
  for (const forged of [
    `${version}.${Number(expires) + 1}.${nonce}.${mac}`,
    `${version}.${expires}.${nonce}x.${mac}`,
    `${version}.${expires}.${nonce}.`,
    `${version}.${expires}.${nonce}`,
    'v1',
    '',
    '.',
    `v2.${expires}.${nonce}.${mac}`,
    'x'.repeat(5_000),
  ])
    t.equal((await look(`${name}=${forged}`)).statusCode, 401, forged.slice(0, 30))
  t.equal(
    (await app.inject({ url: '/api/session', headers: { cookie, authorization: 'Bearer wrong' } })).statusCode,
    401,
    'a wrong bearer does not fall back to the cookie',
  )

  t.equal((await signIn('wrong')).statusCode, 401)
  t.equal((await signIn('')).statusCode, 400)
  t.equal((await signIn(5)).statusCode, 400, 'no coercion in a body')
  t.match((await app.inject({ method: 'POST', url: '/api/session', payload: { token: TOKEN, extra: 1 } })).json(), {
    code: 'ALPR_ERR_REQUEST_INVALID',
    details: { field: 'body.extra' },
  })
  t.equal((await signIn(TOKEN, { origin: 'http://elsewhere.example' })).statusCode, 401, 'not from another page')
  t.equal((await signIn(TOKEN, { origin: 'http://localhost:8480', host: 'localhost:8480' })).statusCode, 204)
  const out = await app.inject({ method: 'DELETE', url: '/api/session', headers: { cookie } })
  t.match(String(out.headers['set-cookie']), /=; Max-Age=0; /)
})

t.test('sessions end, are renewed by use in their second half, and die with the token', async (t) => {
  let now = Date.now()
  const authenticator = new Authenticator(TOKEN, () => now)
  const cookie = authenticator.openSession(TOKEN, true)
  t.match(cookie, /; HttpOnly; Secure; SameSite=Strict$/)
  const headers = { cookie: cookie.split(';')[0] }
  const hour = 3_600_000
  t.equal(authenticator.renew(authenticator.authenticate(headers), false), undefined)
  now += 7 * hour
  const renewed = authenticator.renew(authenticator.authenticate(headers), false)!
  t.ok(renewed)
  now += 6 * hour
  t.throws(() => authenticator.authenticate(headers), { code: 'ALPR_ERR_AUTH_REQUIRED' })
  t.equal(authenticator.authenticate({ cookie: renewed.split(';')[0] }).kind, 'session')
  const other = new Authenticator('d'.repeat(64), () => now)
  t.throws(
    () => other.authenticate({ cookie: renewed.split(';')[0] }),
    { code: 'ALPR_ERR_AUTH_REQUIRED' },
    'another token',
  )
  t.throws(() => new Authenticator(''), { code: 'ALPR_ERR_SETTINGS_INVALID' }, 'an empty token opens nothing')
})

t.test('the WebSocket asks at the same authenticator, and for the origin', async (t) => {
  const gateway = await startTestGateway(t, { maxConsoles: 2 })
  const open = (headers: Record<string, string>) => ConsoleClient.open(t, gateway.url, undefined, headers)
  await t.rejects(open({}), { message: 'status 401' })
  await t.rejects(open({ authorization: 'Bearer wrong' }), { message: 'status 401' })
  await t.rejects(open({ ...BEARER, origin: 'http://elsewhere.example' }), { message: 'status 401' })
  await t.rejects(open({ ...BEARER, origin: 'null' }), { message: 'status 401' })
  const cookie = String(
    (await gateway.app.inject({ method: 'POST', url: '/api/session', payload: { token: TOKEN } })).headers[
      'set-cookie'
    ],
  ).split(';')[0]!
  const first = await open({ cookie, origin: gateway.url })
  await open(BEARER)
  await t.rejects(open(BEARER), { message: 'status 503' }, 'no more than allowed')
  first.socket.terminate()
  await new Promise((resolve) => setTimeout(resolve, 100))
  await open(BEARER)

  const other = new WebSocket(`${gateway.url.replace('http', 'ws')}/ws/other`, { headers: BEARER })
  const status = await new Promise((resolve) => {
    other.on('unexpected-response', (_, response) => resolve(response.statusCode))
    other.on('error', () => {})
  })
  t.equal(status, 404)
})

t.test('a console that talks nonsense is told why and closed', async (t) => {
  for (const [text, reason] of [
    ['{', 'not JSON'],
    ['{"type":"other"}', 'type'],
    ['{"type":"subscribe","since":"5"}', 'since'],
    ['{"type":"subscribe","more":1}', 'more'],
    ['{"type":"subscribe","since":-1}', 'since'],
    ['{"type":"subscribe","area":[1,2,3]}', 'area'],
    ['{"type":"subscribe","lists":["A B"]}', 'lists'],
  ] as const) {
    const gateway = await startTestGateway(t)
    const client = await ConsoleClient.open(t, gateway.url)
    client.socket.send(text)
    await client.until((c) => c.closed !== undefined, 'the close')
    t.match(client.of('error')[0], { code: 'ALPR_ERR_REQUEST_INVALID', message: new RegExp(reason) }, text)
    t.equal(client.closed!.code, 4400)
  }
  const gateway = await startTestGateway(t)
  const flood = await ConsoleClient.open(t, gateway.url)
  for (let i = 0; i < 30; i++) flood.subscribe({})
  await flood.until((c) => c.closed !== undefined, 'the close')
  t.equal(flood.closed!.code, 4400)
  const big = await ConsoleClient.open(t, gateway.url)
  big.socket.send('x'.repeat(70_000))
  await big.until((c) => c.closed !== undefined, 'the close')
  t.equal(big.closed!.code, 1009)
})

t.test('no secret in a log, whatever goes wrong', async (t) => {
  const lines: string[] = []
  const log = gatewayLog('debug', { write: (line) => void lines.push(line) })
  const gateway = await startTestGateway(t, { log, nats: { url: `nats://${TOKEN}@127.0.0.1:1`, token: TOKEN } })
  const { app, archive } = gateway
  archive.reads = async () => {
    throw new Error('a foreign error')
  }
  const cookie = String(
    (await app.inject({ method: 'POST', url: '/api/session', payload: { token: TOKEN } })).headers['set-cookie'],
  )
  t.match((await app.inject({ url: `/api/reads?camera=a&token=${TOKEN}`, headers: BEARER })).statusCode, 400)
  t.match((await app.inject({ url: '/api/reads?camera=a', headers: { ...BEARER, cookie } })).json(), {
    code: 'ALPR_ERR_INTERNAL',
    message: 'internal error',
  })
  await app.inject({ url: `/?token=${TOKEN}` })
  await ConsoleClient.open(t, gateway.url).then((client) => client.close())
  log.info(
    {
      req: { method: 'GET', url: `/?token=${TOKEN}` },
      headers: BEARER,
      token: TOKEN,
      request: { headers: { cookie } },
    },
    'as a careless line would',
  )
  await new Promise((resolve) => setTimeout(resolve, 300))
  t.ok(
    lines.some((line) => line.includes('a foreign error')),
    'the failure is logged',
  )
  t.ok(lines.some((line) => line.includes('careless')))
  for (const line of lines) {
    t.notOk(line.includes(TOKEN), line.slice(0, 120))
    t.notOk(line.includes(cookie.split(';')[0]!.split('=')[1]!))
  }
})

t.test('normal operation logs nothing per request or console', async (t) => {
  const lines: string[] = []
  const gateway = await startTestGateway(t, {
    log: pino({ level: 'info' }, { write: (line: string) => void lines.push(line) }),
  })
  // said once, whenever the server behind answers: NATS, and the store without which there is no dictionary of plates
  const counted = () => lines.filter((line) => !/NATS|dictionary of plates/.test(line)).length
  const before = counted()
  for (let i = 0; i < 20; i++) await fetch(`${gateway.url}/healthz`)
  for (let i = 0; i < 5; i++) await fetch(`${gateway.url}/api/status`)
  for (let i = 0; i < 3; i++) await ConsoleClient.open(t, gateway.url, { since: 0 })
  t.equal(counted(), before)
})

t.test('every answer carries the security headers, a refused one too', async (t) => {
  const gateway = await startTestGateway(t)
  for (const path of ['/', '/healthz', '/api/status', '/nothing']) {
    const headers = await new Promise<Record<string, unknown>>((resolve, reject) => {
      request(`${gateway.url}${path}`, (response) => {
        response.resume()
        resolve(response.headers)
      })
        .on('error', reject)
        .end()
    })
    t.match(
      headers,
      {
        'content-security-policy': /^default-src 'self';/,
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'x-frame-options': 'DENY',
      },
      path,
    )
    t.notMatch(String(headers['content-security-policy']), /unsafe/)
  }
})

t.test('only the worker of the recognizer may compile WebAssembly, and it speaks with nobody else', async (t) => {
  const { app } = await startTestGateway(t)
  const policyOf = async (url: string) =>
    String((await app.inject({ url, remoteAddress: '192.0.2.7' })).headers['content-security-policy'])
  t.equal(
    await policyOf('/recognize_worker.js'),
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'",
  )
  for (const url of ['/', '/recognize', '/recognize.js', '/recognizer.wasm'])
    t.notMatch(await policyOf(url), /unsafe/, url)
})

function routesOf(app: Awaited<ReturnType<typeof startTestGateway>>['app']): { method: string; url: string }[] {
  // The printed tree is the router's own truth: routes of plugins are in it too.
  const stack: string[] = []
  const routes: { method: string; url: string }[] = []
  for (const line of app.printRoutes({ commonPrefix: false }).split('\n')) {
    const [, indent, path, methods] =
      /^([\s│]*)[├└]── (.*?) \(([A-Z, ]+)\)$/.exec(line) ?? /^([\s│]*)[├└]── (\S*)()$/.exec(line) ?? []
    if (path === undefined) continue
    const depth = indent!.length / 4
    stack.length = depth
    stack.push(path === '' ? '' : path)
    const url = stack.join('').replace(/\/+/g, '/') || '/'
    for (const method of (methods ?? '').split(', ').filter(Boolean))
      routes.push({ method, url: url.startsWith('/') ? url : `/${url}` })
  }
  return routes
}
