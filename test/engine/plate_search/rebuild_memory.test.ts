import t from 'tap'
import { SearchPool } from '../../../engine/plate_search/search_pool.js'
import { storeOf, until } from './plate_store.js'

t.setTimeout(300_000)

t.test('ten rebuilds take the memory of a few', async (t) => {
  const { insert, load, found } = await storeOf(t)
  await insert('1A', 40_000, 6)
  const pool = new SearchPool(1)
  t.teardown(() => pool.close())
  const search = await load({ pool, rebuildAt: 512 })
  let before = 0
  for (let turn = 0; turn < 14; turn++) {
    await insert(`2${String.fromCharCode(65 + (turn % 26))}${turn}X`, 520)
    await found(search, '1A00000*')
    await until(() => search.rebuilds > turn)
    // The first ones make the memories that the others use again.
    if (turn === 3) before = process.memoryUsage().rss
  }
  const growth = (process.memoryUsage().rss - before) / 2 ** 20
  t.ok(growth < 80, `${growth.toFixed(0)} MiB more`)
  t.equal(search.size, 40_000 + 14 * 520)
})
