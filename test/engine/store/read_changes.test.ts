import t from 'tap'
import fc from 'fast-check'
import { migrate } from '../../../engine/store/migrate.js'
import { StoreWriter } from '../../../engine/store/writer.js'
import type { StoredRead } from '../../../engine/store/tables.js'
import { startTestStore } from '../../servers/store.js'
import { aRead } from './rows.js'

t.setTimeout(240_000)

t.test('the index by plate and the rollups have each read once, under the text of its highest version', async (t) => {
  const { client } = await startTestStore(t)
  const of = async <Row>(query: string): Promise<Row[]> =>
    (await client.query({ query, format: 'JSONEachRow' })).json<Row>()
  const { ts } = aRead()
  let runs = 0

  const texts = ['8ABC123', '8ABC128', '8A8C123', '']
  const aRun = fc.record({
    reads: fc.array(
      fc.record({
        // One a version.
        texts: fc.array(fc.constantFrom(...texts), { minLength: 1, maxLength: 4 }),
        regions: fc.array(fc.constantFrom('', 'CA'), { minLength: 1, maxLength: 2 }),
        at: fc.nat({ max: 3 }),
        lat: fc.double({ min: -90, max: 90, noNaN: true }),
        lon: fc.double({ min: -180, max: 180, noNaN: true }),
      }),
      { minLength: 1, maxLength: 6 },
    ),
    // Pairs of read and version, in any order and grouping, with repetitions.
    batches: fc.array(fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 6 }), {
      minLength: 1,
      maxLength: 6,
    }),
    merged: fc.boolean(),
    dies: fc.nat({ max: 3 }),
  })

  await fc.assert(
    fc.asyncProperty(aRun, async ({ reads, batches, merged, dies }) => {
      const database = `f${runs++}`
      await migrate(client, database)
      const rowOf = (index: number, version: number): StoredRead => {
        const { texts, regions, at, lat, lon } = reads[index % reads.length]!
        const number = version % texts.length
        return aRead({
          readId: String(1 + (index % reads.length)),
          version: number + 1,
          plate: texts[number]!,
          region: regions[number % regions.length]!,
          ts: ts + at,
          tsLast: ts + at + number,
          lat,
          lon,
        })
      }
      let inserts = 0
      // An engine that is killed between two inserts of a batch; its successor writes the batch again.
      const dying = new Proxy(client, {
        get: (target, name) =>
          name === 'exec'
            ? (options: never) => (++inserts === dies ? Promise.reject(new Error('killed')) : target.exec(options))
            : Reflect.get(target, name),
      })
      for (const batch of batches) {
        const some = { reads: batch.map(([index, version]) => rowOf(index, version)), hits: [], ledger: [] }
        await new StoreWriter(dying, database).write(some).catch(async (error: Error) => {
          if (error.message !== 'killed') throw error
          await new StoreWriter(client, database).write(some)
        })
        if (merged)
          for (const table of ['reads', 'reads_by_plate'])
            await client.command({ query: `OPTIMIZE TABLE ${database}.${table} FINAL` })
      }
      const columns =
        'plate, ts, read_id, version, confidence, region, camera, ts_last, lat, lon, heading, direction, ' +
        'crop_segment, crop_offset, crop_length, cell'
      const stored = await of(`SELECT ${columns} FROM ${database}.reads FINAL WHERE plate != '' ORDER BY read_id`)
      t.same(
        await of(`SELECT ${columns} FROM ${database}.reads_by_plate FINAL WHERE NOT gone ORDER BY read_id, plate`),
        stored,
      )
      const counted = (columns: string, from: string, count: string) =>
        of(
          `SELECT ${columns}, toInt64(${count}) AS n FROM ${from.replace('p.', `${database}.`)} ` +
            `GROUP BY ${columns} HAVING n != 0 ORDER BY ${columns}`,
        )
      t.same(
        await counted('plate, region', 'p.plates', 'sum(reads)'),
        await counted('plate, region', "p.reads FINAL WHERE plate != ''", 'count()'),
        'reads of each plate',
      )
      const hours = "(SELECT camera, toDateTime(toStartOfHour(ts), 'UTC') AS hour FROM p.reads FINAL)"
      t.same(
        await counted('camera, hour', 'p.camera_hour', 'sum(reads)'),
        await counted('camera, hour', hours, 'count()'),
        'reads of each camera and hour',
      )
      t.same(
        await counted('camera, cell', 'p.camera_cells', 'sum(reads)'),
        await counted('camera, cell', 'p.reads FINAL', 'count()'),
        'reads of each camera and cell',
      )
      await client.command({ query: `DROP DATABASE ${database} SYNC` })
    }),
    { numRuns: 15 },
  )
})

t.test('a repetition counts what its first attempt was to count', async (t) => {
  const { client } = await startTestStore(t)
  await migrate(client, 'p')
  const of = async (query: string) => (await client.query({ query, format: 'JSONEachRow' })).json<any>()
  // The rows are stored, but neither the acknowledgement nor the rollups: the store died in between.
  let lost = true
  const dying = new Proxy(client, {
    get: (target, name) =>
      name === 'exec'
        ? async (options: { query: string; clickhouse_settings: object }) => {
            if (!lost || !options.query.includes('INTO p.reads ')) return target.exec(options as never)
            lost = false
            for (const table of ['plates', 'camera_hour', 'camera_cells', 'reads_by_plate'])
              await target.command({ query: `DROP VIEW p.${table}_view SYNC` })
            await target.exec(options as never)
            throw new Error('killed')
          }
        : Reflect.get(target, name),
  })
  const views = await of(
    "SELECT create_table_query AS sql FROM system.tables WHERE database = 'p' AND name LIKE '%_view'",
  )
  let fresh = 0
  const writer = new StoreWriter(dying, 'p', { onNewReads: (count) => (fresh += count) })
  const batch = { reads: [aRead(), aRead({ readId: '2', plate: '8BBB222' })], hits: [], ledger: [] }
  await t.rejects(writer.write(batch), { message: 'killed' })
  for (const { sql } of views) await client.command({ query: sql })
  await writer.write(batch)
  await writer.write(batch)
  t.equal(fresh, 2, 'each new read is reported once')
  t.same(await of('SELECT plate, toInt32(sum(reads)) AS n FROM p.plates GROUP BY plate ORDER BY plate'), [
    { plate: '8ABC123', n: 1 },
    { plate: '8BBB222', n: 1 },
  ])
  t.same(await of('SELECT toInt32(sum(reads)) AS n FROM p.camera_hour'), [{ n: 2 }])
  t.same(await of('SELECT count() AS n FROM p.reads'), [{ n: '2' }], 'without a second copy')
})
