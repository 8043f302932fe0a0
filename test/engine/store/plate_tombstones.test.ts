import t from 'tap'
import fc from 'fast-check'
import { writePlateTombstones } from '../../../engine/store/plate_tombstones.js'
import { migrate } from '../../../engine/store/migrate.js'
import { partitionOf, mondayOf } from '../../../engine/store/week.js'
import { StoreWriter } from '../../../engine/store/writer.js'
import type { StoredRead } from '../../../engine/store/tables.js'
import { startTestStore } from '../../servers/store.js'
import { aRead } from './rows.js'

t.setTimeout(240_000)

t.test('the index by plate has each read under the text of its highest version only', async (t) => {
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
        const { texts, at, lat, lon } = reads[index % reads.length]!
        const number = version % texts.length
        return aRead({
          readId: String(1 + (index % reads.length)),
          version: number + 1,
          plate: texts[number]!,
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
      await client.command({ query: `DROP DATABASE ${database} SYNC` })
    }),
    { numRuns: 25 },
  )

  t.test('the job repairs rows from an engine that had lost its cameras', async (t) => {
    await migrate(client, 'z')
    const writer = new StoreWriter(client, 'z')
    const late = (readId: string, plate: string, version: number) =>
      client.command({
        query: `INSERT INTO z.reads_by_plate (plate, ts, read_id, version)
          SELECT '${plate}', fromUnixTimestamp64Milli(${ts}, 'UTC'), ${readId}, ${version}`,
      })
    await writer.write({
      reads: [
        aRead({ readId: '1', version: 3 }),
        aRead({ readId: '2', version: 3, plate: '' }),
        aRead({ readId: '3' }),
      ],
      hits: [],
      ledger: [],
    })
    await late('1', '8ABC128', 2)
    await late('2', '8ABC128', 2)
    for (let time = 0; time < 2; time++) {
      await writePlateTombstones(client, 'z', partitionOf(mondayOf(ts)))
      t.same(await of('SELECT read_id, plate FROM z.reads_by_plate FINAL WHERE NOT gone ORDER BY read_id'), [
        { read_id: '1', plate: '8ABC123' },
        { read_id: '3', plate: '8ABC123' },
      ])
    }
  })
})
