import t from 'tap'
import { pino } from 'pino'
import { gatewayLog } from '../../gateway/log.js'
import { until } from '../until.js'
import { ConsoleClient } from './fixtures/console_client.js'
import { BEARER, startTestGateway, TOKEN } from './fixtures/gateway.js'

t.test('the log never contains a secret, even when requests fail', async (t) => {
  const lines: string[] = []
  const log = gatewayLog('debug', { write: (line) => void lines.push(line) })
  const gateway = await startTestGateway(t, { log, nats: { url: `nats://${TOKEN}@127.0.0.1:1`, token: TOKEN } })
  const { app, archive } = gateway
  archive.reads = async () => {
    throw new Error('an unexpected error')
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
    'a careless log line',
  )
  const logged = (text: string) => lines.some((line) => line.includes(text))
  await until(() => logged('a request failed') && logged('NATS'))
  t.notOk(logged('an unexpected error'), 'the text of a foreign error can hold a plate')
  t.ok(logged('careless'))
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
  // Logged once, at any time: that NATS cannot be reached, and that the dictionary of plates is not loaded.
  const counted = () => lines.filter((line) => !/NATS|dictionary of plates/.test(line)).length
  const before = counted()
  for (let i = 0; i < 20; i++) await fetch(`${gateway.url}/healthz`)
  for (let i = 0; i < 5; i++) await fetch(`${gateway.url}/api/status`)
  for (let i = 0; i < 3; i++) await ConsoleClient.open(t, gateway.url, { since: 0 })
  t.equal(counted(), before)
})
