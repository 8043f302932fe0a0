import t from 'tap'
import type { NatsConnection } from 'nats'
import { deleteObject, ObjectUpload } from '../../../engine/hotlists/entry_objects.js'
import { MAX_HOT_LISTS, type HotListEntry } from '../../../engine/hotlists/hotlist.js'
import {
  changeHotList,
  readListContent,
  removeHotList,
  saveHotList,
  type HotListHead,
} from '../../../engine/hotlists/hotlist_store.js'
import { ListsInForce } from '../../../engine/hotlists/lists_in_force.js'
import { saveStandingPartial } from '../../../engine/hotlists/standing_partial_store.js'
import { BUCKET } from '../../../engine/nats/topology.js'
import { Metrics } from '../../../engine/runtime/metrics.js'
import { loadMatcher } from '../../../wasm/load_node.js'
import { startTestNats, type Teardown } from '../../servers/nats.js'
import { until } from '../../until.js'
import { Random } from '../../wasm/random.js'
import { readOf } from '../../wasm/reads.js'

const matcher = await loadMatcher()
const NOW = Date.now()
/** Later than any import of a test, and long before the end of a plate's time. */
const LATER = NOW + 3_600_000

const head = (id: string, change: Partial<HotListHead> = {}): HotListHead => ({
  id,
  name: id,
  kind: 'hot',
  priority: 'high',
  source: 'test',
  tolerance: 'tolerant',
  threshold: 0.5,
  ...change,
})
const entry = (plate: string): HotListEntry => ({ plate, reason: 'stolen' })

async function follow(t: Teardown, connection: NatsConnection, startMs = 15_000) {
  const metrics = new Metrics()
  const lists = new ListsInForce(matcher, metrics, { warn: () => {}, info: () => {} }, startMs)
  t.teardown(() => lists.stop())
  await lists.follow(connection)
  const found = (plate: string, arrivedAt = LATER) =>
    lists
      .check({ positions: readOf(new Random(1), plate), plate, ts: NOW, region: '' }, arrivedAt)
      .map(({ list, entry: { plate: listed } }) => `${list.id} ${listed}`)
  return { lists, metrics, found }
}

t.test('a list whose content cannot be read at the start is tried again until it is in force', async (t) => {
  const nats = await startTestNats(t)
  const connection = await nats.connect()
  const js = connection.jetstream()
  const record = await saveHotList(js, head('stolen'), [entry('7ABC123')])
  await saveHotList(js, head('other'), [entry('8XYZ999')])
  const content = await readListContent(js, record)
  await deleteObject(js, `stolen.${record.version}`)
  const { lists, found, metrics } = await follow(t, connection, 300)
  t.same(found('7ABC123'), [])
  t.same(found('8XYZ999'), ['other 8XYZ999'], 'lists do not wait for each other')
  t.match(lists.waiting, { 'hot list stolen': /content of version .* is missing/ })
  t.ok(metrics.counters.hot_list_failures_total! >= 1)

  const upload = new ObjectUpload(js)
  await upload.write(content)
  await upload.end()
  await upload.commit(`stolen.${record.version}`)
  await until(() => found('7ABC123').length === 1)
  t.same(lists.waiting, {})
})

t.test('content that loses its pieces during a load is an error, and a new import of the file heals it', async (t) => {
  const nats = await startTestNats(t)
  const connection = await nats.connect()
  const js = connection.jetstream()
  const entries = Array.from({ length: 20_000 }, (_, i) => entry(`A${i}`))
  await saveHotList(js, head('long'), entries)
  await (await connection.jetstreamManager()).streams.purge('OBJ_HOTLIST_FILES', {
    filter: '$O.HOTLIST_FILES.C.>',
    keep: 2,
  })
  const { lists, found } = await follow(t, connection, 300)
  t.match(lists.waiting, { 'hot list long': /cannot be read: only \d+ of \d+ bytes are stored/ })
  await saveHotList(js, head('next'), [entry('8XYZ999')])
  await until(() => found('8XYZ999').length === 1)
  await saveHotList(js, head('long'), entries)
  await until(() => found('A77').includes('long A77'))
  t.same(lists.waiting, {})
})

t.test('a record that is no JSON is reported; what was in force stays so until the next record', async (t) => {
  const nats = await startTestNats(t)
  const connection = await nats.connect()
  const js = connection.jetstream()
  await saveHotList(js, head('stolen'), [entry('7ABC123')])
  const { lists, found } = await follow(t, connection)
  const kv = await js.views.kv(BUCKET.hotlists, { bindOnly: true })
  await kv.put('stolen', 'no JSON {')
  await kv.put('other', JSON.stringify({ id: 'other' }))
  await until(() => Object.keys(lists.waiting).length === 2)
  t.match(lists.waiting, { 'hot list stolen': /its record is not JSON/, 'hot list other': /hot list other/ })
  t.same(found('7ABC123'), ['stolen 7ABC123'])
  await saveHotList(js, head('stolen'), [entry('8XYZ999')])
  await kv.delete('other')
  await until(() => Object.keys(lists.waiting).length === 0 && found('8XYZ999').length === 1)
})

t.test('a list applies to what arrives after its import, also after a restart', async (t) => {
  const nats = await startTestNats(t)
  const connection = await nats.connect()
  const js = connection.jetstream()
  const kv = await js.views.kv(BUCKET.hotlists, { bindOnly: true })
  const storedAt = async () => (await kv.get('stolen'))!.created.getTime()
  const running = await follow(t, connection)
  await saveHotList(js, head('stolen'), [entry('7ABC123')])
  const first = await storedAt()
  await until(() => running.found('7ABC123').length === 1)
  await saveHotList(js, head('stolen'), [entry('7ABC123'), entry('8XYZ999')])
  const second = await storedAt()
  await until(() => running.found('8XYZ999').length === 1)
  await changeHotList(js, 'stolen', { tolerance: 'exact' })
  const third = await storedAt()
  await until(() => running.lists.records[0]!.tolerance === 'exact')
  const restarted = await follow(t, connection)
  await until(() => restarted.lists.records.length === 1)

  const results = ({ found, lists }: typeof running) =>
    [first - 1, first, second, second + 999, second + 1_001, third + 999, third + 1_001].map((at) => [
      found('7ABC123', at).length,
      found('8XYZ999', at).length,
      lists.versionAt(at),
    ])
  const [before, ...after] = results(running)
  t.same(before!.slice(0, 2), [0, 0], 'nothing applies to what arrived before the first import')
  t.same(
    after.map((row) => row.slice(0, 2)),
    [
      [1, 0],
      [1, 0],
      [1, 0],
      [1, 1],
      [1, 1],
      [1, 1],
    ],
    'a version that replaces another applies a second after it was stored',
  )
  await until(() => restarted.found('8XYZ999', first).length === 0)
  t.same(results(restarted), results(running), 'an engine that starts now decides the same')
  await removeHotList(js, 'stolen')
  await until(() => running.found('7ABC123').length === 0)
  await saveHotList(js, head('stolen'), [entry('7ABC123')])
  const again = await follow(t, connection)
  const fourth = await storedAt()
  await until(() => again.found('7ABC123', fourth).length === 1 && running.found('7ABC123', fourth).length === 1)
  t.same([again.found('7ABC123', fourth - 1), running.found('7ABC123', fourth - 1)], [[], []], 'a removed list is new')
})

t.test('the version that reads name covers the whole rule, standing partials too', async (t) => {
  const nats = await startTestNats(t)
  const connection = await nats.connect()
  const js = connection.jetstream()
  const { lists } = await follow(t, connection)
  const seen = new Set([lists.versionAt(LATER)])
  const changes: [string, () => Promise<unknown>][] = [
    ['a new list', () => saveHotList(js, head('stolen'), [entry('7ABC123')])],
    ['the threshold', () => changeHotList(js, 'stolen', { threshold: 0.7 })],
    ['the tolerance', () => changeHotList(js, 'stolen', { tolerance: 'exact' })],
    ['the entries', () => saveHotList(js, head('stolen'), [{ plate: '7ABC123', reason: 'stolen', until: LATER }])],
    ['a partial', () => saveStandingPartial(js, partial(0.2))],
    ['its threshold', () => saveStandingPartial(js, partial(0.3))],
  ]
  for (const [what, change] of changes) {
    await change()
    await until(() => !seen.has(lists.versionAt(LATER)))
    t.pass(what)
    seen.add(lists.versionAt(LATER))
  }
  const before = lists.versionAt(LATER)
  await changeHotList(js, 'stolen', { name: 'Another name' })
  await until(() => lists.records[0]!.name === 'Another name')
  t.equal(lists.versionAt(LATER), before, 'a name decides no match')
})

const partial = (threshold: number) => ({
  id: 'p1',
  pattern: '9AB*',
  reason: 'shooting',
  caseNumber: '1',
  enteredBy: 'x',
  enteredAt: NOW,
  from: NOW,
  until: NOW + 86_400_000,
  priority: 'high' as const,
  threshold,
})

t.test(
  'more lists than the limit are refused at the import, and reported when they are stored all the same',
  async (t) => {
    const nats = await startTestNats(t)
    const connection = await nats.connect()
    const js = connection.jetstream()
    const kv = await js.views.kv(BUCKET.hotlists, { bindOnly: true })
    const record = await saveHotList(js, head('a'), [])
    for (let i = 0; i < MAX_HOT_LISTS; i++) await kv.put(`n${i}`, JSON.stringify({ ...record, id: `n${i}` }))
    await t.rejects(saveHotList(js, head('one-more'), []), { code: 'ALPR_ERR_HOTLIST_INVALID', message: /256 lists/ })
    await t.resolves(saveHotList(js, head('a'), [entry('7ABC123')]), 'a list that exists can be imported')
    const { lists, metrics } = await follow(t, connection, 0)
    t.match(lists.waiting, { 'hot list limit': '1 lists beyond the first 256 are not in force' })
    t.equal(metrics.counters.bound_hot_lists_total, 1)
    await kv.delete('n0')
    await until(() => lists.waiting['hot list limit'] === undefined)
  },
)
