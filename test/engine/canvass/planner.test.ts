import t from 'tap'
import { COSTS } from '../../../engine/canvass/costs.js'
import { filterOf } from '../../../engine/canvass/filter.js'
import { conditionOf } from '../../../engine/canvass/planner.js'
import type { Ask } from '../../../engine/canvass/question.js'
import { SqlPlateSearch } from '../../../engine/plate_search/candidates.js'
import { matchingNs, parsePattern } from '../../../engine/plate_search/pattern.js'

const HOSTILE = '[A-M]&[N-Z]&[0-4]&[5-9]~2'

/** Decides about a pattern over a year of so many reads, where a search costs and finds this. */
async function plan(pattern: string, rows: number, cost: { ms: number; isOverBudget: boolean }, partial = false) {
  const notes: Record<string, unknown> = {}
  let searches = 0
  const ask = {
    database: 'p',
    signal: new AbortController().signal,
    costs: COSTS,
    estimate: async () => rows,
    search: {
      name: 'dictionary',
      cost: async () => cost,
      search: async () => {
        searches += 1
        return { plates: [{ plate: '7ABC123', probability: 1 }], more: false, partial, scanned: 1, of: 2 }
      },
    },
    note: (name: string, fact: unknown) => {
      notes[name] = fact
    },
  } as unknown as Ask
  const windows = [{ from: '2026-01-01T00:00:00Z', to: '2026-12-01T00:00:00Z' }]
  const condition = await conditionOf(ask, filterOf({ places: [], windows, pattern, lookAlikes: true }))
  return { ...(notes.way as { chosen: string; why: string }), plates: condition.plates, searches }
}

t.test('a search that would exceed its budget is never begun', async (t) => {
  t.match(await plan('7?B*', 1e8, { ms: 20, isOverBudget: false }), { chosen: 'pattern first', plates: ['7ABC123'] })
  const costly = await plan(HOSTILE, 1e5, { ms: 3_000, isOverBudget: true })
  t.match(costly, { chosen: 'area first', why: /budget/, searches: 0 })
})

t.test('plates that were searched in part are not taken for all', async (t) => {
  const { chosen, why, plates } = await plan('7?B*', 1e8, { ms: 20, isOverBudget: false }, true)
  t.match({ chosen, why }, { chosen: 'area first', why: /budget/ })
  t.equal(plates, undefined)
})

t.test('a pattern that neither way can afford is refused by name', async (t) => {
  await t.rejects(plan(HOSTILE, 1e8, { ms: 3_000, isOverBudget: true }), { code: 'ALPR_ERR_SEARCH_TOO_COSTLY' })
})

t.test('the store matches fragments of broad elements hundreds of times slower, and the planner knows', async (t) => {
  const ns = (source: string) => matchingNs(parsePattern(source), true)
  for (const quick of ['7?B*', '*8BC1*~1', '7ABC123~2', '8BC&12~1', '[A-M]&[N-Z]~2']) t.equal(ns(quick), 0, quick)
  // microseconds a text, measured on one core
  for (const [source, us] of [
    ['8B&1&7~2', 7],
    ['AB&CD&EF&GH~2', 50],
    ['[A-M]&[N-Z]&[0-4]&[5-9]', 50],
    ['[A-M]&[N-Z]&[0-4]~2', 200],
  ] as const)
    t.ok(ns(source) > (us * 1_000) / 3 && ns(source) < us * 3_000, `${source}: ${ns(source)} ns`)
  t.ok(ns(HOSTILE) > 200_000)
})

t.test('the store does not begin a search that it would certainly end', async (t) => {
  const search = new SqlPlateSearch('p', async () => 10_000_000)
  const ask = { pattern: parsePattern(HOSTILE), source: HOSTILE, lookAlikes: true, limit: 10 }
  const none = async () => t.fail('a statement') as never
  await t.rejects(search.search(ask, none), { code: 'ALPR_ERR_SEARCH_TOO_COSTLY' })
  await t.rejects(search.pages(ask, none).next(), { code: 'ALPR_ERR_SEARCH_TOO_COSTLY' })
})
