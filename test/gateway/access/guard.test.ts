import t from 'tap'
import { startTestGateway } from '../fixtures/gateway.js'

const STATIC_PAGES = [
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

t.test('only health, the static pages, the sign-in and, from this machine, metrics are open', async (t) => {
  const { app } = await startTestGateway(t)
  const routes = app.printRoutes({ commonPrefix: false, includeMeta: false })
  t.ok(routes.includes('api/reads'), 'the list of routes is readable')
  const open: string[] = []
  for (const { method, url } of routesOf(app)) {
    if (method === 'HEAD' || method === 'OPTIONS') continue
    // From another machine, without credentials.
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
    else t.match(answer.json(), { code: 'ALPR_ERR_AUTH_REQUIRED' }, `${method} ${url} needs authentication`)
  }
  t.same(
    open.filter((route) => !STATIC_PAGES.includes(route.slice(4))),
    ['GET /healthz', 'GET /readyz', 'POST /api/session'],
  )
  t.equal((await app.inject({ url: '/metrics', remoteAddress: '192.0.2.7' })).statusCode, 401)
  t.equal((await app.inject({ url: '/metrics', remoteAddress: '127.0.0.1' })).statusCode, 200)
  t.equal(
    (await app.inject({ url: '/metrics', remoteAddress: '127.0.0.1', headers: { 'x-forwarded-for': '192.0.2.7' } }))
      .statusCode,
    401,
    'a proxy on this machine does not count as this machine',
  )
  for (const url of ['/api/nothing', '/nothing', '/docs', '/docs/json', '/../package.json', '/api/crops/../x']) {
    t.equal(
      (await app.inject({ url, remoteAddress: '127.0.0.1' })).statusCode,
      401,
      `${url} reveals nothing to an unauthenticated caller`,
    )
  }
})

function routesOf(app: Awaited<ReturnType<typeof startTestGateway>>['app']): { method: string; url: string }[] {
  // The printed tree comes from the router itself, so it includes the routes of plugins.
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
