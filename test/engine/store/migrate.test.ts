import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { cellOf } from '../../../engine/geo/cell.js'
import { StoreQueries } from '../../../engine/store/queries.js'
import { migrate, SCHEMA_VERSION, schemaStatements } from '../../../engine/store/migrate.js'
import { StoreWriter } from '../../../engine/store/writer.js'
import { startTestStore } from '../../servers/store.js'
import { aRead } from './rows.js'

/** Tests run from `dist`; golden files stay with the sources. */
const golden = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../../../test/engine/store/golden/${name}`, import.meta.url)), 'utf8')
const textOf = (statements: string[]) => `${statements.join(';\n\n')};\n`

t.setTimeout(300_000)

t.test(
  // That of a cluster is compared with deploy/clickhouse/schema.sql in deploy/operations.test.ts.
  'the DDL of a single node equals the golden file',
  async (t) => {
    t.equal(textOf(schemaStatements('platestream')), golden('single.sql'))
  },
)

t.test('invalid database names are refused', async (t) => {
  for (const name of ['', 'A', 'a b', 'a`b', 'a;b', "a'b", '1a', 'a'.repeat(64)])
    t.throws(() => schemaStatements(name), { code: 'ALPR_ERR_SETTINGS_INVALID' })
})

t.test('a data folder from before the rollups is migrated, even if interrupted at any statement', async (t) => {
  const store = await startTestStore(t)
  const { client } = store
  const of = async (query: string) => await (await client.query({ query, format: 'JSONEachRow' })).json<any>()
  const statements = schemaStatements('q')
  const before = statements.findIndex((statement) => statement.includes('q.plates ('))
  for (const statement of statements.slice(0, before)) await client.command({ query: statement })
  await client.command({ query: "INSERT INTO q.schema_version (version, name) VALUES (1, 'one'), (2, 'two')" })
  await new StoreWriter(client, 'q').write({
    reads: [
      aRead(),
      aRead({ readId: '2', ts: aRead().ts + 60_000 }),
      aRead({ readId: '3', camera: 'c2', plate: '8BBB222', region: '' }),
    ],
    hits: [],
    ledger: [],
  })
  for (let cut = before + 1; cut <= statements.length; cut++) {
    let run = 0
    const dying = new Proxy(client, {
      get: (target, name) =>
        name === 'command'
          ? (options: { query: string }) =>
              ++run > cut - before + 2 ? Promise.reject(new Error('killed')) : target.command(options)
          : Reflect.get(target, name),
    })
    await migrate(dying, 'q').catch((error: Error) => {
      if (error.message !== 'killed') throw error
    })
  }
  const steps: number[] = []
  await migrate(client, 'q', undefined, ({ version }) => steps.push(version))
  await migrate(client, 'q', undefined, ({ version }) => steps.push(version))
  t.ok(
    steps.every((version, index) => version === steps[0]! + index && version <= SCHEMA_VERSION),
    'each step that is still to do is reported once',
  )
  t.same(
    await of('SELECT plate, region, toUInt32(sum(reads)) AS reads FROM q.plates GROUP BY plate, region ORDER BY plate'),
    [
      { plate: '8ABC123', region: 'CA', reads: 2 },
      { plate: '8BBB222', region: '', reads: 1 },
    ],
  )
  t.same(
    await of(
      'SELECT camera, toUInt32(sum(reads)) AS reads, sum(confidence_sum) > 0.9 AS quality FROM ' +
        'q.camera_hour GROUP BY camera ORDER BY camera',
    ),
    [
      { camera: 'c1', reads: 2, quality: 1 },
      { camera: 'c2', reads: 1, quality: 1 },
    ],
  )
  t.same(await of('SELECT camera, toUInt32(sum(reads)) AS reads FROM q.camera_cells GROUP BY camera ORDER BY camera'), [
    { camera: 'c1', reads: 2 },
    { camera: 'c2', reads: 1 },
  ])
})

t.test('a data folder of schema 5 keeps its reads, wherever the migration is interrupted', async (t) => {
  const { client } = await startTestStore(t)
  const of = async (query: string) => await (await client.query({ query, format: 'JSONEachRow' })).json<any>()
  for (const statement of golden('single_5.sql').split(/;\n+/).filter(Boolean))
    await client.command({ query: statement.replaceAll('platestream', 'o') })
  await client.command({
    query: "INSERT INTO o.schema_version (version, name) SELECT number + 1, 'before' FROM numbers(5)",
  })
  const row = (id: number, version: number, plate: string, more: string) =>
    client.command({
      query: `INSERT INTO o.reads (cell, ts, read_id, version, plate, confidence, alternate_plates,
        alternate_confidences, region, camera, ts_last, lat, lon, heading, direction, frames, height_px, sharpness,
        contrast, glare, crop_segment, crop_offset, crop_length, picture_segment, picture_offset, picture_length,
        module, model, lists, feed)
      SELECT 5, '2026-11-16 08:30:00.007', ${id}, ${version}, '${plate}', 0.9126, ['A', 'B'], [0.25, 0.0001], 'CA',
        'c1', '2026-11-16 08:30:01.500', ${more}, 'approaching', ${version}, 31.7, 0.516, 0.5, 0.254,
        's', 100, 50, 's', 157, 900, 'm', 'n', 'l', 'f'`,
    })
  await row(1, 1, '8ABC124', '37.70000049, -122.2, 90.4')
  await row(1, 2, '8ABC123', '37.70000049, -122.2, 90.4')
  // 4e-7 degrees beyond the edge of a cell: the rounded position lies in the other cell.
  await row(2, 1, '', '-0.0000004, 179.9999999, NULL')
  await client.command({ query: 'INSERT INTO o.reads_held SELECT * FROM o.reads WHERE read_id = 1' })
  const before = schemaStatements('o').length
  for (let cut = 2; cut < before + 30; cut += 3) {
    let run = 0
    const dying = new Proxy(client, {
      get: (target, name) =>
        name === 'command'
          ? (options: { query: string }) =>
              ++run > cut ? Promise.reject(new Error('killed')) : target.command(options)
          : Reflect.get(target, name),
    })
    const done = await migrate(dying, 'o').then(
      () => true,
      (error: Error) => {
        if (error.message !== 'killed') throw error
        return false
      },
    )
    if (done) break
  }
  const queries = new StoreQueries(client, 'o')
  t.equal(await queries.count('reads'), 2)
  t.same(await queries.readById('1'), {
    readId: '1',
    version: 2,
    plate: '8ABC123',
    confidence: 0.913,
    alternates: [{ plate: 'A', confidence: 0.25 }],
    region: 'CA',
    camera: 'c1',
    ts: Date.UTC(2026, 10, 16, 8, 30, 0, 7),
    tsLast: Date.UTC(2026, 10, 16, 8, 30, 1, 500),
    lat: 37.7,
    lon: -122.2,
    heading: 90,
    direction: 'approaching',
    frames: 2,
    quality: { heightPx: 32, sharpness: 0.52, contrast: 0.5, glare: 0.25 },
    crop: { segment: 's', offset: 100, length: 50 },
    picture: { segment: 's', offset: 157, length: 900 },
    module: 'm',
    model: 'n',
    lists: 'l',
    feed: 'f',
  })
  t.match(await queries.readById('2'), { plate: '', lat: 0, lon: 180, heading: undefined })
  t.same(await of('SELECT read_id, cell FROM o.reads FINAL ORDER BY read_id'), [
    { read_id: '1', cell: cellOf(37.7, -122.2) },
    { read_id: '2', cell: cellOf(0, 180) },
  ])
  t.same(
    await of('SELECT plate, cell, camera FROM o.reads_by_plate FINAL'),
    [{ plate: '8ABC123', cell: cellOf(37.7, -122.2), camera: 'c1' }],
    'no row under its first text',
  )
  t.same(await of('SELECT read_id, plate, confidence FROM o.reads_held FINAL'), [
    { read_id: '1', plate: '8ABC123', confidence: 0.913 },
  ])
  t.same(
    await of("SELECT cell FROM o.camera_cells WHERE camera = 'c1' GROUP BY cell ORDER BY cell"),
    [5, cellOf(37.7, -122.2), cellOf(0, 180)].sort((a, b) => a - b).map((cell) => ({ cell })),
    'the cells of its camera include the new ones',
  )
  t.same(await of("SELECT name FROM system.tables WHERE database = 'o' AND name LIKE '%before%'"), [])
  await new StoreWriter(client, 'o').write({ reads: [aRead({ readId: '9', plate: '9NEW' })], hits: [], ledger: [] })
  t.same(await of("SELECT count() AS n FROM o.reads_by_plate WHERE plate = '9NEW'"), [{ n: '1' }], 'the views are back')
  t.same(
    await of("SELECT toUInt32(sum(reads)) AS n FROM o.camera_hour WHERE camera = 'c1'"),
    [{ n: 3 }],
    'no rollup counts a read twice, nor its versions',
  )
})

t.test(
  'the index by plate of a schema 6 folder is rebuilt with concurrent writes, wherever the rebuild is interrupted',
  async (t) => {
    const { client } = await startTestStore(t)
    const of = async (query: string) => await (await client.query({ query, format: 'JSONEachRow' })).json<any>()
    for (const statement of golden('single_6.sql').split(/;\n+/).filter(Boolean))
      await client.command({ query: statement.replaceAll('platestream', 's') })
    await client.command({
      query: "INSERT INTO s.schema_version (version, name) SELECT number + 1, 'before' FROM numbers(6)",
    })
    const insert = (id: number, version: number, plate: string) =>
      client.command({
        query: `INSERT INTO s.reads (cell, ts, read_id, version, plate, confidence, region, camera, stay_ms, lat,
          lon, heading, direction, crop_segment, crop_offset, crop_length)
        SELECT ${cellOf(37.7, -122.2)}, '2026-11-16 08:30:00.007', ${id}, ${version}, '${plate}', 0.913, 'CA', 'c1',
          1500, 37.7, -122.2, 90, 'leaving', 's', 100, 50`,
      })
    await insert(1, 1, '8ABC124')
    await insert(1, 2, '8ABC123')
    await insert(2, 1, '')
    let id = 10
    for (let cut = 1; ; cut++) {
      let run = 0
      const dying = new Proxy(client, {
        get: (target, name) =>
          name === 'command'
            ? (options: { query: string }) =>
                ++run > cut ? Promise.reject(new Error('killed')) : target.command(options)
            : Reflect.get(target, name),
      })
      const done = await migrate(dying, 's').then(
        () => true,
        (error: Error) => {
          if (error.message !== 'killed') throw error
          return false
        },
      )
      await insert(id++, 1, '8ABC123')
      if (done) break
    }
    t.same(
      await of(
        'SELECT read_id, plate, version, confidence, region, camera, stay_ms, lat, lon, heading, direction, ' +
          'crop_segment, crop_offset, crop_length, cell, gone FROM s.reads_by_plate FINAL WHERE read_id = 1',
      ),
      [
        {
          read_id: '1',
          plate: '8ABC123',
          version: 2,
          confidence: 0.913,
          region: 'CA',
          camera: 'c1',
          stay_ms: '1500',
          lat: 37.7,
          lon: -122.2,
          heading: 90,
          direction: 'leaving',
          crop_segment: 's',
          crop_offset: '100',
          crop_length: 50,
          cell: cellOf(37.7, -122.2),
          gone: 0,
        },
      ],
    )
    t.same(
      await of('SELECT toUInt32(count()) AS n FROM s.reads_by_plate FINAL'),
      [{ n: id - 10 + 1 }],
      'all reads with a text, including those written between two attempts',
    )
  },
)

t.test(
  'the rollups of a schema 7 folder count each read once afterwards, wherever the step is interrupted',
  async (t) => {
    const { client } = await startTestStore(t)
    const of = async (query: string) => await (await client.query({ query, format: 'JSONEachRow' })).json<any>()
    for (const statement of golden('single_7.sql').split(/;\n+/).filter(Boolean))
      await client.command({ query: statement.replaceAll('platestream', 'v') })
    await client.command({
      query: "INSERT INTO v.schema_version (version, name) SELECT number + 1, 'before' FROM numbers(7)",
    })
    const insert = (table: string, id: number, version: number, plate: string, day: string) =>
      client.command({
        query: `INSERT INTO v.${table}
          (cell, ts, read_id, version, plate, confidence, region, camera, stay_ms, lat, lon)
        SELECT 5, '${day} 08:30:00.007', ${id}, ${version}, '${plate}', 0.5 + 0.1 * ${version}, 'CA', 'c1', 0, 0, 0`,
      })
    // A parked car, stored in four versions; a misread that was corrected; a held read of a purged week.
    for (const version of [1, 2, 3, 4]) await insert('reads', 1, version, '8ABC123', '2026-11-16')
    await insert('reads', 2, 1, '8BBB888', '2026-11-16')
    await insert('reads', 2, 2, '8BBB88B', '2026-11-16')
    await insert('reads_held', 3, 1, '7HELD77', '2024-01-01')
    await insert('reads_held', 1, 4, '8ABC123', '2026-11-16')
    await client.command({ query: "INSERT INTO v.purges (week, version, state) SELECT '2024-01-01', 1, 'done'" })
    for (let cut = 2; ; cut++) {
      let run = 0
      const dying = new Proxy(client, {
        get: (target, name) =>
          name === 'command'
            ? (options: { query: string }) =>
                ++run > cut ? Promise.reject(new Error('killed')) : target.command(options)
            : Reflect.get(target, name),
      })
      const done = await migrate(dying, 'v').then(
        () => true,
        (error: Error) => {
          if (error.message !== 'killed') throw error
          return false
        },
      )
      if (done) break
    }
    const plates = () =>
      of('SELECT plate, toInt32(sum(reads)) AS n FROM v.plates GROUP BY plate HAVING n != 0 ORDER BY plate')
    t.same(await plates(), [
      { plate: '7HELD77', n: 1 },
      { plate: '8ABC123', n: 1 },
      { plate: '8BBB88B', n: 1 },
    ])
    const hours = 'SELECT toUInt32(sum(reads)) AS n, round(sum(confidence_sum), 3) AS c FROM v.camera_hour'
    t.same(await of(hours), [{ n: 2, c: 1.6 }], 'each read once, in its last version')
    const writer = new StoreWriter(client, 'v')
    for (const version of [1, 2, 3])
      await writer.write({ reads: [aRead({ readId: '9', version })], hits: [], ledger: [] })
    t.same((await plates())[1], { plate: '8ABC123', n: 2 }, 'the views count new reads only')
    t.same((await of(hours))[0].n, 3)
    const types = "SELECT name, type FROM system.columns WHERE database = 'v' AND table = 'plates' AND name = 'reads'"
    await migrate(client, 'fresh')
    t.same(await of(types), await of(types.replace("'v'", "'fresh'")), 'as in a new folder')
  },
)

t.test('several processes may migrate at once; a newer schema is refused', async (t) => {
  const store = await startTestStore(t)
  const clients = Array.from({ length: 6 }, () => store.connect())
  await Promise.all(clients.map((client) => migrate(client, 'p')))
  const tables = await store.client.query({
    query: "SELECT name, engine FROM system.tables WHERE database = 'p' ORDER BY name",
    format: 'JSONEachRow',
  })
  t.same(
    (await tables.json<{ name: string; engine: string }>()).map(({ name, engine }) => `${name} ${engine}`),
    [
      'camera_cells AggregatingMergeTree',
      'camera_cells_view MaterializedView',
      'camera_hour AggregatingMergeTree',
      'camera_hour_view MaterializedView',
      'hits ReplacingMergeTree',
      'ledger ReplacingMergeTree',
      'plates AggregatingMergeTree',
      'plates_view MaterializedView',
      'purges ReplacingMergeTree',
      'reads ReplacingMergeTree',
      'reads_by_plate ReplacingMergeTree',
      'reads_by_plate_view MaterializedView',
      'reads_held ReplacingMergeTree',
      'rollup_seals ReplacingMergeTree',
      'schema_version ReplacingMergeTree',
    ],
  )
  // A data folder from before the column.
  await store.client.command({ query: 'DROP TABLE p.camera_hour_view' })
  await store.client.command({ query: 'ALTER TABLE p.reads DROP COLUMN glare' })
  await store.client.command({ query: 'DELETE FROM p.schema_version WHERE version >= 2' })
  await migrate(store.client, 'p')
  const columns = await store.client.query({
    query:
      "SELECT name FROM system.columns WHERE database = 'p' AND table = 'reads' AND name IN ('contrast', " +
      "'glare') ORDER BY position",
    format: 'JSONEachRow',
  })
  t.same(await columns.json(), [{ name: 'contrast' }, { name: 'glare' }])
  await store.kill()
  await store.restart()
  await migrate(store.client, 'p')
  await store.client.command({
    query: `INSERT INTO p.schema_version (version, name) VALUES (${SCHEMA_VERSION + 1}, 'from the future')`,
  })
  await t.rejects(migrate(store.client, 'p'), { code: 'ALPR_ERR_SCHEMA_NEWER' })
})
