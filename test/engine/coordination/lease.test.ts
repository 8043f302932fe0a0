import t from 'tap'
import { BUCKET } from '../../../engine/nats/topology.js'
import { Lease } from '../../../engine/coordination/lease.js'
import { sleep } from '../../../engine/runtime/backoff.js'
import { startTestNats } from '../../servers/nats.js'

t.test(
  'a lease has one holder; a restart under the same name regains it at once; a dead holder loses it within 10 s',
  async (t) => {
    const nats = await startTestNats(t)
    const kv = await (await nats.connect()).jetstream().views.kv(BUCKET.leases)
    const a = new Lease(kv, '0', 'engine-a')
    const b = new Lease(kv, '0', 'engine-b')
    t.equal(await a.acquire(), true)
    t.equal(await b.acquire(), false)
    t.equal(await a.renew(), true)
    t.equal(await new Lease(kv, '0', 'engine-a').acquire(), true, 'restarted under the same name')
    t.equal(await new Lease(kv, '1', 'engine-b').acquire(), true, 'another partition is free')

    const diedAt = Date.now()
    while (!(await b.acquire())) await sleep(200)
    t.ok(Date.now() - diedAt < 10_000, `taken over after ${Date.now() - diedAt} ms`)
    t.equal(await a.renew(), false, 'the previous holder learns of it')

    await b.release()
    t.equal(await a.acquire(), true, 'a released partition is free at once')
  },
)

t.test('a lease that the server does not expire is over when it is seen unchanged for as long', async (t) => {
  // As one that was written while the clock of the server was ahead.
  const nats = await startTestNats(t)
  const kv = await (await nats.connect()).jetstream().views.kv('LEASES_WITHOUT_END')
  const a = new Lease(kv, '0', 'engine-a')
  const b = new Lease(kv, '0', 'engine-b')
  t.equal(await a.acquire(), true)
  for (let times = 0; times < 5; times++) {
    t.equal(await b.acquire(), false, 'a renewal begins its time again')
    await sleep(400)
    t.equal(await a.renew(), true)
  }
  t.equal(await b.acquire(), false)
  const from = performance.now()
  while (!(await b.acquire())) await sleep(200)
  t.ok(performance.now() - from > Lease.EXPIRES_MS - 100, 'not before its time')
  t.equal(await a.renew(), false, 'the previous holder learns of it')
})
