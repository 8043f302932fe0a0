import { setTimeout as pause } from 'node:timers/promises'
import type { Test } from 'tap'
import type { SearchAsk } from '../../../engine/plate_search/candidates.js'
import { DictionarySearch, type DictionarySearchOptions } from '../../../engine/plate_search/dictionary_search.js'
import type { ClickHouseClient } from '../../../engine/store/client.js'
import { migrate } from '../../../engine/store/migrate.js'
import type { Sql } from '../../../engine/store/sql.js'
import { parsePattern } from '../../../wasm/mod.js'
import { startTestStore } from '../../servers/store.js'

export const ask = (source: string, some: Partial<SearchAsk> = {}): SearchAsk => ({
  pattern: parsePattern(source),
  source,
  lookAlikes: false,
  limit: 5_000,
  ...some,
})

export async function until(reached: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await reached())) await pause(5)
}

/** A store with a table of plates, and what reads and writes it. */
export async function storeOf(t: Test) {
  const store = await startTestStore(t)
  await migrate(store.client, 'p')
  const stored = new Set<string>()
  /** Inserts plates `<prefix><number>`. */
  const insert = async (prefix: string, count: number, digits = 5) => {
    await store.client.command({
      query: `INSERT INTO p.plates SELECT concat('${prefix}', leftPad(toString(number), ${digits}, '0')), 'CA', 1,
        now(), now() FROM numbers(${count})`,
    })
    for (let i = 0; i < count; i++) stored.add(`${prefix}${String(i).padStart(digits, '0')}`)
  }
  const rows = async <Row>(query: Sql): Promise<Row[]> => {
    const { query: text, params } = query.render()
    return (await store.client.query({ query: text, query_params: params, format: 'JSONEachRow' })).json<Row>()
  }
  const load = async (options: DictionarySearchOptions = {}, client: ClickHouseClient = store.client) => {
    const ended = new AbortController()
    const search = await DictionarySearch.load(client, 'p', { signal: ended.signal, ...options })
    t.teardown(async () => {
      ended.abort()
      await search.close()
    })
    return search
  }
  const found = async (search: DictionarySearch, source: string) =>
    (await search.search(ask(source), rows)).plates.map(({ plate }) => plate).sort()
  return { store, insert, rows, load, found, stored }
}
