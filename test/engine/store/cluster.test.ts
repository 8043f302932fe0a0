import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { startStore } from '../../../engine/chdb/server.js'
import { loadSettings } from '../../../engine/settings.js'
import { createClient, type ClickHouseClient } from '../../../engine/store/client.js'
import { formOf } from '../../../engine/store/ddl.js'
import { migrate, schemaStatements } from '../../../engine/store/migrate.js'
import { StoreQueries } from '../../../engine/store/queries.js'
import { checkRollups, sealWeek } from '../../../engine/store/rollup_rebuild.js'
import { mondayOf } from '../../../engine/store/week.js'
import { StoreWriter } from '../../../engine/store/writer.js'
import { purgeWeek } from '../../../engine/retention/week_purge.js'
import { PLAIN } from '../canvass/spy.js'
import { ACCESS, testRecords } from '../records/test_records.js'
import { startTestStore } from '../../servers/store.js'
import { aHit, aLedgerRow, aRead } from './rows.js'

t.setTimeout(240_000)

/**
 * The embedded engine takes itself for the only shard of this cluster, so Distributed tables really work. It has
 * neither Keeper nor distributed DDL: `onOneServer` leaves both out of statements.
 */
const ENGINE_SETTINGS = `<clickhouse>
  <tcp_port>9000</tcp_port>
  <remote_servers><town><shard>
    <internal_replication>true</internal_replication>
    <replica><host>127.0.0.1</host><port>9000</port></replica>
  </shard></town></remote_servers>
  <macros><shard>1</shard><replica>a</replica></macros>
</clickhouse>`

function onOneServer(query: string): string {
  if (query.startsWith('SYSTEM SYNC REPLICA')) return 'SELECT 1'
  const plain = query
    .replace(/ ON CLUSTER '?town'?/g, '')
    .replace(/Replicated(\w*MergeTree)\('[^']*', '[^']*'(?:, )?/g, '$1(')
  // Replicas remember the tokens of inserts by themselves.
  if (!plain.includes('MergeTree(')) return plain
  const window = 'non_replicated_deduplication_window = 1000'
  return plain.includes('\nSETTINGS ') ? `${plain}, ${window}` : `${plain}\nSETTINGS ${window}`
}

/** A store whose engine knows the cluster `town`, and a client with the settings of that form. */
async function startTown(t: { teardown(end: () => unknown): unknown }) {
  const path = await mkdtemp(join(tmpdir(), 'platestream-town-'))
  const token = 'x'.repeat(32)
  const store = await startStore({ path, token, poolSize: 2, engineSettings: ENGINE_SETTINGS })
  const settings = loadSettings({
    env: {},
    overrides: { 'clickhouse.url': store.url, 'clickhouse.password': token, 'clickhouse.cluster': 'town' },
  })
  const sent: { query: string; settings: Record<string, unknown> }[] = []
  const real = createClient(settings)
  const client = new Proxy(real, {
    get: (target, name) => {
      const method = Reflect.get(target, name) as unknown
      if (!['command', 'query', 'exec'].includes(String(name))) return method
      return (options: { query: string; clickhouse_settings?: Record<string, unknown> }) => {
        sent.push({ query: options.query, settings: options.clickhouse_settings ?? {} })
        return (method as (options: object) => unknown).call(target, { ...options, query: onOneServer(options.query) })
      }
    },
  })
  t.teardown(async () => {
    await real.close()
    await store.close()
    await rm(path, { recursive: true, force: true })
  })
  return { client, form: formOf(settings), sent }
}

const rowsOf = async (client: ClickHouseClient, query: string) =>
  (await client.query({ query, format: 'JSONEachRow' })).json<any>()

t.test('a setting names the cluster, and only a server can be one', async (t) => {
  const settings = (overrides: Record<string, unknown>) => loadSettings({ env: {}, overrides })
  t.same(formOf(settings({})), { kind: 'single' })
  const cluster = settings({ 'clickhouse.cluster': 'town', 'clickhouse.url': 'http://127.0.0.1:1' })
  t.same(formOf(cluster), { kind: 'cluster', cluster: 'town' })
  t.throws(() => settings({ 'clickhouse.cluster': "a'b" }), { code: 'ALPR_ERR_SETTINGS_INVALID' })
  t.throws(() => createClient(settings({ 'clickhouse.cluster': 'town' }), { url: 'http://127.0.0.1:1', token: 'x' }), {
    code: 'ALPR_ERR_SETTINGS_INVALID',
    details: { key: 'clickhouse.cluster' },
  })
})

t.test('tables of another form, and a server without the cluster, are refused by name', async (t) => {
  const { client } = await startTestStore(t)
  const town = { kind: 'cluster', cluster: 'town' } as const
  const isRefused = (work: Promise<unknown>, reason: RegExp) =>
    t.rejects(work, { code: 'ALPR_ERR_STORE_FORM', message: reason }, String(reason))
  await isRefused(migrate(client, 'p', town), /knows no cluster town \(it knows none\)/)
  await migrate(client, 'p')
  await migrate(client, 'p')
  await isRefused(migrate(client, 'p', town), /stored on one server \(\w*MergeTree\), the setting is town/)
  await client.command({ query: 'CREATE DATABASE d ENGINE = Atomic' })
  await client.command({ query: 'CREATE TABLE d.reads_local (x UInt8) ENGINE = MergeTree ORDER BY x' })
  await isRefused(migrate(client, 'd'), /reads_local is a table of a cluster, the setting is empty/)
})

t.test('a cluster of one shard', async (t) => {
  const { client, form, sent } = await startTown(t)
  // What an operator has printed and applied by hand; the engine then finds it.
  for (const statement of schemaStatements('p', form)) await client.command({ query: statement })
  const tables = () => rowsOf(client, "SELECT name, engine FROM system.tables WHERE database = 'p' ORDER BY name")
  const printed = await tables()
  await migrate(client, 'p', form)
  t.same(await tables(), printed, 'the engine adds nothing to a printed schema')
  t.ok(
    printed.filter(({ engine }: { engine: string }) => engine === 'MaterializedView').length === 4,
    'one view for each rollup and the index',
  )
  await t.rejects(migrate(client, 'p'), { code: 'ALPR_ERR_STORE_FORM', message: /spread over the cluster town/ })
  await t.rejects(migrate(client, 'p', { kind: 'cluster', cluster: 'village' }), {
    code: 'ALPR_ERR_STORE_FORM',
    message: /spread over the cluster town, the setting is village/,
  })

  const writer = new StoreWriter(client, 'p')
  const queries = new StoreQueries(client, 'p')
  const read = aRead()
  const batch = {
    reads: [read, aRead({ readId: '2', plate: '8BBB222', ts: read.ts + 1, camera: 'c2' })],
    hits: [aHit()],
    ledger: [aLedgerRow()],
  }

  t.test('a repeated batch is stored and counted once, a later version moves its plate', async (t) => {
    for (let time = 0; time < 3; time++) await writer.write(batch)
    t.same(await rowsOf(client, 'SELECT count() AS n FROM p.reads_local'), [{ n: '2' }], 'without a second copy')
    t.equal(await queries.count('hits'), 1)
    await writer.write({ reads: [{ ...read, version: 9, plate: '8ABC128' }], hits: [], ledger: [] })
    t.equal(await queries.count('reads'), 2)
    t.match(
      (await queries.latestReads({ limit: 5 })).map(({ plate }) => plate),
      ['8BBB222', '8ABC128'],
    )
    t.same(
      await rowsOf(client, 'SELECT plate, sum(reads) AS n FROM p.plates GROUP BY plate HAVING n != 0 ORDER BY plate'),
      [
        { plate: '8ABC128', n: '1' },
        { plate: '8BBB222', n: '1' },
      ],
    )
    t.match(await queries.ledger({ limit: 5, from: 0, until: 9e12 }), [{ framesIn: 1 }])
  })

  t.test('questions are answered through the Distributed tables, within the scope of the access', async (t) => {
    const windows = [{ from: '2026-11-16T00:00:00Z', to: '2026-11-17T00:00:00Z' }]
    const records = testRecords({ client, database: 'p' })
    t.equal((await records.ask(ACCESS, 'canvass', { windows })).items.length, 2)
    t.match((await records.ask(ACCESS, 'history', { windows, plate: '8ABC128' })).items, [{ readId: '1' }])
    t.same((await records.ask(ACCESS, 'history', { windows, plate: '8ABC123' })).items, [])
    t.match((await records.ask(ACCESS, 'plates', { pattern: '8ABC*' })).items, [{ plate: '8ABC128', count: 1 }])
    for (const kind of Object.keys(PLAIN) as (keyof typeof PLAIN)[]) {
      const input = {
        ...PLAIN[kind],
        ...('windows' in PLAIN[kind] && { windows }),
        ...(kind === 'nearby' && { readId: '1' }),
      }
      await t.resolves(records.ask(ACCESS, kind, input), kind)
    }
    t.same(
      (await queries.latestReads({ limit: 5, scope: { cameras: ['c2'], lists: 'all' } })).map(({ readId }) => readId),
      ['2'],
    )
  })

  t.test('a week is rebuilt, sealed and purged on every shard', async (t) => {
    const week = mondayOf(read.ts)
    sent.length = 0
    t.equal(await sealWeek(client, 'p', week, form), 2)
    t.match(await checkRollups(client, 'p'), [{ week, reads: 2, counted: 2, sealed: true }])
    const maintenance = sent.map(({ query }) => query.split('\n')[0]!)
    const order = [
      /^CREATE TABLE IF NOT EXISTS p\.camera_hour_build_local ON CLUSTER 'town'/,
      /^CREATE TABLE IF NOT EXISTS p\.camera_hour_build ON CLUSTER 'town'/,
      /^TRUNCATE TABLE p\.camera_hour_build_local ON CLUSTER 'town'/,
      /^INSERT INTO p\.camera_hour_build /,
      /^SYSTEM SYNC REPLICA ON CLUSTER 'town' p\.camera_hour_build_local/,
      /^ALTER TABLE p\.camera_hour_local ON CLUSTER 'town' REPLACE PARTITION '2026-11-16' FROM p\.\w+_build_local/,
      /^INSERT INTO p\.rollup_seals /,
    ]
    const at = order.map((one) => maintenance.findIndex((query) => one.test(query)))
    t.same(
      at,
      [...at].sort((a, b) => a - b),
      'in this order',
    )
    t.ok(at[0]! >= 0, 'all of them')
    sent.length = 0
    const proof = await purgeWeek(client, 'p', week, {
      who: 'test',
      reason: 'test',
      keepDays: 1,
      now: week + 30 * 86_400_000,
      waitMs: 0,
      form,
    })
    t.match(proof, { readsBefore: 2, readsAfter: 0 })
    for (const { query } of sent.filter((one) => one.query.startsWith('ALTER')))
      t.match(query, /^ALTER TABLE p\.\w+_local ON CLUSTER 'town' /)
    t.same(await rowsOf(client, 'SELECT plate FROM p.plates_local'), [], 'its plates are gone')
  })

  t.test('an insert waits for all shards and a quorum', async (t) => {
    const names = ['insert_distributed_sync', 'insert_quorum', 'insert_quorum_parallel']
    const values = names.map((name) => `toString(getSetting('${name}'))`).join(', ')
    t.same(await rowsOf(client, `SELECT [${values}] AS settings`), [{ settings: ['true', 'auto', 'true'] }])
  })
})
