import t from 'tap'
import { SearchPool } from '../../../engine/plate_search/search_pool.js'
import { loadMatcher } from '../../../wasm/load_node.js'
import { EXITS, THROWS } from './fragile_worker.js'
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

const ALL = { limit: 10_000, explained: false }

t.setTimeout(120_000)

/** Every plate matches, under 24 orders: the threads need a while. */
const HOSTILE = '[A-Z]&[A-Z]&[0-4]&[5-9]~2'

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
      // how many plates are weighed depends on which thread is ahead
      t.same({ ...many, work: 0 }, { ...one, work: 0 }, `${pattern}, ${limit} results`)
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
  old.close()
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
})

t.test('of a hundred searches at once those that may wait are answered, the others refused', async (t) => {
  const dictionary = await dictionaryOf(numbered)
  const pool = new SearchPool(2)
  t.teardown(() => pool.close())
  const many = await Promise.allSettled(Array.from({ length: 100 }, () => last(pool.search(dictionary, '*'))))
  const refused = many.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  t.equal(refused.length, 35, 'one works, 64 wait')
  for (const error of refused) t.match(error, { code: 'ALPR_ERR_SEARCHES_FULL', status: 503 })
  t.equal((await last(pool.search(dictionary, '*'))).matched, numbered.length, 'the next one is answered again')
})

t.test('a reader that takes no pages holds nobody up, and still gets its last page', async (t) => {
  const dictionary = await dictionaryOf(numbered)
  const pool = new SearchPool(2)
  t.teardown(() => pool.close())
  const paused = Array.from({ length: 20 }, () => pool.search(dictionary, HOSTILE))
  // More than one page each, so that a search that waits for its reader waits forever.
  await Promise.all(paused.map((search) => search.next()))
  t.equal((await last(pool.search(dictionary, '12X?', { lookAlikes: false }))).matched, 1)
  const next = await dictionaryOf(['9NEXT11'], 2)
  dictionary.close()
  t.equal((await last(pool.search(next, '9N*'))).matched, 1, 'another dictionary, perhaps in the same memory')
  const whole = (await last(paused[0]!)).matched
  for (const search of paused.slice(1)) t.equal((await last(search)).matched, whole)
})

t.test('a search that needs more than its budget ends in part, and says so', async (t) => {
  const dictionary = await dictionaryOf(numbered)
  const whole = await last(dictionary.search(HOSTILE, ALL))
  const matches = new Map(whole.matches.map((match) => [match.plate, match]))
  for (const threads of [1, 3]) {
    const pool = new SearchPool(threads, { budget: whole.work / 2 })
    t.teardown(() => pool.close())
    const page = await last(pool.search(dictionary, HOSTILE, ALL))
    t.match(page, { done: true, partial: true, plates: numbered.length })
    t.ok(page.matched > 0 && page.matched < whole.matched && page.scanned < numbered.length)
    t.ok(page.work < whole.work * 0.9, `${page.work} of ${whole.work}`)
    t.same(
      page.matches.filter(({ plate }) => matches.has(plate)),
      page.matches.flatMap(({ plate }) => matches.get(plate) ?? []),
    )
    if (threads === 1) {
      const again = await last(pool.search(dictionary, HOSTILE, ALL))
      t.same(again, page, 'by one thread always the same part')
    }
    t.match(await last(pool.search(dictionary, '12X?', { lookAlikes: false })), { partial: false, matched: 1 })
    t.match(await last(pool.search(dictionary, HOSTILE, { budget: whole.work * 3 })), { partial: false })
  }
})

t.test('a thread that ends takes its search with it, not the others', async (t) => {
  const dictionary = await dictionaryOf(numbered)
  const entry = new URL('./fragile_worker.js', import.meta.url)
  const [one, two] = [new SearchPool(1, { entry }), new SearchPool(2, { entry })]
  t.teardown(() => Promise.all([one.close(), two.close()]))
  for (const limit of [THROWS, EXITS, THROWS]) {
    const lost = last(one.search(dictionary, HOSTILE, { limit }))
    const waiting = last(one.search(dictionary, '12X?', { lookAlikes: false }))
    await t.rejects(lost, { code: 'ALPR_ERR_INTERNAL' })
    t.equal((await waiting).matched, 1)
    t.equal((await last(one.search(dictionary, '13X?', { lookAlikes: false }))).matched, 1)
    await t.rejects(last(two.search(dictionary, HOSTILE, { limit })), { code: 'ALPR_ERR_INTERNAL' })
  }
  const lost = Array.from({ length: 10 }, () => last(one.search(dictionary, HOSTILE, { limit: EXITS })))
  for (const end of await Promise.allSettled(lost)) t.match(end, { reason: { code: 'ALPR_ERR_INTERNAL' } })
  await t.rejects(
    last(one.search(dictionary, '12X?')),
    { code: 'ALPR_ERR_INTERNAL' },
    'a pool of such threads gives up',
  )
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
  const running = pool.search(dictionary, HOSTILE)
  await running.next()
  const unread = pool.search(dictionary, HOSTILE)
  const searches = [
    last(running),
    unread.next(),
    ...Array.from({ length: 2 }, () => last(pool.search(dictionary, '*'))),
  ]
  const ended = Promise.allSettled(searches)
  await Promise.all([pool.close(), pool.close()])
  for (const one of await ended) t.match(one, { status: 'rejected', reason: { code: 'ALPR_ERR_SEARCHES_CLOSED' } })
  await t.rejects(last(pool.search(dictionary, '12X?')), { code: 'ALPR_ERR_SEARCHES_CLOSED' })
})

t.test('a search of a pool that is closed before it begins ends', async (t) => {
  const dictionary = await dictionaryOf(numbered)
  const pool = new SearchPool(2)
  const searches = Array.from({ length: 3 }, () => last(pool.search(dictionary, '*')))
  const closing = pool.close()
  for (const one of await Promise.allSettled(searches)) t.match(one, { reason: { code: 'ALPR_ERR_SEARCHES_CLOSED' } })
  await closing
  dictionary.close()
  t.throws(() => dictionary.hold(), 'no search holds its memory')
})
