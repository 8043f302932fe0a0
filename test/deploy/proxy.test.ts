import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { findProgram } from '../../engine/mod.js'
import { startTestGateway, TOKEN, type TestGateway } from '../gateway/fixtures/gateway.js'
import { BrowserClient } from '../gateway/fixtures/browser_client.js'
import { makeCertificate, type TestCertificate } from '../servers/certificate.js'
import { freePort, type Teardown } from '../servers/nats.js'
import { until } from '../until.js'

const EXAMPLES = new URL('../../../deploy/proxy/', import.meta.url)
const NAME = 'alpr.example.org'

/** The example with addresses and files of the test; every change must find its place. */
function example(name: string, changes: [string, string][]): string {
  return changes.reduce(
    (text, [from, to]) => {
      if (!text.includes(from)) throw new Error(`${name} has no ${from}`)
      return text.replaceAll(from, to)
    },
    readFileSync(new URL(name, EXAMPLES), 'utf8'),
  )
}

interface Proxy {
  program: string
  /** Writes its files into `folder`. @returns its arguments */
  prepare(folder: string, port: number, gateway: string, certificate: TestCertificate): string[]
}

const nginx = (change: (example: string) => string = (text) => text): Proxy => ({
  program: 'nginx',
  prepare(folder, port, gateway, { key, cert }) {
    const server = example('nginx.conf', [
      ['127.0.0.1:8480', gateway],
      ['listen 443 ssl', `listen 127.0.0.1:${port} ssl`],
      ['/etc/ssl/platestream/fullchain.pem', cert],
      ['/etc/ssl/platestream/privkey.pem', key],
    ])
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${folder}/${name};`)
      .join('\n')
    writeFileSync(
      join(folder, 'nginx.conf'),
      `daemon off; pid ${folder}/pid; error_log stderr;\nevents {}\nhttp {\n${paths}\n${change(server)}\n}\n`,
    )
    return ['-c', join(folder, 'nginx.conf'), '-p', folder, '-e', 'stderr']
  },
})

const caddy: Proxy = {
  program: 'caddy',
  prepare(folder, port, gateway, { key, cert }) {
    const site = example('Caddyfile', [
      ['127.0.0.1:8480', gateway],
      [`${NAME} {`, `https://${NAME}:${port} {\n\tbind 127.0.0.1\n\ttls ${cert} ${key}`],
    ])
    const file = join(folder, 'Caddyfile')
    writeFileSync(file, `{\n\tadmin off\n\tauto_https disable_redirects\n}\n${site}`)
    return ['run', '--adapter', 'caddyfile', '--config', file]
  },
}

/** Starts a proxy in front of a gateway that knows its public address. */
async function behind(t: Teardown, { program, prepare }: Proxy, path = '/') {
  const port = await freePort()
  const page = `https://${NAME}:${port}${path}`
  const gateway: TestGateway = await startTestGateway(t, { settings: { 'gateway.publicUrl': page } })
  const folder = mkdtempSync(join(tmpdir(), 'platestream-proxy-'))
  const certificate = makeCertificate(t, NAME)
  const args = prepare(folder, port, new URL(gateway.url).host, certificate)
  const proxy: ChildProcess = spawn(findProgram(program)!, args, {
    env: { ...process.env, HOME: folder },
    stdio: 'ignore',
  })
  t.teardown(async () => {
    proxy.kill('SIGTERM')
    if (proxy.exitCode === null) await new Promise((resolve) => proxy.once('exit', resolve))
    rmSync(folder, { recursive: true, force: true })
  })
  const client = new BrowserClient(page, { ca: certificate.pem })
  await until(() =>
    client.send('GET', 'healthz').then(
      ({ status }) => status === 200,
      () => false,
    ),
  )
  return client
}

/** Signs in, asks and subscribes as the page does. */
async function uses(t: Test, client: BrowserClient): Promise<void> {
  const signedIn = await client.send('POST', 'api/session', { token: TOKEN })
  t.equal(signedIn.status, 204, signedIn.text)
  t.match(String(signedIn.headers['set-cookie']), /^__Host-alpr_\w+=.*; Secure;/)
  t.match(signedIn.headers, { 'strict-transport-security': String })
  t.equal((await client.send('GET', 'api/session')).status, 200)
  t.match(await client.firstMessage(), { type: String }, 'the WebSocket passes')
  t.equal((await client.send('GET', 'metrics')).status, 200, 'a signed-in person may read the metrics')
}

const skip = (program: string) => (findProgram(program) ? false : `${program} is not installed`)

t.test('nginx, as in deploy/proxy/nginx.conf', { skip: skip('nginx') }, async (t) => {
  const client = await behind(t, nginx())
  t.equal((await client.send('GET', 'metrics')).status, 401, 'a request through the proxy is not of this machine')
  await uses(t, client)
})

t.test('nginx that passes neither Host nor the sender', { skip: skip('nginx') }, async (t) => {
  const client = await behind(
    t,
    nginx((text) => text.replace(/^\s*proxy_set_header (Host|X-Forwarded-For).*$/gm, '')),
  )
  await uses(t, client)
})

t.test('nginx under a path prefix', { skip: skip('nginx') }, async (t) => {
  const prefix = (text: string) =>
    text
      .replace('location / {', 'location /alpr/ {')
      .replace('proxy_pass http://platestream;', 'proxy_pass http://platestream/;')
  await uses(t, await behind(t, nginx(prefix), '/alpr/'))
})

t.test('Caddy, as in deploy/proxy/Caddyfile', { skip: skip('caddy') }, async (t) => {
  await uses(t, await behind(t, caddy))
})
