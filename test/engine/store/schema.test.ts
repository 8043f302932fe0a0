import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { migrate, SCHEMA_VERSION, schemaStatements } from '../../../engine/store/schema.js'
import { startTestStore } from '../../servers/store.js'

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

t.test('migrations', async (t) => {
  const store = await startTestStore(t)
  const clients = Array.from({ length: 6 }, () => store.connect())
  await Promise.all(clients.map((client) => migrate(client, 'p')))
  const tables = await store.client.query({ query: "SELECT name, engine FROM system.tables WHERE database = 'p' ORDER BY name", format: 'JSONEachRow' })
  t.same(await tables.json(), [
    { name: 'hits', engine: 'ReplacingMergeTree' }, { name: 'ledger', engine: 'ReplacingMergeTree' }, { name: 'reads', engine: 'ReplacingMergeTree' },
    { name: 'reads_by_plate', engine: 'ReplacingMergeTree' }, { name: 'reads_by_plate_view', engine: 'MaterializedView' }, { name: 'schema_version', engine: 'ReplacingMergeTree' },
  ])
  // a data folder of before the column
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
