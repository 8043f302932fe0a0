import t from 'tap'
import { writePlateTombstones } from '../../../engine/store/plate_tombstones.js'
import { migrate } from '../../../engine/store/migrate.js'
import { partitionOf, mondayOf } from '../../../engine/store/week.js'
import { StoreWriter } from '../../../engine/store/writer.js'
import { startTestStore } from '../../servers/store.js'
import { aRead } from './rows.js'

t.test('the job repairs rows from an engine that had lost its cameras', async (t) => {
  const { client } = await startTestStore(t)
  const of = async <Row>(query: string): Promise<Row[]> =>
    (await client.query({ query, format: 'JSONEachRow' })).json<Row>()
  const { ts } = aRead()
  await migrate(client, 'z')
  const writer = new StoreWriter(client, 'z')
  const late = (readId: string, plate: string, version: number) =>
    client.command({
      query: `INSERT INTO z.reads_by_plate (plate, ts, read_id, version)
        SELECT '${plate}', fromUnixTimestamp64Milli(${ts}, 'UTC'), ${readId}, ${version}`,
    })
  await writer.write({
    reads: [aRead({ readId: '1', version: 3 }), aRead({ readId: '2', version: 3, plate: '' }), aRead({ readId: '3' })],
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
