import t from 'tap'
import { migrate } from '../../../engine/store/migrate.js'
import { StoreQueries } from '../../../engine/store/queries.js'
import { scopeSettings, WHOLE } from '../../../engine/store/scope.js'
import { StoreWriter } from '../../../engine/store/writer.js'
import { startTestStore } from '../../servers/store.js'
import { ACCESS, OpenGate, testRecords } from '../records/test_records.js'
import { aHit, aLedgerRow, aRead } from './rows.js'

const TS = Date.UTC(2026, 10, 16, 8, 30)
const WINDOWS = [{ from: '2026-11-16T00:00:00Z', to: '2026-11-17T00:00:00Z' }]

t.test('ids that are no ids never become part of a statement', async (t) => {
  for (const cameras of [["c1') OR ('1"], ['C1'], ['']])
    t.throws(() => scopeSettings({ cameras, lists: 'all' }, 'p'), { code: 'ALPR_ERR_INTERNAL' })
  t.same(scopeSettings(WHOLE, 'p'), {})
  const many = Array.from({ length: 2_001 }, (_, i) => `c${i}`)
  t.throws(() => scopeSettings({ cameras: many, lists: 'all' }, 'p'), { code: 'ALPR_ERR_SCOPE_TOO_LARGE' })
})

t.test('a scope is part of every statement', { timeout: 120_000 }, async (t) => {
  const store = await startTestStore(t)
  const { client } = store
  await migrate(client, 'p')
  const writer = new StoreWriter(client, 'p')
  const ts = new Date(TS).toISOString()
  const read = (readId: string, camera: string, plate: string, more: object = {}) =>
    aRead({ readId, camera, plate, ts: TS, tsLast: TS, ...more })
  await writer.write({
    reads: [read('1', 'c1', '7ABC123'), read('2', 'c2', '8XYZ000'), read('3', 'c1', '9MISREAD')],
    hits: [
      aHit({ hitId: '1.svs.A', camera: 'c1', list: 'svs', ts }),
      aHit({ hitId: '2.svs.B', camera: 'c2', list: 'svs', ts }),
      aHit({ hitId: '3.amber.C', camera: 'c1', list: 'amber', ts }),
    ],
    ledger: [aLedgerRow({ camera: 'c1', hour: TS }), aLedgerRow({ camera: 'c2', hour: TS })],
  })
  // A later version of a read has another text: the index by plate marks the previous one with a row without a camera.
  await writer.write({ reads: [read('3', 'c1', '9CORRECT', { version: 9 })], hits: [], ledger: [] })

  const queries = new StoreQueries(client, 'p')
  const c1 = { cameras: ['c1'], lists: 'all' as const }
  const ids = (rows: { readId: string }[]) => rows.map(({ readId }) => readId).sort()
  t.same(ids(await queries.latestReads({ limit: 10 })), ['1', '2', '3'])
  t.same(ids(await queries.latestReads({ limit: 10, scope: c1 })), ['1', '3'])
  t.same(await queries.latestReads({ limit: 10, plate: '8XYZ000', scope: c1 }), [])
  t.same(
    (await queries.ledger({ limit: 9, from: TS - 3_600_000, until: TS + 3_600_000, scope: c1 })).map(
      ({ camera }) => camera,
    ),
    ['c1'],
  )
  const hits = async (scope: object) =>
    (await queries.latestHits({ limit: 10, scope: scope as typeof c1 })).map(({ hitId }) => hitId).sort()
  t.same(await hits(c1), ['1.svs.A', '3.amber.C'])
  t.same(await hits({ cameras: 'all', lists: ['svs'] }), ['1.svs.A', '2.svs.B'])
  t.same(await hits({ cameras: ['c1'], lists: ['svs'] }), ['1.svs.A'])
  t.same(await hits({ cameras: 'all', lists: [] }), [])
  t.same(ids(await queries.latestReads({ limit: 10 })), ['1', '2', '3'], 'the next statement is free of it')

  const records = testRecords({ client, database: 'p', gate: new OpenGate(c1) })
  const plates = (items: unknown[]) => (items as { plate: string }[]).map(({ plate }) => plate).sort()
  t.same(plates((await records.ask(ACCESS, 'canvass', { windows: WINDOWS })).items), ['7ABC123', '9CORRECT'])
  t.same((await records.ask(ACCESS, 'history', { windows: WINDOWS, plate: '8XYZ000' })).items, [])
  t.same(
    (await records.ask(ACCESS, 'history', { windows: WINDOWS, plate: '9MISREAD' })).items,
    [],
    'a corrected read stays corrected',
  )
  t.same((await records.ask(ACCESS, 'history', { windows: WINDOWS, plate: '9CORRECT' })).items.length, 1)
  t.same((await records.ask(ACCESS, 'look-back', { windows: WINDOWS, plates: ['8XYZ000'] })).items, [])
  await t.rejects(records.ask(ACCESS, 'nearby', { readId: '2' }), { code: 'ALPR_ERR_NOT_FOUND' })
  await t.rejects(records.ask(ACCESS, 'history', { windows: WINDOWS, plate: '8XYZ00O', misreads: true }), {
    code: 'ALPR_ERR_SCOPE_RESTRICTED',
  })
  const planned = await records.ask(ACCESS, 'canvass', { windows: WINDOWS, pattern: '8XYZ*', explain: true })
  t.match(
    planned,
    { items: [], plan: { facts: { way: { chosen: 'area first' } } } },
    'no search tells which plates exist',
  )
  const timeline = (await records.ask(ACCESS, 'timeline', { windows: WINDOWS, step: '1d' })).items as {
    camera: string
  }[]
  t.same([...new Set(timeline.map(({ camera }) => camera))], ['c1'])

  const asked: string[] = []
  const lists = testRecords({
    client,
    database: 'p',
    platesOfList: async (id) => {
      asked.push(id)
      return ['7ABC123']
    },
    gate: new OpenGate({ cameras: 'all', lists: ['svs'] }),
  })
  await t.rejects(lists.ask(ACCESS, 'look-back', { windows: WINDOWS, list: 'amber' }), { code: 'ALPR_ERR_NOT_FOUND' })
  t.same(asked, [], 'the entries of a list outside the scope are not read')
  t.equal((await lists.ask(ACCESS, 'look-back', { windows: WINDOWS, list: 'svs' })).items.length, 1)
})
