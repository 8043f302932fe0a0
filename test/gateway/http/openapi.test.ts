import t from 'tap'
import { BEARER, startTestGateway } from '../fixtures/gateway.js'

t.test('the OpenAPI document lists every route and its errors', async (t) => {
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
  t.notMatch(page.body, /https?:\/\/(?!www\.w3\.org)/, 'nothing from another origin')
})
