import t from 'tap'
import { PlateDictionary } from '../../../engine/matching/plate_dictionary.js'
import { migrate } from '../../../engine/store/schema.js'
import { StoreWriter } from '../../../engine/store/writer.js'
import { loadMatcher } from '../../../wasm/load_node.js'
import type { SearchPage } from '../../../wasm/mod.js'
import { startTestStore } from '../../servers/store.js'
import { aRead } from '../store/rows.js'

const WEEK = 7 * 86_400_000
const TS = Date.UTC(2026, 10, 16, 8, 30)

async function last(pages: AsyncIterable<SearchPage>): Promise<SearchPage> {
  let page: SearchPage | undefined
  for await (const one of pages) page = one
  return page!
}

t.test('the dictionary has every plate of the store, and each new read at once', async (t) => {
  const store = await startTestStore(t)
  await migrate(store.client, 'p')
  const reads = Array.from({ length: 3_000 }, (_, i) => aRead({
    readId: String(i + 1), plate: i % 3 === 0 ? '7ABC123' : `8X${String(i).padStart(4, '0')}`, region: i % 2 ? 'US-CA' : '', ts: TS + (i % 4) * WEEK, tsLast: TS + (i % 4) * WEEK + 60_000, version: 2,
  }))
  const writer = new StoreWriter(store.client, 'p')
  await writer.write({ reads, hits: [], ledger: [] })
  await writer.write({ reads: [{ ...reads[1]!, version: 3, plate: '9CORR99' }], hits: [], ledger: [] })

  const dictionary = await PlateDictionary.load(await loadMatcher(), store.client, 'p')
  t.teardown(() => dictionary.close())
  t.equal(dictionary.size, 2_002, 'a thousand reads are one plate of two regions; a corrected read has its last text')
  const found = await last(dictionary.search('7?B*@US-CA'))
  t.match(found.matches, [{ plate: '7ABC123', region: 'US-CA', count: 500, firstHour: Math.floor((TS + WEEK) / 3_600_000), lastHour: Math.floor((TS + 3 * WEEK) / 3_600_000) }])
  t.equal((await last(dictionary.search('8X0001'))).matches.filter((match) => match.plate === '8X0001').length, 0)

  const before = dictionary.version
  dictionary.take('9001', '4NEW777', 'US-NV', TS + 5 * WEEK)
  dictionary.take('9001', '4NEW777', 'US-NV', TS + 5 * WEEK + 10)
  t.not(dictionary.version, before)
  t.match((await last(dictionary.search('4?EW*'))).matches, [{ plate: '4NEW777', count: 1 }], 'a new version of a read does not count twice')

  const searches = Promise.all(Array.from({ length: 30 }, (_, i) => last(dictionary.search(i % 2 ? '*8*~1' : '7ABC123'))))
  await dictionary.reload()
  t.ok((await searches).every((page) => page.done && page.matched > 0), 'searches go on while the dictionary is swapped')
  t.match(dictionary.version, /^2\./)
  t.same((await last(dictionary.search('4NEW777'))).matches, [], 'what the store does not have is gone after loading it anew')
})

t.test('a search that is left does not hold the next one up; too many are refused', async (t) => {
  const store = await startTestStore(t)
  await migrate(store.client, 'p')
  const dictionary = await PlateDictionary.load(await loadMatcher(), store.client, 'p', { threads: 3 })
  t.teardown(() => dictionary.close())
  for (let i = 0; i < 20_000; i++) dictionary.take(String(i), `${i}XY`, '', TS)
  for await (const page of dictionary.search('*1*~2')) {
    void page
    break
  }
  t.equal((await last(dictionary.search('12X?'))).matched, 1)
  await t.rejects(last(dictionary.search('7[')), { code: 'ALPR_ERR_PATTERN_INVALID' })
  const many = await Promise.allSettled(Array.from({ length: 80 }, () => last(dictionary.search('*'))))
  t.match(many.filter(({ status }) => status === 'rejected').map((one) => (one as PromiseRejectedResult).reason.code)[0], 'ALPR_ERR_SEARCHES_FULL')
  t.ok(many.filter(({ status }) => status === 'fulfilled').length >= 64)
})
