import t from 'tap'
import { BEARER, startTestGateway } from '../fixtures/gateway.js'

t.test('an invalid request is refused with the name of its field', async (t) => {
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
    'from=2026-02-30T00:00Z&to=2026-03-03T00:00Z',
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
