import { createHash } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import t from 'tap'
import { until } from '../../until.js'
import { multipart, startPushSystem, type PushSystem } from './fixtures.js'

/** The door does not look into a picture beyond its first bytes; the engine does. */
const picture = (name: string): Buffer => Buffer.concat([Buffer.from([0xff, 0xd8]), Buffer.from(name)])

let system: PushSystem
let secret: string
t.before(async () => {
  system = await startPushSystem(t)
  secret = await system.add('gate-2', { kind: 'frames', zone: 'America/New_York' })
})

interface Answer {
  status: number
  body: { code?: string; message?: string; stored?: number; leftOut?: string[] }
  headers: Headers
}

async function post(path: string, body: Buffer | string, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`${system.url}${path}`, {
    method: 'POST',
    body: new Uint8Array(Buffer.from(body)),
    headers,
  })
  return { status: response.status, body: (await response.json()) as Answer['body'], headers: response.headers }
}

async function stored(camera: string) {
  const stream = await system.connection.jetstreamManager()
  const { messages } = (await stream.streams.info('FRAMES-1-0')).state
  const all = await Promise.all(
    Array.from({ length: messages }, (_, i) => stream.streams.getMessage('FRAMES-1-0', { seq: i + 1 })),
  )
  return all.filter(({ subject }) => subject.endsWith(`.${camera}`))
}

const counted = (name: Parameters<PushSystem['gateway']['services']['push']['of']>[0], camera: string, label = '') =>
  system.gateway.services.push.of(name).find((one) => one.camera === camera && one.label === label)?.count ?? 0

t.test('a picture is on the stream when the camera gets its answer', async (t) => {
  const { status, body } = await post(`/push/gate-2/${secret}`, picture('one'), {
    'content-type': 'image/jpeg',
    'captured-at': '2026-05-01T04:30:00.250-04:00',
  })
  t.same({ status, body }, { status: 200, body: { stored: 1, leftOut: [] } })
  const [message] = await stored('gate-2')
  t.same(Buffer.from(message!.data), picture('one'))
  t.equal(message!.header.get('Captured-At'), '2026-05-01T08:30:00.250Z')
})

t.test('a picture that is sent again is one, with and without a time of its own', async (t) => {
  const before = (await stored('gate-2')).length
  for (const headers of [{}, { 'captured-at': '2026-05-01T04:30:01Z' }] as Record<string, string>[])
    for (let i = 0; i < 3; i++) t.equal((await post(`/push/gate-2/${secret}`, picture('again'), headers)).status, 200)
  t.equal((await stored('gate-2')).length, before + 2)
  t.ok(counted('repeated', 'gate-2') >= 4)
  t.ok(counted('arrivalTimes', 'gate-2') >= 3)
})

t.test('each way to prove who it is works, and what is wrong is refused without a reason', async (t) => {
  const basic = (user: string, password: string) => ({
    authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
  })
  t.equal((await post('/push/gate-2', picture('b'), { authorization: `Bearer ${secret}` })).status, 200)
  t.equal((await post('/push/gate-2', picture('c'), basic('gate-2', secret))).status, 200)
  t.equal((await post('/NotificationInfo/Any', picture('d'), basic('gate-2', secret))).status, 200)
  const refused = await Promise.all([
    post('/push/gate-2/wrong', picture('x')),
    post('/push/nobody/wrong', picture('x')),
    post('/push/gate-2', picture('x')),
    post('/', picture('x')),
    post('/push/gate-2', picture('x'), { authorization: 'Bearer wrong' }),
    post('/push/nobody', picture('x'), { authorization: `Bearer ${secret}` }),
    post('/push/gate-2', picture('x'), basic('nobody', secret)),
    post('/push/gate-2', picture('x'), { authorization: 'Digest username="gate-2", nonce="1.2", response="0"' }),
  ])
  for (const { status, body, headers } of refused) {
    t.equal(status, 401)
    t.equal(body.code, 'ALPR_ERR_PUSH_REFUSED')
    t.equal(body.message, refused[0]!.body.message, 'the same words for all')
    t.match(headers.get('www-authenticate'), /^Digest realm="platestream", qop="auth", nonce=/)
  }
  t.ok(counted('refused', 'gate-2', 'ALPR_ERR_PUSH_REFUSED') >= 4)
  t.ok(counted('refused', '', 'ALPR_ERR_PUSH_REFUSED') >= 2, 'names that nobody registered are counted together')
})

t.test('digest works with our realm and with an empty one, and not with another password or address', async (t) => {
  const md5 = (text: string) => createHash('md5').update(text).digest('hex')
  const path = '/NotificationInfo/TollgateInfo'
  const { headers } = await post(path, picture('x'))
  const nonce = /nonce="([^"]+)"/.exec(headers.get('www-authenticate')!)![1]!
  const header = (realm: string, password: string, uri = path) => {
    const ha1 = md5(`gate-2:${realm}:${password}`)
    const response = md5(`${ha1}:${nonce}:00000001:abc:auth:${md5(`POST:${uri}`)}`)
    const fields = { username: 'gate-2', realm, nonce, uri, response, cnonce: 'abc' }
    const text = Object.entries(fields).map(([name, value]) => `${name}="${value}"`)
    return { authorization: `Digest ${text.join(', ')}, qop=auth, nc=00000001` }
  }
  t.equal((await post(path, picture('e'), header('platestream', secret))).status, 200)
  t.equal((await post(path, picture('f'), header('', secret))).status, 200)
  t.equal((await post(path, picture('x'), header('platestream', 'wrong'))).status, 401)
  t.equal((await post(path, picture('x'), header('elsewhere', secret))).status, 401)
  t.equal((await post(path, picture('x'), header('platestream', secret, '/other'))).status, 401)
})

t.test('a camera sends from its own addresses only', async (t) => {
  const far = await system.add('far', { kind: 'frames', addresses: ['192.0.2.0/24'] })
  t.equal((await post(`/push/far/${far}`, picture('x'))).status, 401)
  t.equal(
    (await post(`/push/far/${far}`, picture('x'), { 'x-forwarded-for': '192.0.2.7' })).status,
    401,
    'what nobody trusts says nothing',
  )
  const near = await system.add('near', { kind: 'frames', addresses: ['192.0.2.7', '127.0.0.0/8'] })
  t.equal((await post(`/push/near/${near}`, picture('n'))).status, 200)
  t.equal((await stored('far')).length, 0)
})

t.test('a way that its record does not name is refused', async (t) => {
  const key = await system.add('bearer-only', { kind: 'frames', credentials: ['bearer'] })
  t.equal((await post(`/push/bearer-only/${key}`, picture('x'))).status, 401)
  t.equal((await post('/push/bearer-only', picture('y'), { authorization: `Bearer ${key}` })).status, 200)
  const certain = await system.add('certain', { kind: 'frames', credentials: ['path', 'certificate'] })
  t.equal((await post(`/push/certain/${certain}`, picture('x'))).status, 401, 'without its certificate')
  t.equal((await post('/push/certain', picture('x'))).status, 401)
})

t.test('multipart bodies give a frame for each picture', async (t) => {
  const before = (await stored('gate-2')).length
  const body = multipart('b', [
    ['Content-Disposition: form-data; name="capturedAt"', '2026-05-01 04:31:00.5'],
    ['Content-Disposition: form-data; name="image"; filename="1.jpg"\r\nContent-Type: image/jpeg', picture('p1')],
    ['Content-Type: image/jpeg\r\nCaptured-At: 1777624262', picture('p2')],
    ['Content-Disposition: form-data; name="note"', 'nothing'],
  ])
  const { status, body: answer } = await post(`/push/gate-2/${secret}`, body, {
    'content-type': 'multipart/form-data; boundary=b',
  })
  t.same({ status, answer }, { status: 200, answer: { stored: 2, leftOut: ['part'] } })
  const added = (await stored('gate-2')).slice(before)
  t.same(
    added.map(({ header }) => header.get('Captured-At')),
    ['2026-05-01T08:31:00.500Z', '2026-05-01T08:31:02.000Z'],
  )
  t.equal(counted('leftOut', 'gate-2', 'part'), 1)
})

t.test('what is no picture is refused by name, and a local time without a zone too', async (t) => {
  const own = await system.add('zoneless', { kind: 'frames' })
  const cases: [string, Buffer, Record<string, string>, number, RegExp][] = [
    [secret, Buffer.from('\x89PNG\r\n', 'latin1'), {}, 422, /a PNG picture, not a JPEG/],
    [secret, Buffer.from('{"plate":"1"}'), {}, 422, /JSON: the camera may be registered as the wrong kind/],
    [secret, picture('x'), { 'content-encoding': 'gzip' }, 422, /turn compression off/],
    [secret, picture('x'), { 'captured-at': '2026-02-30T10:00:00Z' }, 422, /no such day/],
    [secret, picture('x'), { 'content-type': 'multipart/form-data' }, 422, /names no boundary/],
    [own, picture('x'), { 'captured-at': '2026-05-01T10:00:00' }, 422, /--zone America\/New_York/],
  ]
  for (const [key, body, headers, expected, words] of cases) {
    const { status, body: answer } = await post(`/push/${key === own ? 'zoneless' : 'gate-2'}/${key}`, body, headers)
    t.equal(status, expected)
    t.match(answer.message, words)
  }
  t.equal(counted('refused', 'zoneless', 'ALPR_ERR_PUSH_TIME_INVALID'), 1)
})

t.test('a request that is too large is refused before it is read', async (t) => {
  const answer = await new Promise<{ status: number; text: string }>((resolve, reject) => {
    const request = httpRequest(
      `${system.url}/push/gate-2/${secret}`,
      { method: 'POST', headers: { 'content-length': 20_000_000 } },
      (response) => {
        let text = ''
        response.on('data', (piece) => (text += String(piece)))
        response.on('end', () => resolve({ status: response.statusCode!, text }))
      },
    )
    request.on('error', reject)
    request.write('x')
  })
  t.equal(answer.status, 413)
  t.match(JSON.parse(answer.text), { code: 'ALPR_ERR_PUSH_TOO_LARGE', details: { limit: 16_777_216 } })
})

t.test('a test of the address by the camera is answered', async (t) => {
  t.equal((await fetch(`${system.url}/push/gate-2/${secret}`)).status, 200)
  t.equal((await fetch(`${system.url}/push/gate-2/wrong`)).status, 401)
})

t.test('while NATS is away the camera is asked to send again, and then it is stored once', async (t) => {
  await system.nats.kill()
  await until(() => !system.gateway.services.natsLink.state.connected)
  const { status, body, headers } = await post(`/push/gate-2/${secret}`, picture('later'))
  t.equal(status, 503)
  t.equal(body.code, 'ALPR_ERR_PUSH_NOT_STORED')
  t.equal(headers.get('retry-after'), '5')
  await system.nats.restart()
  let answer: Answer | undefined
  await until(async () => (answer = await post(`/push/gate-2/${secret}`, picture('later'))).status === 200)
  t.same(answer!.body, { stored: 1, leftOut: [] })
  t.equal((await stored('gate-2')).filter(({ data }) => Buffer.from(data).equals(picture('later'))).length, 1)
})
