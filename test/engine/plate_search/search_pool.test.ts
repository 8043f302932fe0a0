import t from 'tap'
import { SearchPool } from '../../../engine/plate_search/search_pool.js'
import { loadMatcher } from '../../../wasm/load_node.js'
import { Dictionary, PlateBuilder, type SearchPage } from '../../../wasm/mod.js'

const { module, confusions } = await loadMatcher()
const HOUR = 493_000

async function last(pages: AsyncIterable<SearchPage>): Promise<SearchPage> {
  let page: SearchPage | undefined
  for await (const one of pages) page = one
  return page!
}

async function dictionaryOf(plates: Iterable<string>, generation = 1): Promise<Dictionary> {
  const builder = new PlateBuilder(module)
  await builder.addLines(Buffer.from(`${[...plates].join('\n')}\n`), HOUR)
  return Dictionary.of(module, await builder.build(), confusions, generation)
}

const numbered = Array.from({ length: 20_000 }, (_, i) => `${i}XY`)

t.test('threads give what one thread gives, and what was appended a moment ago', async (t) => {
  const dictionary = await dictionaryOf(numbered)
  const pool = new SearchPool(3)
  t.teardown(() => pool.close())
  // few results: what one thread found keeps the others from looking further
  for (const limit of [3, 50]) {
    for (const pattern of ['12X?', '*1*~2', '9X&1', '7?5XY~1', '*18*~1']) {
      const [one, many] = [
        await last(dictionary.search(pattern, { limit })),
        await last(pool.search(dictionary, pattern, { limit })),
      ]
      t.same(many, one, `${pattern}, ${limit} results`)
    }
  }
  t.equal(dictionary.add('4NEW777', 'US-NV', HOUR + 1), 'new')
  t.match((await last(pool.search(dictionary, '4?EW*'))).matches, [{ plate: '4NEW777', region: 'US-NV', count: 1 }])
})

t.test('searches go on, on the version they began with, while the dictionary is swapped', async (t) => {
  const old = await dictionaryOf(numbered)
  const pool = new SearchPool(2)
  t.teardown(() => pool.close())
  const searches = Array.from({ length: 20 }, (_, i) => last(pool.search(old, i % 2 ? '*8*~1' : '7XY')))
  const next = await dictionaryOf([...numbered, '9AFTER1'], 2)
  const [after] = (await last(pool.search(next, '9AFTER?'))).matches
  t.equal(after?.plate, '9AFTER1')
  const pages = await Promise.all(searches)
  pool.release(old)
  t.ok(pages.every((page) => page.done && page.matched > 0 && page.version.startsWith('1.')))
})

t.test('a search that is left does not hold the next one up; too many are refused', async (t) => {
  const dictionary = await dictionaryOf(numbered)
  const pool = new SearchPool(3)
  t.teardown(() => pool.close())
  for await (const page of pool.search(dictionary, '*1*~2')) {
    void page
    break
  }
  // exactly: what looks alike is fitted to the reader
  t.equal((await last(pool.search(dictionary, '12X?', { lookAlikes: false }))).matched, 1)
  await t.rejects(last(pool.search(dictionary, '7[')), { code: 'ALPR_ERR_PATTERN_INVALID' })
  const many = await Promise.allSettled(Array.from({ length: 80 }, () => last(pool.search(dictionary, '*'))))
  t.match(
    many.filter(({ status }) => status === 'rejected').map((one) => (one as PromiseRejectedResult).reason.code)[0],
    'ALPR_ERR_SEARCHES_FULL',
  )
  t.ok(many.filter(({ status }) => status === 'fulfilled').length >= 64)
})

t.test('a search that comes as another ends does not overtake the one that waits', async (t) => {
  const dictionary = await dictionaryOf(numbered)
  const pool = new SearchPool(2)
  t.teardown(() => pool.close())
  const exact = { lookAlikes: false }
  for (let round = 0; round < 5; round++) {
    const running = pool.search(dictionary, '1?X?', exact)
    let page = await running.next()
    const waiting = last(pool.search(dictionary, '12X?', exact))
    while (!page.value!.done) page = await running.next()
    // The threads are free for the one that waits; this one starts in the same moment.
    const ended = running.next()
    const newcomer = last(pool.search(dictionary, '13X?', exact))
    t.same(await ended, { done: true, value: undefined })
    t.match((await waiting).matches, [{ plate: '12XY' }])
    t.match((await newcomer).matches, [{ plate: '13XY' }])
  }
})

t.test('an aborted search leaves the queue, and the next one takes its turn', async (t) => {
  const dictionary = await dictionaryOf(numbered)
  const pool = new SearchPool(2)
  t.teardown(() => pool.close())
  const running = last(pool.search(dictionary, '*1*~2'))
  const abort = new AbortController()
  const aborted = last(pool.search(dictionary, '*2*~2', { signal: abort.signal }))
  const next = last(pool.search(dictionary, '12X?', { lookAlikes: false }))
  abort.abort(new Error('left'))
  await t.rejects(aborted, { message: 'left' })
  t.ok((await running).done)
  t.equal((await next).matched, 1)
})

t.test('closing the pool ends the search that runs, those that wait and those that come', async (t) => {
  const dictionary = await dictionaryOf(numbered)
  const pool = new SearchPool(2)
  const running = pool.search(dictionary, '*1*~2')
  await running.next()
  const searches = [last(running), ...Array.from({ length: 2 }, () => last(pool.search(dictionary, '*1*~2')))]
  const ended = Promise.allSettled(searches)
  await pool.close()
  for (const one of await ended) t.match(one, { status: 'rejected', reason: { code: 'ALPR_ERR_SEARCHES_CLOSED' } })
  await t.rejects(last(pool.search(dictionary, '12X?')), { code: 'ALPR_ERR_SEARCHES_CLOSED' })
})
