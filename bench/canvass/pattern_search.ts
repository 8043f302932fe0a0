import { DictionarySearch, SqlPlateSearch } from '../../engine/internal_mod.js'
import type { ClickHouseClient } from '../../engine/mod.js'
import { parsePattern } from '../../wasm/mod.js'
import { quantile, tenths, timedAsync } from '../report/statistics.js'
import { rowsOf } from '../system/ledger.js'
import type { Year } from './year.js'

/** Each `*` unanchored, with one misread. */
const PATTERNS = ['*8BC1*~1', '*7?B4*~1', '*AB12*~1', '*K9Z*~1', '*5S5*~1']
const ROUNDS = 3

export const kPatternGoal = 'p50 under 80 ms, and 5 times as fast as the best SQL'

/** Unanchored patterns with one misread over all plates: the dictionary beside the best SQL for the same answer. */
export async function measurePatternSearch(client: ClickHouseClient, database: string, year: Year): Promise<object> {
  const start = performance.now()
  const dictionary = await DictionarySearch.load(client, database)
  const loadMs = performance.now() - start
  const inStore = new SqlPlateSearch(database, async () => year.plates)
  const run = async <Row>(query: { render(): { query: string; params: Record<string, unknown> } }): Promise<Row[]> => {
    const { query: sql, params } = query.render()
    return (await client.query({ query: sql, query_params: params, format: 'JSONEachRow' })).json<Row>()
  }
  const times = { dictionary: [] as number[], regex: [] as number[], fuzzy: [] as number[] }
  for (let round = 0; round < ROUNDS; round++) {
    for (const source of PATTERNS) {
      const search = {
        pattern: parsePattern(source),
        source,
        lookAlikes: true,
        limit: 100,
        signal: AbortSignal.timeout(60_000),
      }
      times.dictionary.push(await timedAsync(() => dictionary.search(search, run)))
      times.regex.push(await timedAsync(() => inStore.search(search, run)))
      times.fuzzy.push(await timedAsync(() => rowsOf(client, fuzzySql(database, source))))
    }
  }
  const [wasmP50, regexP50, fuzzyP50] = [times.dictionary, times.regex, times.fuzzy].map((all) => quantile(all, 0.5))
  const row = {
    plates: dictionary.size,
    loadMs: tenths(loadMs),
    bytesAPlate: tenths(dictionary.bytes / dictionary.size),
    wasmP50: tenths(wasmP50!),
    wasmP95: tenths(quantile(times.dictionary, 0.95)),
    regexP50: tenths(regexP50!),
    fuzzyP50: tenths(fuzzyP50!),
    faster: tenths(Math.min(regexP50!, fuzzyP50!) / wasmP50!),
  }
  console.log(`unanchored pattern, one misread, ${row.plates} plates (goal: ${kPatternGoal}):`)
  console.log(`  dictionary      p50 ${row.wasmP50} ms, p95 ${row.wasmP95} ms; ${row.faster} times as fast as the SQL`)
  console.log(`  SQL             match() p50 ${row.regexP50} ms, multiFuzzyMatchAny p50 ${row.fuzzyP50} ms`)
  console.log(`  the dictionary  loaded in ${row.loadMs} ms, ${row.bytesAPlate} bytes a plate`)
  return row
}

/** The pattern without its stars and its `~1`, as the store's fuzzy regular expression. */
function fuzzySql(database: string, pattern: string): string {
  const plain = pattern.slice(1, pattern.indexOf('*~')).replace('?', '.')
  return `SELECT plate FROM ${database}.plates
    WHERE multiFuzzyMatchAny(plate, 1, ['${plain}']) ORDER BY last DESC LIMIT 100`
}
