import t from 'tap'
import { DictionarySearch } from '../../../engine/plate_search/dictionary_search.js'
import { migrate } from '../../../engine/store/migrate.js'
import { StoreWriter } from '../../../engine/store/writer.js'
import type { StoredRead } from '../../../engine/store/tables.js'
import { ACCESS, testRecords } from '../records/test_records.js'
import { startTestStore } from '../../servers/store.js'
import { aRead } from '../store/rows.js'
import { HOUR, iso } from './city.js'

t.setTimeout(240_000)

t.test('a parked car that is stored every minute is one read wherever reads are counted', async (t) => {
  const { client } = await startTestStore(t)
  await migrate(client, 'p')
  const writer = new StoreWriter(client, 'p')
  const write = (reads: StoredRead[]) => writer.write({ reads, hits: [], ledger: [] })
  const start = Date.UTC(2026, 10, 16, 8)
  // Two cars that meet at one camera five times.
  const meetings = [0, 1, 2, 3, 4].flatMap((hour) => [
    aRead({ readId: String(10 + hour), plate: '7AAA111', ts: start + hour * HOUR, tsLast: start + hour * HOUR }),
    aRead({
      readId: String(20 + hour),
      plate: '7BBB222',
      ts: start + hour * HOUR + 9_000,
      tsLast: start + hour * HOUR,
    }),
  ])
  await write(meetings)
  const parked = { readId: '99', plate: '7CAR555', ts: start + HOUR / 2 }
  // Its first minutes are misread.
  for (let minute = 0; minute < 60; minute++)
    await write([
      aRead({
        ...parked,
        version: 1 + minute,
        tsLast: parked.ts + minute * 60_000,
        plate: minute < 3 ? '7CAR5S5' : parked.plate,
      }),
    ])
  const windows = [{ from: iso(start - HOUR), to: iso(start + 9 * HOUR) }]
  const dictionary = await DictionarySearch.load(client, 'p')
  for (const records of [
    testRecords({ client, database: 'p' }),
    testRecords({ client, database: 'p', search: dictionary }),
  ]) {
    const ask = (kind: Parameters<typeof records.ask>[1], input: object) =>
      records.ask(ACCESS, kind, input).then(({ items }) => items as Record<string, any>[])
    t.match(await ask('plates', { pattern: '7CAR*' }), [{ plate: '7CAR555', count: 1 }], 'its plate, and no other')
    t.match(await ask('convoy', { windows, plate: '7AAA111' }), [
      // Each of five passes is near a sighting like five of the camera's eleven reads.
      { plate: '7BBB222', meetings: 5, expected: 2.2727 },
    ])
    const sum = (rows: Record<string, any>[], field: string) => rows.reduce((all, row) => all + row[field], 0)
    t.equal(sum(await ask('timeline', { windows, step: '1d' }), 'reads'), 11)
    t.equal(sum(await ask('heat', { windows, by: 'whole' }), 'reads'), 11)
    t.match(await ask('canvass', { windows, pattern: '7CAR*' }), [{ plate: '7CAR555', count: 1 }])
    t.equal((await ask('look-back', { windows, plates: ['7CAR555', '7CAR5S5'] })).length, 1)
    const { notes } = await records.ask(ACCESS, 'preview', { windows, entries: 1_000 })
    t.match(notes, { sampledFrom: 11 })
  }
})
