import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { loadSettings } from '../../../engine/settings.js'
import { type ClickHouseClient, createClient, isRetryable, waitForStore } from '../../../engine/store/client.js'
import { launchStore } from '../../../engine/chdb/launch.js'
import { Spool } from '../../../engine/chdb/spool.js'
import { StoreQueries } from '../../../engine/store/queries.js'
import { migrate } from '../../../engine/store/migrate.js'
import { StoreWriter } from '../../../engine/store/writer.js'
import { runningQueries } from '../../servers/running_queries.js'
import { startTestStore } from '../../servers/store.js'
import { until } from '../../until.js'
import { aHit, aLedgerRow, aRead } from '../store/rows.js'

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
/** A query that ends when it is killed; its text names it. */
const ENDLESS = 'SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1'
/** Waits until the store runs as many lookups as it may, so that one more has to wait. */
const untilBusy = (client: ClickHouseClient) =>
  until(() =>
    client.query({ query: 'SELECT 1', abort_signal: AbortSignal.timeout(500) }).then(
      (answer) => answer.text().then(() => false),
      () => true,
    ),
  )
const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

t.test('after a kill during writes, every acknowledged batch is stored once', async (t) => {
  const store = await startTestStore(t)
  const { client } = store
  await migrate(client, 'p')
  const writer = new StoreWriter(client, 'p')
  const queries = new StoreQueries(client, 'p')
  const acknowledged = new Set<string>()
  let next = 0
  for (let round = 0; round < 4; round++) {
    // The kills come at different times after the first write.
    const deadAt = sleep(150 + round * 120).then(() => store.kill())
    let batch: string[] = []
    try {
      for (;;) {
        batch = Array.from({ length: 1 + (next % 500) }, (_, index) => String(next * 1_000 + index + 1))
        next++
        await writer.write(rowsOf(batch))
        for (const id of batch) acknowledged.add(id)
      }
    } catch (error) {
      t.ok(isRetryable(error), `retryable: ${(error as Error).message}`)
    }
    await deadAt
    await store.restart()
    await waitForStore(client, { signal: AbortSignal.timeout(60_000) })
    // As a pipeline does: the batch without an acknowledgement is sent again unchanged.
    await writer.write(rowsOf(batch))
    for (const id of batch) acknowledged.add(id)
    t.equal(await queries.count('reads'), acknowledged.size, `round ${round}: ${acknowledged.size} reads`)
    t.equal(await queries.count('reads_by_plate'), acknowledged.size, 'as many in the index by plate')
    t.equal(await queries.count('hits'), acknowledged.size)
    const result = await client.query({
      query: 'SELECT count() AS rows, uniqExact(read_id) AS ids FROM p.reads',
      format: 'JSONEachRow',
    })
    t.same(
      await result.json(),
      [{ rows: String(acknowledged.size), ids: String(acknowledged.size) }],
      'without FINAL too: the token has prevented a second copy',
    )
  }
})

function rowsOf(ids: readonly string[]) {
  return {
    reads: ids.map((readId) => aRead({ readId, ts: Date.UTC(2026, 10, 16) + Number(readId) })),
    hits: ids.map((id) => aHit({ hitId: id, readId: id })),
    ledger: [aLedgerRow({ version: Number(ids[0]), framesIn: Number(ids[0]), withReads: Number(ids[0]) })],
  }
}

t.test('only one process may own the folder', async (t) => {
  const store = await startTestStore(t)
  await t.rejects(launchStore({ path: store.path, token: 'x'.repeat(32), poolSize: 2 }), {
    code: 'ALPR_ERR_STORE_LOCKED',
  })
  t.equal((await store.client.ping({ select: true })).success, true, 'the first continues')
  await store.stop()
  await store.restart()
  t.equal((await store.client.ping({ select: true })).success, true)
})

t.test('a short token and a port in use are refused with a reason', async (t) => {
  const store = await startTestStore(t)
  const path = await mkdtemp(join(tmpdir(), 'platestream-store-'))
  t.teardown(() => rm(path, { recursive: true, force: true }))
  await t.rejects(launchStore({ path, token: 'short' }), {
    code: 'ALPR_ERR_STORE_UNAVAILABLE',
    message: /16 characters/,
  })
  await t.rejects(launchStore({ path, token: 'x'.repeat(32), port: store.port }), {
    code: 'ALPR_ERR_STORE_UNAVAILABLE',
    message: /EADDRINUSE/,
  })
})

t.test('SIGTERM stops it cleanly, even with running queries', async (t) => {
  const path = await mkdtemp(join(tmpdir(), 'platestream-store-'))
  const store = await launchStore({ path, token: 'x'.repeat(32), poolSize: 2 })
  t.teardown(async () => {
    await store.kill()
    await rm(path, { recursive: true, force: true })
  })
  const ask = (query: string) =>
    fetch(store.url, { method: 'POST', body: query, headers: { 'X-ClickHouse-Key': 'x'.repeat(32) } }).then(
      (response) => response.status,
      () => 0,
    )
  const client = createClient(loadSettings({ env: {} }), { url: store.url, token: 'x'.repeat(32) })
  t.teardown(() => client.close())
  const endless = ask(ENDLESS)
  await untilBusy(client)
  const waiting = ask('SELECT sleep(1)')
  const start = Date.now()
  await store.stop()
  t.same(await store.exited, { code: 0, signal: null })
  t.comment(`after ${Date.now() - start} ms`)
  t.ok((await endless) !== 200)
  await waiting
})

t.test('it ends with the process that started it, even if that is killed', async (t) => {
  const path = await mkdtemp(join(tmpdir(), 'platestream-store-'))
  t.teardown(() => rm(path, { recursive: true, force: true }))
  const launcher = fileURLToPath(new URL('../../../engine/chdb/launch.js', import.meta.url))
  const parent = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `
    import { launchStore } from ${JSON.stringify(launcher)}
    const store = await launchStore({ path: ${JSON.stringify(path)}, token: 'x'.repeat(32), poolSize: 2 })
    console.log(store.pid)
    setInterval(() => {}, 1000)`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const pid = Number(await new Promise<Buffer>((resolve) => parent.stdout.once('data', resolve)))
  t.ok(alive(pid))
  parent.kill('SIGKILL')
  await until(() => !alive(pid))
})

t.test('with too few libuv threads it restarts itself with enough', async (t) => {
  const path = await mkdtemp(join(tmpdir(), 'platestream-store-'))
  t.teardown(() => rm(path, { recursive: true, force: true }))
  const { UV_THREADPOOL_SIZE: _, ...env } = process.env
  const main = fileURLToPath(new URL('../../../engine/chdb/main.js', import.meta.url))
  const child = spawn(process.execPath, [main, '--path', path, '--pool', '6'], {
    env: { ...env, STORE_TOKEN: 'x'.repeat(32) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = new Promise((resolve) => child.once('exit', resolve))
  t.teardown(() => {
    child.kill('SIGKILL')
  })
  const line = JSON.parse(String(await new Promise<Buffer>((resolve) => child.stdout.once('data', resolve)))) as {
    url: string
    pid: number
  }
  const environment = (await readFile(`/proc/${line.pid}/environ`, 'utf8')).split('\0')
  t.ok(environment.includes('UV_THREADPOOL_SIZE=10'), 'one a session and four more')
  t.not(line.pid, child.pid, 'it restarted itself')
  child.kill('SIGTERM')
  t.equal(await exited, 0)
  t.notOk(alive(line.pid))
})

t.test('a slow query does not delay a fast one, and many slow ones do not delay an insert', async (t) => {
  const store = await startTestStore(t)
  const { client } = store
  await migrate(client, 'p')
  const writer = new StoreWriter(client, 'p')
  let ended = 0
  const endless = (signal: AbortSignal) =>
    client
      .query({
        query: ENDLESS,
        clickhouse_settings: { max_threads: 1 },
        abort_signal: signal,
      })
      .catch(() => {
        ended++
      })
  const many = new AbortController()
  const slow = Array.from({ length: 5 }, () => endless(many.signal))
  await untilBusy(client)
  await writer.write({ reads: [aRead()], hits: [], ledger: [] })
  t.equal(ended, 0, 'inserted while the maximum of lookups ran and more waited')
  many.abort()
  await Promise.all(slow)
  ended = 0
  const one = new AbortController()
  const single = endless(one.signal)
  await until(async () => (await runningQueries(client, ENDLESS)) === 1)
  for (let time = 0; time < 20; time++) await (await client.query({ query: 'SELECT 1' })).text()
  t.equal(ended, 0, 'twenty fast queries during a slow one')
  one.abort()
  await single
})

t.test(
  'threads of a peak of concurrent queries are not kept',
  { skip: process.platform !== 'linux' && 'counts them in /proc' },
  async (t) => {
    const { client, pid } = await startTestStore(t, { poolSize: 12 })
    await client.command({ query: 'CREATE TABLE wide (a UInt64) ENGINE = MergeTree PARTITION BY a % 30 ORDER BY a' })
    await client.command({ query: 'INSERT INTO wide SELECT number FROM numbers(3000000)' })
    const threads = async () => (await readdir(`/proc/${pid}/task`)).length
    const before = await threads()
    const ask = async () =>
      (
        await client.query({ query: 'SELECT sum(cityHash64(a)) FROM wide', clickhouse_settings: { max_threads: 30 } })
      ).text()
    for (let round = 0; round < 5; round++) await Promise.all(Array.from({ length: 9 }, ask))
    await until(async () => (await threads()) <= before + 64)
  },
)

t.test('a stopped store leaves no files in memory', { skip: !existsSync('/dev/shm') && 'no /dev/shm' }, async (t) => {
  const store = await startTestStore(t)
  await migrate(store.client, 'p')
  await new StoreWriter(store.client, 'p').write({ reads: [aRead()], hits: [], ledger: [] })
  const { folder } = new Spool(store.path, 1, 1)
  await store.stop()
  t.notOk(existsSync(folder))
})

t.test('waitForStore resolves when the store is back, or rejects by its signal', async (t) => {
  const store = await startTestStore(t)
  await store.kill()
  const waiting = waitForStore(store.client, { signal: AbortSignal.timeout(60_000) })
  t.equal((await store.client.ping()).success, false, 'the first attempt, which came before, has failed too')
  await store.restart()
  await waiting
  await store.kill()
  await t.rejects(waitForStore(store.client, { signal: AbortSignal.timeout(300) }), { name: 'TimeoutError' })
})
