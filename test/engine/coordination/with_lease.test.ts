import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { BUCKET, SCHEMA_LEASE } from '../../../engine/nats/topology.js'
import { Lease } from '../../../engine/coordination/lease.js'
import { withLease } from '../../../engine/coordination/with_lease.js'
import { sleep } from '../../../engine/runtime/backoff.js'
import { migrate } from '../../../engine/store/migrate.js'
import { startTestNats } from '../../servers/nats.js'
import { startTestStore } from '../../servers/store.js'
import { until } from '../../until.js'

t.setTimeout(120_000)

t.test(
  'work runs one at a time and to its end; a failure releases the lease, a dead holder blocks it until it expires',
  async (t) => {
    const nats = await startTestNats(t)
    const kv = await (await nats.connect()).jetstream().views.kv(BUCKET.leases)
    const { signal } = new AbortController()
    let [inside, most] = [0, 0]
    const work = (ms: number) => async () => {
      most = Math.max(most, ++inside)
      await sleep(ms)
      inside -= 1
      return ms
    }
    t.same(
      await Promise.all([9_000, 1, 2].map((ms, i) => withLease(new Lease(kv, 'a', `engine-${i}`), work(ms), signal))),
      [9_000, 1, 2],
    )
    t.equal(most, 1, 'even when the work takes longer than a lease lasts')

    await t.rejects(
      withLease(
        new Lease(kv, 'a', 'engine-0'),
        async () => {
          throw new Error('refused')
        },
        signal,
      ),
      { message: 'refused' },
    )
    const before = performance.now()
    await withLease(new Lease(kv, 'a', 'engine-1'), work(1), signal)
    t.ok(performance.now() - before < 3_000, 'the lease was released at once')

    t.equal(await new Lease(kv, 'a', 'dead').acquire(), true)
    await withLease(new Lease(kv, 'a', 'engine-1'), work(1), signal)
    t.ok(performance.now() - before < 15_000)
  },
)

t.test('an aborted caller stops waiting for the lease', async (t) => {
  const nats = await startTestNats(t)
  const kv = await (await nats.connect()).jetstream().views.kv(BUCKET.leases)
  const ending = new AbortController()
  const done = new AbortController()
  let held = false
  const work = () => {
    held = true
    return sleep(60_000, done.signal)
  }
  const holder = withLease(new Lease(kv, 'a', 'engine-0'), work, new AbortController().signal)
  await until(() => held)
  const waiting = withLease(
    new Lease(kv, 'a', 'engine-1'),
    async () => t.fail('it does not hold the lease'),
    ending.signal,
  )
  waiting.catch(() => {})
  t.equal(await new Lease(kv, 'a', 'engine-2').acquire(), false, 'by now the attempt before has been refused too')
  ending.abort(new Error('ending'))
  await t.rejects(waiting, { message: 'ending' })
  done.abort()
  await holder
})

t.test('three engines that start together on tables of schema 6 migrate them once', async (t) => {
  const nats = await startTestNats(t)
  const kv = await (await nats.connect()).jetstream().views.kv(BUCKET.leases)
  const { client } = await startTestStore(t)
  const run = (query: string) => client.command({ query })
  await run('CREATE DATABASE p')
  for (const statement of readFileSync(join('test/engine/store/golden', 'single_6.sql'), 'utf8')
    .replaceAll('platestream.', 'p.')
    .split(/;\n+/)
    .filter((one) => one && !one.startsWith('CREATE DATABASE')))
    await run(statement)
  await run("INSERT INTO p.schema_version (version, name) SELECT number + 1, 'before' FROM numbers(6)")
  await run(`INSERT INTO p.reads
      (cell, ts, read_id, version, plate, confidence, region, camera, stay_ms, lat, lon, direction)
    SELECT number % 50, fromUnixTimestamp64Milli(1795000000000 + number * 1000, 'UTC'), number, 1,
      concat('8AB', toString(number % 5000)), 0.9, 'US-CA', 'gate-1', 10, 37.7, -122.2, 'unknown' FROM numbers(200000)`)
  const applied: number[] = []
  await Promise.all(
    [0, 1, 2].map((i) =>
      withLease(
        new Lease(kv, SCHEMA_LEASE, `engine-${i}`),
        () => migrate(client, 'p', undefined, ({ version }) => applied.push(version)),
        new AbortController().signal,
      ),
    ),
  )
  t.same(applied, [7, 8])
  const rows = await (
    await client.query({
      query: 'SELECT count() AS n, uniqExact(read_id) AS reads FROM p.reads_by_plate FINAL',
      format: 'JSONEachRow',
    })
  ).json()
  t.same(rows, [{ n: '200000', reads: '200000' }])
})
