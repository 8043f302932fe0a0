import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { loadSettings } from '../../../engine/mod.js'
import { PublicAddress, refusePlainText } from '../../../gateway/access/public_address.js'
import { readTls } from '../../../gateway/access/tls.js'
import { makeCertificate } from '../../servers/certificate.js'
import { startTestGateway, TOKEN } from '../fixtures/gateway.js'
import { BrowserClient } from '../fixtures/browser_client.js'

const settingsWith = (overrides: Record<string, unknown>) => loadSettings({ env: {}, overrides }).gateway

t.test('a page may use the session when it is of the same host or of the public address', (t) => {
  const direct = new PublicAddress(settingsWith({}))
  const behind = new PublicAddress(settingsWith({ 'gateway.publicUrl': 'https://alpr.example.org' }))
  const accepts = (address: PublicAddress, origin: string | undefined, host: string) => {
    try {
      address.checkOrigin({ origin, host })
      return true
    } catch (error) {
      t.match(error, { code: 'ALPR_ERR_ORIGIN_REFUSED', status: 403, details: { host } })
      t.match((error as Error).message, String(origin), 'the message names the origin')
      return false
    }
  }
  for (const [origin, host, isDirect, isBehind] of [
    [undefined, 'alpr.example.org', true, true],
    ['https://alpr.example.org', 'alpr.example.org', true, true],
    ['https://alpr.example.org', 'alpr.example.org:443', true, true],
    ['http://alpr.example.org', 'alpr.example.org:80', true, true],
    ['https://alpr.example.org', 'alpr.example.org:80', false, true],
    ['https://alpr.example.org', '127.0.0.1:8480', false, true],
    ['https://ALPR.example.org.evil.example', 'alpr.example.org', false, false],
    ['https://evil.example', 'alpr.example.org', false, false],
    ['https://alpr.example.org:8443', 'alpr.example.org', false, false],
    ['null', 'alpr.example.org', false, false],
    ['https://alpr.example.org', '', false, true],
  ] as const) {
    t.equal(accepts(direct, origin, host), isDirect, `${origin} to ${host}, direct`)
    t.equal(accepts(behind, origin, host), isBehind, `${origin} to ${host}, behind a proxy`)
  }
  t.end()
})

t.test('it listens beyond this machine only with TLS, a proxy with TLS, or by an explicit setting', (t) => {
  const refuses = (overrides: Record<string, unknown>) => {
    try {
      refusePlainText(settingsWith(overrides))
      return false
    } catch (error) {
      t.match(error, { code: 'ALPR_ERR_SETTINGS_INVALID', details: { key: 'gateway.host' } })
      return true
    }
  }
  t.notOk(refuses({}))
  t.notOk(refuses({ 'gateway.host': '::1' }))
  for (const host of ['0.0.0.0', '::', '192.0.2.1', 'alpr.example.org']) t.ok(refuses({ 'gateway.host': host }), host)
  const open = { 'gateway.host': '0.0.0.0' }
  t.ok(refuses({ ...open, 'gateway.publicUrl': 'http://alpr.example.org' }), 'a proxy without TLS')
  t.notOk(refuses({ ...open, 'gateway.publicUrl': 'https://alpr.example.org' }))
  t.notOk(refuses({ ...open, 'gateway.tls.cert': '/a', 'gateway.tls.key': '/b' }))
  t.notOk(refuses({ ...open, 'gateway.insecure': 'true' }))
  for (const publicUrl of [
    'alpr.example.org',
    'ftp://alpr.example.org',
    'https://a:b@alpr.example.org',
    'https://a/?b=1',
  ])
    t.throws(() => new PublicAddress(settingsWith({ 'gateway.publicUrl': publicUrl })), {
      code: 'ALPR_ERR_SETTINGS_INVALID',
      details: { key: 'gateway.publicUrl' },
    })
  t.end()
})

t.test('TLS of its own: secure cookies, strict transport, and certificates that are renewed', async (t) => {
  const first = makeCertificate(t, 'alpr.example.org')
  const second = makeCertificate(t, 'alpr.example.org')
  const gateway = await startTestGateway(t, {
    settings: { 'gateway.tls.key': first.key, 'gateway.tls.cert': first.cert },
    certificateLookMs: 20,
  })
  t.match(gateway.url, /^https:/)
  const page = `https://alpr.example.org:${new URL(gateway.url).port}`
  const client = new BrowserClient(page, { ca: first.pem })
  const signedIn = await client.send('POST', 'api/session', { token: TOKEN })
  t.equal(signedIn.status, 204)
  t.match(String(signedIn.headers['set-cookie']), /^__Host-alpr_\w+=.*; Path=\/; HttpOnly; Secure; SameSite=Strict$/)
  t.match(signedIn.headers, { 'strict-transport-security': 'max-age=31536000' })
  t.equal((await client.send('GET', 'api/session')).status, 200)
  t.match(await client.firstMessage(), { type: String })

  writeFileSync(first.cert, 'half a certificate')
  await t.rejects(new BrowserClient(page, { ca: second.pem }).send('GET', 'healthz'))
  t.equal((await client.send('GET', 'healthz')).status, 200, 'a file that cannot be used changes nothing')
  copyFileSync(second.key, first.key)
  copyFileSync(second.cert, first.cert)
  for (let status = 0; status !== 200; )
    status = await new BrowserClient(page, { ca: second.pem }).send('GET', 'healthz').then(
      (answer) => answer.status,
      () => 0,
    )
  t.pass('new connections get the renewed certificate')
})

t.test('with an authority for clients, nobody without a certificate of it connects', async (t) => {
  const [server, client] = [makeCertificate(t, 'alpr.example.org'), makeCertificate(t, 'console-1')]
  const gateway = await startTestGateway(t, {
    settings: {
      'gateway.tls.key': server.key,
      'gateway.tls.cert': server.cert,
      'gateway.tls.clientCa': client.cert,
    },
  })
  const page = `https://alpr.example.org:${new URL(gateway.url).port}`
  await t.rejects(new BrowserClient(page, { ca: server.pem }).send('GET', 'healthz'))
  const withCertificate = { ca: server.pem, key: readFileSync(client.key), cert: client.pem }
  t.equal((await new BrowserClient(page, withCertificate).send('GET', 'healthz')).status, 200)
})

t.test('files that are missing or do not fit are settings errors that name the setting', (t) => {
  const { key, cert } = makeCertificate(t, 'one')
  const other = makeCertificate(t, 'two')
  for (const [tls, setting] of [
    [{ key, cert: '', clientCa: '' }, 'gateway.tls.cert'],
    [{ key: '', cert, clientCa: '' }, 'gateway.tls.key'],
    [{ key: join(key, 'missing'), cert, clientCa: '' }, 'gateway.tls.key'],
    [{ key, cert, clientCa: '/nowhere' }, 'gateway.tls.clientCa'],
    [{ key: other.key, cert, clientCa: '' }, 'gateway.tls.cert'],
    [{ key: '', cert: '', clientCa: cert }, 'gateway.tls.clientCa'],
  ] as const)
    t.throws(() => readTls(tls, 'gateway.tls'), { code: 'ALPR_ERR_SETTINGS_INVALID', details: { key: setting } })
  t.end()
})
