import t from 'tap'
import type { FoundPage } from '../../../engine/plate_search/candidates.js'
import { DictionarySearch } from '../../../engine/plate_search/dictionary_search.js'
import { LoadingSearch } from '../../../engine/plate_search/loading_search.js'
import { SearchPool } from '../../../engine/plate_search/search_pool.js'
import type { ClickHouseClient } from '../../../engine/store/client.js'
import type { TestStore } from '../../servers/store.js'
import { ask, storeOf, until } from './plate_store.js'

t.setTimeout(480_000)

/** A client whose reading of the whole table goes through `gate`, piece by piece. */
function gated({ client }: TestStore, gate: (piece: number) => Promise<void>): ClickHouseClient {
  return new Proxy(client, {
    get(target, name) {
      if (name !== 'exec') return Reflect.get(target, name).bind(target)
      return async (params: Parameters<ClickHouseClient['exec']>[0]) => {
        const result = await target.exec(params)
        const pieces = async function* () {
          let piece = 0
          await gate(piece)
          for await (const bytes of result.stream) {
            yield bytes
            await gate(++piece)
          }
        }
        return { ...result, stream: pieces() }
      }
    },
  })
}

t.test('searches go on, and miss nothing, while the dictionary is rebuilt beside them', async (t) => {
  const { store, insert, load, found, rows } = await storeOf(t)
  await insert('1A', 500)
  let open = () => {}
  let gate = Promise.resolve()
  const pool = new SearchPool(2)
  t.teardown(() => pool.close())
  const search = await load(
    { pool, rebuildAt: 1_024 },
    gated(store, () => gate),
  )
  gate = new Promise((resolve) => {
    open = resolve
  })
  await insert('2B', 2_000)
  t.equal((await found(search, '2B*')).length, 2_000)
  t.equal(search.rebuilding, true, 'too many new plates')
  await insert('3C', 100)
  t.equal((await found(search, '3C*')).length, 100, 'stored while the next one is built')
  const pages = search.pages(ask('*~2'), rows)
  let last: FoundPage | undefined = (await pages.next()).value
  const during = Promise.all(Array.from({ length: 6 }, (_, i) => found(search, ['1A*', '2B*', '3C*'][i % 3]!)))
  open()
  await until(() => search.rebuilds === 1)
  t.same((await during).map(({ length }) => length).sort(), [100, 100, 2_000, 2_000, 500, 500].sort())
  for await (const page of pages) last = page
  t.match(last, { done: true, matched: 2_600, partial: false }, 'a search from before the swap')
  for (const [source, count] of [
    ['1A*', 500],
    ['2B*', 2_000],
    ['3C*', 100],
  ] as const)
    t.equal((await found(search, source)).length, count, `${source} after the swap`)
  await insert('4D', 50)
  t.equal((await found(search, '4D*')).length, 50)
  t.equal(search.size, 2_650, 'nothing twice')
})

t.test('a rebuild that fails midway changes nothing; the next one takes over', async (t) => {
  const { store, insert, load, found } = await storeOf(t)
  await insert('1A', 500)
  let isBroken = false
  const failures: string[] = []
  const client = gated(store, async (piece) => {
    if (isBroken && piece > 0) throw new Error('the connection broke')
  })
  const search = await load({ rebuildAt: 1_024, failed: (reason) => failures.push(reason) }, client)
  isBroken = true
  await insert('2B', 2_000)
  t.equal((await found(search, '2B*')).length, 2_000)
  await until(() => failures.length > 0)
  t.match(failures, [/^Error/], 'by class: the text of a foreign error can hold a plate')
  await until(() => !search.rebuilding)
  isBroken = false
  await insert('3C', 100)
  t.equal((await found(search, '3C*')).length, 100)
  t.equal(search.rebuilds, 0, 'it waits before it tries again')
  await until(async () => (await found(search, '3C*')).length === 100 && search.rebuilds === 1)
  t.equal((await found(search, '2B*')).length, 2_000)
})

t.test(
  'when the dictionary in use has no room left, the store searches until the next one takes over',
  { skip: !process.env.LONG_TESTS && 'it stores a million plates; LONG_TESTS=1 plays it' },
  async (t) => {
    const { store, insert, load, found, rows } = await storeOf(t)
    await insert('1A', 100)
    let open = () => {}
    let gate = Promise.resolve()
    const search = await load(
      {},
      gated(store, () => gate),
    )
    gate = new Promise((resolve) => {
      open = resolve
    })
    // More than all fresh blocks hold.
    await insert('2B', 1_100_000, 7)
    t.equal((await found(search, '2B00000*')).length, 100)
    t.equal(search.isBehind, true)
    await insert('3C', 10)
    t.equal((await found(search, '3C*')).length, 10, 'also what came later')
    const pages = []
    for await (const page of search.pages(ask('3C0000?'), rows)) pages.push(page)
    t.match(pages, [{ matched: 10, done: true, partial: false }])
    open()
    await until(async () => (await found(search, '3C*')).length === 10 && !search.isBehind)
    t.equal((await found(search, '2B00000*')).length, 100)
    t.equal(search.size, 1_100_110)
  },
)

t.test('texts too long for blocks never force a rebuild', async (t) => {
  const { insert, load, found } = await storeOf(t)
  await insert('1A', 10)
  const search = await load()
  await insert('LONGTEXT', 20_000, 8)
  t.equal((await found(search, 'LONGTEXT0000012?')).length, 10)
  t.equal((await found(search, 'LONG*')).length, 5_000)
  await insert('LONGTEXTX', 10)
  t.equal((await found(search, '*X0000?')).length, 10)
  t.same([search.rebuilds, search.rebuilding], [0, false])
  // Beyond their bound the store searches, where they may match.
  await insert('LONG1', 250_000, 9)
  t.equal((await found(search, 'LONG100024999?')).length, 10)
  t.equal((await found(search, '1A0000?')).length, 10)
  t.same([search.rebuilds, search.rebuilding], [0, false])
})

t.test('a reader that takes no pages holds nobody up; a search beyond the budget is said to be in part', async (t) => {
  const { insert, load, rows, found } = await storeOf(t)
  await insert('7AB', 60_000)
  const pool = new SearchPool(2)
  t.teardown(() => pool.close())
  const search = await load({ pool, budgetMs: 20 })
  const unread = search.pages(ask('[A-M]&B&[0-4]&[5-9]~2', { limit: 100 }), rows)
  t.equal((await unread.next()).done, false)
  t.equal((await found(search, '7AB0001?')).length, 10)
  let last: FoundPage | undefined
  for await (const page of unread) last = page
  t.match(last, { done: true, partial: true, of: 60_000 })
  t.ok(last!.scanned < 60_000)
  t.match(await search.search(ask('[A-M]&B&[0-4]&[5-9]~2'), rows), { partial: true })
  t.equal((await search.cost(ask('[A-M]&B&[0-4]&[5-9]~2'))).isOverBudget, true)
  t.equal((await search.cost(ask('7AB0001?'))).isOverBudget, false)
})

t.test('one that leaves while the store is slow does not take the others with it', async (t) => {
  const { store, insert, load, rows } = await storeOf(t)
  await insert('1A', 10)
  let gate = Promise.resolve()
  let open = () => {}
  const client = new Proxy(store.client, {
    get(target, name) {
      if (name !== 'query') return Reflect.get(target, name).bind(target)
      return async (params: Parameters<ClickHouseClient['query']>[0]) => {
        await gate
        return target.query(params)
      }
    },
  })
  const search = await load({}, client)
  gate = new Promise((resolve) => {
    open = resolve
  })
  const leaving = new AbortController()
  const left = search.search(ask('1A*', { signal: leaving.signal }), rows)
  const stays = search.search(ask('1A*'), rows)
  leaving.abort(new Error('left'))
  await t.rejects(left, { message: 'left' })
  open()
  t.equal((await stays).plates.length, 10)
})

t.test('the dictionary loads when the store comes back; until then searches say that it is away', async (t) => {
  const { store, insert, rows } = await storeOf(t)
  await insert('1A', 10)
  const warnings: string[] = []
  const search = new LoadingSearch(store.client, 'p', { warn: (_, text) => warnings.push(text) })
  await store.kill()
  search.start()
  await t.rejects(search.search(ask('1A*'), rows))
  await store.restart()
  await until(() => search.name === 'dictionary')
  t.equal((await search.search(ask('1A*'), rows)).plates.length, 10)
  await store.kill()
  await t.rejects(search.search(ask('1A*'), rows), { code: 'ALPR_ERR_STORE_UNAVAILABLE' })
  await store.restart()
  await until(async () => (await search.search(ask('1A*'), rows).catch(() => undefined))?.plates.length === 10)
  await search.close()
  await t.rejects(search.search(ask('1A*'), rows), { code: 'ALPR_ERR_SEARCHES_CLOSED' })
  await t.rejects(search.pages(ask('1A*'), rows).next(), { code: 'ALPR_ERR_SEARCHES_CLOSED' })
})

t.test('closing during a build, a rebuild or an update ends everything', async (t) => {
  const { store, insert, rows } = await storeOf(t)
  await insert('1A', 1_000)
  const never = new Promise<void>(() => {})
  let reached = () => {}
  const atGate = new Promise<void>((resolve) => {
    reached = resolve
  })
  const client = gated(store, () => {
    reached()
    return never
  })
  const search = new LoadingSearch(client, 'p', { warn: () => {} })
  search.start()
  await atGate
  const stored = await search.search(ask('1A*'), rows)
  t.equal(stored.plates.length, 1_000, 'the store searches while the dictionary is built')
  await search.close()
  await t.rejects(search.search(ask('1A*'), rows), { code: 'ALPR_ERR_SEARCHES_CLOSED' })

  let isHeld = false
  const ended = new AbortController()
  const dictionary = await DictionarySearch.load(
    gated(store, () => (isHeld ? never : Promise.resolve())),
    'p',
    {
      signal: ended.signal,
      rebuildAt: 512,
    },
  )
  isHeld = true
  await insert('2B', 1_000)
  await dictionary.search(ask('2B*'), rows)
  t.equal(dictionary.rebuilding, true)
  ended.abort()
  await dictionary.close()
  await t.rejects(dictionary.search(ask('2B*'), rows), { code: 'ALPR_ERR_SEARCHES_CLOSED' })
})
