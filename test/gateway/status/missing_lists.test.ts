import t from 'tap'
import { leadOf, ruleVersion, type EngineStatus, type HotList } from '../../../engine/mod.js'
import { MissingLists, missingText } from '../../../gateway/status/missing_lists.js'
import { makeStatus } from '../fixtures/status.js'

const listOf = (change: Partial<HotList> = {}): HotList => ({
  id: 'stolen',
  name: 'Stolen vehicles',
  kind: 'hot',
  priority: 'high',
  source: 'local',
  version: '0123456789abcdef',
  loadedAt: '2026-11-22T03:10:00.000Z',
  entries: 3,
  tolerance: 'tolerant',
  threshold: 0.5,
  ...change,
})

function compare(lists: HotList[], statuses: EngineStatus[], problem = '') {
  const state = { lists, statuses, problem }
  const missing = new MissingLists(
    { fresh: () => state.statuses },
    { lists: () => state.lists, problem: () => state.problem },
  )
  const at = (now: number) => {
    missing.update(now)
    return missing.all()
  }
  return { state, at }
}

t.test('an engine that lacks a version is reported after the time that loading it takes, since when', async (t) => {
  const list = listOf()
  const { state, at } = compare([list], [makeStatus({ lists: {} })])
  t.same(at(0), [])
  t.same(at(leadOf(list) + 5_000), [], 'it may still be loading')
  const [missing, ...others] = at(leadOf(list) + 5_001)
  t.same(others, [])
  t.match(missing, { engine: 'e1', list: 'stolen', version: list.version, since: '1970-01-01T00:00:00.000Z' })
  state.statuses = [makeStatus({ lists: {}, waiting: { 'hot list stolen': 'its content is missing' } })]
  t.match(
    missingText(at(20_000)[0]!),
    /^hot list stolen: version \w+ is not in force on engine e1 since .*is missing\)$/,
  )
  state.statuses = [makeStatus({ lists: { stolen: ruleVersion(list) } })]
  t.same(at(21_000), [])
})

t.test('a changed threshold is another rule; a large list has more time', async (t) => {
  const list = listOf({ entries: 1_000_000 })
  const { at } = compare([list], [makeStatus({ lists: { stolen: ruleVersion({ ...list, threshold: 0.6 }) } })])
  at(0)
  t.same(at(9_999), [])
  t.equal(at(10_001).length, 1)
})

t.test('a removed list that is still in force is reported', async (t) => {
  const { at } = compare([], [makeStatus({ lists: { gone: '0123' } })])
  at(0)
  t.match(missingText(at(6_000)[0]!), /hot list gone is removed, and still in force on engine e1/)
})

t.test('nothing is reported of engines of older versions, nor while the registry is not followed', async (t) => {
  const old = compare([listOf()], [makeStatus()])
  old.at(0)
  t.same(old.at(60_000), [])
  const lost = compare([listOf()], [makeStatus({ lists: {} })], 'HOTLISTS: no answer')
  lost.at(0)
  t.same(lost.at(60_000), [])
})
