import t from 'tap'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { setupNats, STREAM } from '../../../engine/mod.js'
import { startTestNats } from '../../servers/nats.js'
import { ConsoleClient } from '../fixtures/console_client.js'
import { OpenGate } from '../../engine/records/test_records.js'
import { BEARER, startTestGateway, TOKEN } from '../fixtures/gateway.js'
import { makeHit, makeRead, publishHit } from '../fixtures/hits.js'
import { until } from '../../until.js'

const seqs = (client: ConsoleClient) => client.hits.map(({ seq }) => seq)
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

t.test('a WebSocket upgrade needs authentication and the same origin', async (t) => {
  const gateway = await startTestGateway(t, { maxConsoles: 2 })
  const open = (headers: Record<string, string>) => ConsoleClient.open(t, gateway.url, undefined, headers)
  await t.rejects(open({}), { message: 'status 401' })
  await t.rejects(open({ authorization: 'Bearer wrong' }), { message: 'status 401' })
  await t.rejects(open({ ...BEARER, origin: 'http://elsewhere.example' }), { message: 'status 403' })
  await t.rejects(open({ ...BEARER, origin: 'null' }), { message: 'status 403' })
  const cookie = String(
    (await gateway.app.inject({ method: 'POST', url: '/api/session', payload: { token: TOKEN } })).headers[
      'set-cookie'
    ],
  ).split(';')[0]!
  const first = await open({ cookie, origin: gateway.url })
  await open(BEARER)
  await t.rejects(open(BEARER), { message: 'status 503' }, 'the limit of consoles holds')
  first.socket.terminate()
  await until(() => gateway.services.hub.consoles === 1)
  await open(BEARER)

  const other = new WebSocket(`${gateway.url.replace('http', 'ws')}/ws/other`, { headers: BEARER })
  const status = await new Promise((resolve) => {
    other.on('unexpected-response', (_, response) => resolve(response.statusCode))
    other.on('error', () => {})
  })
  t.equal(status, 404)
})

t.test('a console learns what the stream holds, then gets every revision live and in order', async (t) => {
  const nats = await startTestNats(t)
  const gate = new OpenGate()
  const gateway = await startTestGateway(t, { nats, gate })
  const publisher = await nats.connect()
  const console = await ConsoleClient.open(t, gateway.url, {})
  await console.until((c) => c.of('hello').length === 1, 'hello')
  t.match(console.of('hello')[0], { first: 1, last: 0 }, 'an empty stream')
  await until(() => gate.begun.length === 1) // live hits begin with the subscription, after the hello
  const hit = makeHit(1)
  await publishHit(publisher, hit)
  await publishHit(publisher, { ...hit, revision: 2, direction: 'leaving' })
  await publishHit(publisher, { ...hit, revision: 2 }) // published again: the server keeps one
  await publishHit(publisher, { ...hit, revision: 3, state: 'withdrawn' })
  await console.until((c) => c.hits.length === 3, 'three revisions')
  t.same(seqs(console), [1, 2, 3])
  t.same(
    console.hits.map(({ hitId, revision, state }) => [hitId, revision, state]),
    [
      [hit.hitId, 1, 'possible'],
      [hit.hitId, 2, 'possible'],
      [hit.hitId, 3, 'withdrawn'],
    ],
  )
  t.match(
    console.hits[0],
    { plate: hit.plate, listedPlate: hit.listedPlate, tolerated: [] },
    'the hit as the engine published it',
  )
  await console.until((c) => c.status?.seq === 3, 'the sequence in the status')
})

t.test('since replays the missed hits, from memory and from the stream, and continues live', async (t) => {
  const nats = await startTestNats(t)
  const publisher = await nats.connect()
  // more than the gateway reads at its start
  for (let n = 1; n <= 1_400; n++) await publishHit(publisher, makeHit(n))
  const gateway = await startTestGateway(t, { nats })
  const all = await ConsoleClient.open(t, gateway.url, { since: 0 })
  const some = await ConsoleClient.open(t, gateway.url, { since: 1_395 })
  const none = await ConsoleClient.open(t, gateway.url, { since: 1_400 })
  await all.until((c) => c.hits.length >= 1_400, 'the whole stream')
  await some.until((c) => c.hits.length >= 5, 'the last five')
  for (let n = 1_401; n <= 1_410; n++) await publishHit(publisher, makeHit(n))
  for (const console of [all, some, none]) await console.until((c) => c.hits.at(-1)?.seq === 1_410, 'the live ones')
  t.same(seqs(all), range(1, 1_410))
  t.same(seqs(some), range(1_396, 1_410))
  t.same(seqs(none), range(1_401, 1_410))
})

t.test('hits that the stream no longer has are reported as a gap', async (t) => {
  const nats = await startTestNats(t)
  const publisher = await nats.connect()
  for (let n = 1; n <= 20; n++) await publishHit(publisher, makeHit(n))
  await (await publisher.jetstreamManager()).streams.purge(STREAM.hits, { seq: 11 }) // keeps 11 and later
  const gateway = await startTestGateway(t, { nats })
  const console = await ConsoleClient.open(t, gateway.url, { since: 4 })
  await console.until((c) => c.hits.length === 10, 'the rest')
  t.same(console.of('gap'), [{ type: 'gap', from: 5, to: 10 }])
  t.same(seqs(console), range(11, 20))
  const later = await ConsoleClient.open(t, gateway.url, { since: 15 })
  await later.until((c) => c.hits.length === 5, 'no gap after since')
  t.same(later.of('gap'), [])
})

t.test('a recreated stream is sent from its beginning', async (t) => {
  const nats = await startTestNats(t)
  const publisher = await nats.connect()
  for (let n = 1; n <= 5; n++) await publishHit(publisher, makeHit(n))
  const gateway = await startTestGateway(t, { nats })
  const console = await ConsoleClient.open(t, gateway.url, { since: 0 })
  await console.until((c) => c.hits.length === 5, 'the first stream')
  const before = console.of('hello')[0]!
  await (await publisher.jetstreamManager()).streams.delete(STREAM.hits)
  await setupNats(publisher, { framesMaxBytes: 67_108_864, deadMaxBytes: 67_108_864 })
  for (let n = 101; n <= 103; n++) await publishHit(publisher, makeHit(n))
  await console.until((c) => c.hits.length === 8, 'the new stream', 20_000)
  t.same(seqs(console).slice(5), [1, 2, 3])
  const restarted = console.of('restarted')[0]!
  t.match(restarted, { since: 0 })
  t.not(restarted.epoch, before.epoch)

  const back = await ConsoleClient.open(t, gateway.url, { since: 5, epoch: before.epoch })
  await back.until((c) => c.hits.length === 3, 'a console that reconnects with a sequence of the old one')
  t.same(back.of('restarted').length, 1)
  t.same(seqs(back), [1, 2, 3])
})

t.test('lists, cameras, priority and area select hits; all others are skipped', async (t) => {
  const nats = await startTestNats(t)
  const gate = new OpenGate()
  const gateway = await startTestGateway(t, { nats, gate })
  const publisher = await nats.connect()
  const open = async (filter: object) => {
    const console = await ConsoleClient.open(t, gateway.url, { since: 0, ...filter })
    await console.until((c) => c.of('hello').length > 0, 'hello')
    return console
  }
  const byList = await open({ lists: ['amber'] })
  const byCamera = await open({ cameras: ['cam-2'] })
  const byPriority = await open({ priority: ['high', 'medium'] })
  const byArea = await open({ area: [-123, 37, -122, 38] })
  const acrossDateLine = await open({ area: [179, -20, -179, 0] })
  await publishHit(publisher, makeHit(1, { list: 'amber', priority: 'high', camera: 'cam-1', lat: 37.5, lon: -122.5 }))
  await publishHit(publisher, makeHit(2, { list: 'svs', priority: 'low', camera: 'cam-2', lat: -17, lon: 179.5 }))
  await publishHit(publisher, makeHit(3, { list: 'svs', priority: 'medium', camera: 'cam-1', lat: 10, lon: 10 }))
  for (const console of [byList, byCamera, byPriority, byArea, acrossDateLine])
    await console.until((c) => c.status?.seq === 3, 'all filtered')
  t.same(seqs(byList), [1])
  t.same(seqs(byCamera), [2])
  t.same(seqs(byPriority), [1, 3])
  t.same(seqs(byArea), [1])
  t.same(seqs(acrossDateLine), [2])

  byList.subscribe({ lists: ['svs'] }) // replaces the filter, and ends the access of the previous one
  await until(() => gate.ended.length === 1)
  await publishHit(publisher, makeHit(4, { list: 'svs' }))
  await byList.until((c) => c.hits.length === 2, 'the next one')
  t.same(seqs(byList), [1, 4])
})

t.test('a message that is not a hit is skipped and counted', async (t) => {
  const nats = await startTestNats(t)
  const publisher = await nats.connect()
  await publishHit(publisher, makeHit(1))
  const wrong = [
    { tsLast: 7 },
    { alternates: null },
    { crop: 'x' },
    { plate: undefined },
    { lat: null },
    { tolerated: [1] },
  ]
  const malformed = ['nonsense', '7', ...wrong.map((change) => JSON.stringify({ ...makeHit(9), ...change }))]
  for (const payload of malformed) await publisher.jetstream().publish('hits.svs.cam', payload)
  // A field that only adds to a hit, or that this release does not know, keeps nobody from seeing it.
  await publishHit(publisher, { ...makeHit(2), reason: null, heading: null, priority: 'later', more: 1 } as never)
  const gateway = await startTestGateway(t, { nats })
  const console = await ConsoleClient.open(t, gateway.url, { since: 0 })
  await console.until((c) => c.hits.length === 2, 'the hits around it')
  t.same(seqs(console), [1, 2 + malformed.length])
  t.equal(gateway.services.hub.feed.malformed, malformed.length)
})

t.test('reads are live only, and sent only to consoles that want them', async (t) => {
  const nats = await startTestNats(t)
  const gate = new OpenGate()
  const gateway = await startTestGateway(t, { nats, gate })
  const publisher = await nats.connect()
  const wants = await ConsoleClient.open(t, gateway.url, { reads: true, cameras: ['cam-1'] })
  const not = await ConsoleClient.open(t, gateway.url, {})
  await until(() => gate.begun.length === 2)
  await not.until((c) => c.of('hello').length > 0, 'hello')
  const publish = (n: number, camera: string) =>
    publisher.publish(`reads.${camera}`, JSON.stringify(makeRead(n, { camera })))
  // Reads are not kept: until the console follows them, each may be the first that it gets.
  await until(() => {
    publish(1, 'cam-1')
    return wants.of('read').length > 0
  })
  const last = makeRead(9, { camera: 'cam-1' })
  publish(2, 'cam-2')
  publish(9, 'cam-1')
  await wants.until((c) => c.of('read').at(-1)?.readId === last.readId, 'the last read')
  t.ok(wants.of('read').every(({ camera }) => camera === 'cam-1'))
  await publishHit(publisher, makeHit(1))
  await not.until((c) => c.hits.length === 1, 'a hit that comes after all reads')
  t.same(not.of('read'), [])
})

t.test(
  'a console that stalls is closed with a reason, loses reads only, disturbs no other and can resume',
  async (t) => {
    const nats = await startTestNats(t)
    const gateway = await startTestGateway(t, { nats, stallMs: 1_500, consoleQueue: 50 })
    const publisher = await nats.connect()
    const stalled = await ConsoleClient.open(t, gateway.url, { since: 0, reads: true })
    const healthy = await ConsoleClient.open(t, gateway.url, { since: 0, reads: true })
    await stalled.until((c) => c.of('hello').length > 0, 'hello')
    await healthy.until((c) => c.of('hello').length > 0, 'hello')
    const tcp = (stalled.socket as unknown as { _socket: { pause(): void; resume(): void } })._socket
    tcp.pause()
    const long = 'x'.repeat(40_000) // fills the network buffers sooner
    let hits = 0
    for (; gateway.services.hub.counts.stalled === 0 && hits < 3_000; hits++) {
      await publishHit(publisher, makeHit(hits + 1, { reason: long }))
      for (let r = 0; r < 5; r++) publisher.publish('reads.main-st-n', JSON.stringify(makeRead(hits * 5 + r)))
      if (hits > 400) await sleep(20)
    }
    t.equal(gateway.services.hub.counts.stalled, 1, 'closed')
    t.ok(gateway.services.hub.counts.readsDropped > 0, 'its reads were dropped and counted')
    await healthy.until((c) => c.hits.length === hits, 'every hit at the healthy console')
    t.same(seqs(healthy), range(1, hits))
    t.same(healthy.closed, undefined)
    tcp.resume()
    await stalled.until((c) => c.closed !== undefined, 'the close')
    t.ok(stalled.hits.length < hits, 'it did not get every hit')
    const back = await ConsoleClient.open(t, gateway.url, { since: stalled.hits.at(-1)?.seq ?? 0 })
    await back.until((c) => c.hits.at(-1)?.seq === hits, 'the rest after the resume')
    t.same([...seqs(stalled), ...seqs(back)], range(1, hits), 'none lost, none repeated')
  },
)

t.test('NATS stops and restarts: no hit is lost or repeated, and consoles are notified', async (t) => {
  const nats = await startTestNats(t)
  const gateway = await startTestGateway(t, { nats })
  const publisher = await nats.connect()
  const console = await ConsoleClient.open(t, gateway.url, { since: 0 })
  let n = 0
  const publish = async (count: number) => {
    for (let i = 0; i < count; i++) await publishHit(publisher, makeHit(++n))
  }
  await publish(20)
  await console.until((c) => c.hits.length === 20, 'before')
  for (let round = 0; round < 3; round++) {
    await nats.kill()
    await console.until(
      (c) => c.status?.hits.live === false && /NATS/.test(c.status.hits.reason ?? ''),
      'the outage and its cause',
    )
    t.equal((await fetch(`${gateway.url}/readyz`)).status, 503)
    await nats.restart()
    await until(
      () =>
        !publisher.isClosed() &&
        publisher.rtt().then(
          () => true,
          () => false,
        ),
    )
    await publish(20)
    await console.until((c) => c.hits.length === n, 'after', 20_000)
  }
  t.same(seqs(console), range(1, n))
  t.equal(console.closed, undefined)
})

t.test('after outages on every side each console has every hit once', async (t) => {
  const nats = await startTestNats(t)
  const publisher = await nats.connect()
  const port = 20_000 + Math.floor(Math.random() * 20_000)
  let gateway = await startTestGateway(t, { nats, port })
  const total = 600
  let published = 0
  const publishing = (async () => {
    while (published < total) {
      // Like the engine: publish again until it is acknowledged.
      await publishHit(publisher, makeHit(published + 1)).then(
        () => {
          published++
        },
        () => sleep(100),
      )
      if (published % 20 === 0) await sleep(40) // the pace of the hits
    }
  })()
  const watch = async (seed: number): Promise<number[]> => {
    const seen: number[] = []
    for (let round = seed; seen.length < total; round++) {
      try {
        const client = await ConsoleClient.open(t, gateway.url, { since: seen.at(-1) ?? 0 })
        const stopAt = seen.length + 30 + ((round * 37) % 90)
        await client
          .until((c) => c.closed !== undefined || seen.length + c.hits.length >= Math.min(stopAt, total), 'hits', 4_000)
          .catch(() => {})
        const got = seqs(client)
        client.socket.terminate()
        seen.push(...got)
      } catch {
        await sleep(100)
      }
    }
    return seen
  }
  const watching = Promise.all([watch(0), watch(5), watch(11)])
  for (let round = 0; round < 2; round++) {
    await until(() => published >= 250 * round + 100)
    await nats.kill()
    await sleep(200) // the length of the outage
    await nats.restart()
    await until(() => published >= 250 * round + 200)
    await gateway.close()
    gateway = await startTestGateway(t, { nats, port })
  }
  await publishing
  for (const seen of await watching) t.same(seen, range(1, total))
})
