import t from 'tap'
import type { PlateSearch, SearchAsk } from '../../../engine/plate_search/candidates.js'
import { DictionarySearch } from '../../../engine/plate_search/dictionary_search.js'
import { migrate } from '../../../engine/store/migrate.js'
import type { Sql } from '../../../engine/store/sql.js'
import { StoreWriter } from '../../../engine/store/writer.js'
import { ACCESS, testRecords } from '../records/test_records.js'
import { startTestStore } from '../../servers/store.js'
import { aRead } from '../store/rows.js'
import { iso } from './city.js'

t.setTimeout(240_000)

t.test('what was acknowledged is in the next answer, while reads are written', async (t) => {
  const store = await startTestStore(t)
  await migrate(store.client, 'p')
  const writer = new StoreWriter(store.client, 'p')
  const records = testRecords({ client: store.connect(), database: 'p' })
  const acknowledged = new Set<string>()
  const began = Date.now()
  let writing = true
  const stream = (async () => {
    for (let batch = 0; batch < 25; batch++) {
      const reads = Array.from({ length: 40 }, (_, i) =>
        aRead({
          readId: String(batch * 100 + i + 1),
          plate: `L${batch}X${i}`,
          ts: Date.now(),
          tsLast: Date.now() + 500,
        }),
      )
      await writer.write({ reads, hits: [], ledger: [] })
      for (const { plate } of reads) acknowledged.add(plate)
    }
    writing = false
  })()
  let asked = 0
  for (let last = true; writing || last; ) {
    last = writing
    const before = [...acknowledged]
    // "The last five minutes": to a little ahead, because clocks differ.
    const { items } = await records.ask(ACCESS, 'canvass', {
      windows: [{ from: iso(began - 300_000), to: iso(Date.now() + 120_000) }],
      limit: 5_000,
    })
    const seen = new Set((items as { plate: string }[]).map(({ plate }) => plate))
    const missing = before.filter((plate) => !seen.has(plate))
    if (missing.length > 0) t.fail(`${missing.length} acknowledged reads are missing`)
    asked++
  }
  await stream
  t.pass(`${asked} questions, none missed an acknowledged read`)
})

t.test('the dictionary finds a plate that was stored before the search began', async (t) => {
  const store = await startTestStore(t)
  await migrate(store.client, 'p')
  const writer = new StoreWriter(store.client, 'p')
  let id = 0
  const write = (...plates: string[]) =>
    writer.write({
      reads: plates.map((plate) => aRead({ readId: String(++id), plate, ts: aRead().ts + id })),
      hits: [],
      ledger: [],
    })
  await write('7ABC123', '8BBB222', '1AAA111')
  /** Statements that read parts into the dictionary. */
  const asked: string[] = []
  const client = new Proxy(store.client, {
    get(target, name) {
      if (name !== 'query') return Reflect.get(target, name).bind(target)
      return (params: { query: string }) => {
        if (params.query.includes('groupArray(plate)')) asked.push(params.query)
        return target.query(params)
      }
    },
  })
  const dictionary = await DictionarySearch.load(client, 'p')
  t.equal(dictionary.size, 3)
  // A search that costs nothing, and plates that cost nothing.
  const eager: PlateSearch = {
    name: 'dictionary',
    cost: async () => ({ ms: -1, isOverBudget: false }),
    pages: (ask, rows) => dictionary.pages(ask, rows),
    search: (ask, rows) => dictionary.search(ask, rows),
  }
  const records = testRecords({
    client: store.client,
    database: 'p',
    search: eager,
    costs: { row: 1, plate: 0, query: 0 },
  })
  const find = async (pattern: string) => {
    const { items, plan } = await records.ask(ACCESS, 'canvass', {
      windows: [{ from: '2026-11-01T00:00:00Z', to: '2026-12-01T00:00:00Z' }],
      pattern,
      explain: true,
    })
    return {
      way: (plan!.facts.way as { chosen: string; search: string }).chosen,
      plates: (items as { plate: string }[]).map(({ plate }) => plate),
    }
  }
  t.same(await find('7ABC*'), { way: 'pattern first', plates: ['7ABC123'] })
  for (let round = 0; round < 12; round++) {
    await write(`9NEW${round}`)
    t.same((await find(`9NEW${round}`)).plates.includes(`9NEW${round}`), true)
  }
  await store.client.command({ query: 'OPTIMIZE TABLE p.plates FINAL' })
  await write('9AFTER1')
  t.same(await find('9AFTER?'), { way: 'pattern first', plates: ['9AFTER1'] })
  // What a merge makes of parts that were read is not read again.
  const rows = async <Row>(query: Sql): Promise<Row[]> => {
    const { query: text, params } = query.render()
    return (await store.client.query({ query: text, query_params: params, format: 'JSONEachRow' })).json<Row>()
  }
  const look = () => dictionary.search({ source: '9AFTER?', lookAlikes: true, limit: 10 } as SearchAsk, rows)
  await look()
  t.not(asked.length, 0)
  asked.length = 0
  await store.client.command({ query: 'OPTIMIZE TABLE p.plates FINAL' })
  await look()
  t.same(asked, [])
  // A recreated table counts its blocks from 1 again.
  await store.client.command({ query: 'CREATE TABLE p.recreated AS p.plates' })
  await store.client.command({
    query: "INSERT INTO p.recreated SELECT '9AFTER2', region, reads, first, last FROM p.plates LIMIT 1",
  })
  await store.client.command({ query: 'INSERT INTO p.recreated SELECT * FROM p.plates' })
  await store.client.command({ query: 'EXCHANGE TABLES p.recreated AND p.plates' })
  t.same((await look()).plates.map(({ plate }) => plate).sort(), ['9AFTER1', '9AFTER2'])
  const { items: like, notes } = await records.ask(ACCESS, 'plates', { pattern: '7A8C*' })
  t.match(like, [
    { plate: '7ABC123', count: 1, tolerated: [{ kind: 'look-alike', position: 2, read: 'B', wanted: '8' }] },
  ])
  t.match(notes, { matched: 1, plates: dictionary.size, done: true })
  // The store itself, while no dictionary is loaded, gives the same.
  const plain = await testRecords({ client: store.client, database: 'p' }).ask(ACCESS, 'plates', {
    pattern: '7A8C*',
  })
  t.same(plain.items, like)
  await write('7ABC999')
  const pages = []
  for await (const page of records.watch(ACCESS, 'plates', { pattern: '7ABC9*' })) pages.push(page)
  t.match(
    pages.at(-1),
    { items: [{ plate: '7ABC999' }], notes: { done: true } },
    'page by page, up to what is stored by now',
  )
  await t.rejects(
    records.watch(ACCESS, 'heat', { windows: [{ from: '2026-11-01T00:00:00Z', to: '2026-12-01T00:00:00Z' }] }).next(),
    { code: 'ALPR_ERR_REQUEST_INVALID' },
  )
  const history = await records.ask(ACCESS, 'history', {
    plate: '7A8C123',
    misreads: true,
    minProbability: 0,
    windows: [{ from: '2026-11-01T00:00:00Z', to: '2026-12-01T00:00:00Z' }],
  })
  const [misread] = history.items as { plate: string; probability: number }[]
  t.equal(misread?.plate, '7ABC123')
  t.ok(misread!.probability > 0 && misread!.probability < 1, 'a misread has its probability from the dictionary')
})
