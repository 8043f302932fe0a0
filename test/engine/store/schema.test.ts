import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { migrate, SCHEMA_VERSION, schemaStatements } from '../../../engine/store/schema.js'
import { StoreWriter } from '../../../engine/store/writer.js'
import { startTestStore } from '../../servers/store.js'
import { aRead } from './rows.js'

/** Tests run from `dist`; golden texts stay with the sources. */
const golden = (name: string) => readFileSync(fileURLToPath(new URL(`../../../../test/engine/store/golden/${name}`, import.meta.url)), 'utf8')
const textOf = (statements: string[]) => `${statements.join(';\n\n')};\n`

t.test('the DDL of one node and of a cluster, word by word', async (t) => {
  t.equal(textOf(schemaStatements('platestream')), golden('single.sql'))
  t.equal(textOf(schemaStatements('platestream', { kind: 'cluster', cluster: 'plates' })), golden('cluster.sql'))
})

t.test('names of databases are checked', async (t) => {
  for (const name of ['', 'A', 'a b', 'a`b', 'a;b', "a'b", '1a', 'a'.repeat(64)]) t.throws(() => schemaStatements(name), { code: 'ALPR_ERR_SETTINGS_INVALID' })
})

t.test('a data folder of before the rollups, and a migration cut short at any statement', async (t) => {
  const store = await startTestStore(t)
  const { client } = store
  const of = async (query: string) => (await (await client.query({ query, format: 'JSONEachRow' })).json<any>())
  const statements = schemaStatements('q')
  const before = statements.findIndex((statement) => statement.includes('q.plates ('))
  for (const statement of statements.slice(0, before)) await client.command({ query: statement })
  await client.command({ query: "INSERT INTO q.schema_version (version, name) VALUES (1, 'one'), (2, 'two')" })
  await new StoreWriter(client, 'q').write({ reads: [aRead(), aRead({ readId: '2', ts: aRead().ts + 60_000 }), aRead({ readId: '3', camera: 'c2', plate: '8BBB222', region: '' })], hits: [], ledger: [] })
  for (let cut = before + 1; cut <= statements.length; cut++) {
    let run = 0
    const dying = new Proxy(client, { get: (target, name) => (name === 'command' ? (options: { query: string }) => (++run > cut - before + 2 ? Promise.reject(new Error('killed')) : target.command(options)) : Reflect.get(target, name)) })
    await migrate(dying, 'q').catch((error: Error) => { if (error.message !== 'killed') throw error })
  }
  const told: number[] = []
  await migrate(client, 'q', undefined, ({ version }) => told.push(version))
  await migrate(client, 'q', undefined, ({ version }) => told.push(version))
  t.ok(told.every((version, index) => version === told[0]! + index && version <= SCHEMA_VERSION), 'each step is told once, and only what was to do')
  t.same(await of('SELECT plate, region, toUInt32(sum(reads)) AS reads FROM q.plates GROUP BY plate, region ORDER BY plate'), [{ plate: '8ABC123', region: 'CA', reads: 2 }, { plate: '8BBB222', region: '', reads: 1 }])
  t.same(await of('SELECT camera, toUInt32(sum(reads)) AS reads, sum(confidence_sum) > 0.9 AS quality FROM q.camera_hour GROUP BY camera ORDER BY camera'), [{ camera: 'c1', reads: 2, quality: 1 }, { camera: 'c2', reads: 1, quality: 1 }])
  t.same(await of('SELECT camera, toUInt32(sum(reads)) AS reads FROM q.camera_cells GROUP BY camera ORDER BY camera'), [{ camera: 'c1', reads: 2 }, { camera: 'c2', reads: 1 }])
})

t.test('migrations', async (t) => {
  const store = await startTestStore(t)
  const clients = Array.from({ length: 6 }, () => store.connect())
  await Promise.all(clients.map((client) => migrate(client, 'p')))
  const tables = await store.client.query({ query: "SELECT name, engine FROM system.tables WHERE database = 'p' ORDER BY name", format: 'JSONEachRow' })
  t.same((await tables.json<{ name: string; engine: string }>()).map(({ name, engine }) => `${name} ${engine}`), [
    'camera_cells AggregatingMergeTree', 'camera_cells_view MaterializedView', 'camera_hour AggregatingMergeTree', 'camera_hour_view MaterializedView',
    'hits ReplacingMergeTree', 'ledger ReplacingMergeTree', 'plates AggregatingMergeTree', 'plates_view MaterializedView', 'purges ReplacingMergeTree', 'reads ReplacingMergeTree',
    'reads_by_plate ReplacingMergeTree', 'reads_by_plate_view MaterializedView', 'reads_held ReplacingMergeTree', 'rollup_seals ReplacingMergeTree', 'schema_version ReplacingMergeTree',
  ])
  // a data folder of before the column
  await store.client.command({ query: 'DROP TABLE p.camera_hour_view' })
  await store.client.command({ query: 'ALTER TABLE p.reads DROP COLUMN glare' })
  await store.client.command({ query: 'DELETE FROM p.schema_version WHERE version >= 2' })
  await migrate(store.client, 'p')
  const columns = await store.client.query({ query: "SELECT name FROM system.columns WHERE database = 'p' AND table = 'reads' AND name IN ('contrast', 'glare') ORDER BY position", format: 'JSONEachRow' })
  t.same(await columns.json(), [{ name: 'contrast' }, { name: 'glare' }])
  await store.kill()
  await store.restart()
  await migrate(store.client, 'p')
  await store.client.command({ query: `INSERT INTO p.schema_version (version, name) VALUES (${SCHEMA_VERSION + 1}, 'from the future')` })
  await t.rejects(migrate(store.client, 'p'), { code: 'ALPR_ERR_SCHEMA_NEWER' })
})
