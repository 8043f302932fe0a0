import t from 'tap'
import { Authenticator } from '../../../gateway/access/authenticator.js'
import { startTestGateway, TOKEN } from '../fixtures/gateway.js'

t.test('the token is accepted as a bearer, and nothing similar to it is', async (t) => {
  const { app } = await startTestGateway(t)
  const status = async (authorization: string) =>
    (await app.inject({ url: '/api/status', headers: { authorization } })).statusCode
  t.equal(await status(`Bearer ${TOKEN}`), 200)
  t.equal(await status(`bearer ${TOKEN}`), 200, 'the scheme is case-insensitive')
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
  const ask = (value: string) => app.inject({ url: '/api/session', headers: { cookie: value } })
  t.match((await ask(cookie)).json(), { kind: 'session', expiresAt: String })
  t.equal((await ask(`other=1; ${cookie}; more=2`)).statusCode, 200)

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
    t.equal((await ask(`${name}=${forged}`)).statusCode, 401, forged.slice(0, 30))
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
  t.equal(
    (await signIn(TOKEN, { origin: 'http://elsewhere.example' })).statusCode,
    403,
    'a page of another origin cannot sign in',
  )
  t.equal((await signIn(TOKEN, { origin: 'http://localhost:8480', host: 'localhost:8480' })).statusCode, 204)
  const out = await app.inject({ method: 'DELETE', url: '/api/session', headers: { cookie } })
  t.match(String(out.headers['set-cookie']), /=; Max-Age=0; /)
})

t.test('a session expires, is renewed by use in its second half, and ends with its token', async (t) => {
  let now = Date.now()
  const authenticator = new Authenticator(TOKEN, () => now)
  const cookie = authenticator.openSession(TOKEN, true)
  t.match(cookie, /; HttpOnly; Secure; SameSite=Strict$/)
  const headers = { cookie: cookie.split(';')[0] }
  const hour = 3_600_000
  t.equal(authenticator.renew(authenticator.authenticate(headers)), undefined)
  now += 7 * hour
  const renewed = authenticator.renew(authenticator.authenticate(headers))!
  t.ok(renewed)
  now += 6 * hour
  t.throws(() => authenticator.authenticate(headers), { code: 'ALPR_ERR_AUTH_REQUIRED' })
  t.equal(authenticator.authenticate({ cookie: renewed.split(';')[0] }).kind, 'session')
  const other = new Authenticator('d'.repeat(64), () => now)
  t.throws(
    () => other.authenticate({ cookie: renewed.split(';')[0] }),
    { code: 'ALPR_ERR_AUTH_REQUIRED' },
    'a new token ends the sessions of the previous one',
  )
  t.throws(() => new Authenticator(''), { code: 'ALPR_ERR_SETTINGS_INVALID' }, 'an empty token is refused')
})
