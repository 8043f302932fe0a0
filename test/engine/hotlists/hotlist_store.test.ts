import t from 'tap'
import { entriesVersion } from '../../../engine/hotlists/hotlist_entries.js'
import {
  listHotLists,
  loadHotListEntries,
  removeHotList,
  saveHotList,
  type HotListHead,
} from '../../../engine/hotlists/hotlist_store.js'
import { startTestNats } from '../../servers/nats.js'

const head = (id: string): HotListHead => ({
  id,
  name: 'Stolen vehicles',
  kind: 'hot',
  priority: 'high',
  source: 'test',
  tolerance: 'tolerant',
  threshold: 0.5,
})

t.test('a saved list loads unchanged, and its record names its content', async (t) => {
  const nats = await startTestNats(t)
  const js = (await nats.connect()).jetstream()
  const entries = Array.from({ length: 20_000 }, (_, i) => ({
    plate: `A${String(i).padStart(6, '0')}`,
    reason: `case ${i} ü`,
  }))
  const record = await saveHotList(js, head('stolen'), [...entries].reverse())
  t.match(record, { id: 'stolen', entries: 20_000, version: entriesVersion(entries) })
  t.same(await loadHotListEntries(js, record), entries)
  t.same(
    (await listHotLists(js)).map((l) => l.record),
    [record],
  )
})

t.test('an update keeps the previous version readable and deletes older ones; removal deletes all', async (t) => {
  const nats = await startTestNats(t)
  const js = (await nats.connect()).jetstream()
  const versions = []
  for (const plate of ['A1', 'B2', 'C3']) versions.push(await saveHotList(js, head('wanted'), [{ plate, reason: 'x' }]))
  await t.rejects(loadHotListEntries(js, versions[0]!), { code: 'ALPR_ERR_HOTLIST_INVALID' })
  t.same(await loadHotListEntries(js, versions[1]!), [{ plate: 'B2', reason: 'x' }])
  t.same(await loadHotListEntries(js, versions[2]!), [{ plate: 'C3', reason: 'x' }])
  await t.rejects(loadHotListEntries(js, { ...versions[2]!, version: versions[1]!.version.replace(/^./, 'z') }), {
    code: 'ALPR_ERR_HOTLIST_INVALID',
  })
  await removeHotList(js, 'wanted')
  t.same(await listHotLists(js), [])
  await t.rejects(loadHotListEntries(js, versions[2]!), { code: 'ALPR_ERR_HOTLIST_INVALID' })
  await t.rejects(removeHotList(js, 'never'), { code: 'ALPR_ERR_HOTLIST_UNKNOWN' })
  t.ok(await saveHotList(js, head('wanted'), []), 'a removed list can be saved again, and a list may be empty')
})

t.test('of two writers with the same revision the second is refused', async (t) => {
  const nats = await startTestNats(t)
  const js = (await nats.connect()).jetstream()
  await saveHotList(js, head('x'), [], 0)
  const revision = (await listHotLists(js))[0]!.revision
  await saveHotList(js, head('x'), [{ plate: 'A1', reason: '' }], revision)
  await t.rejects(saveHotList(js, head('x'), [{ plate: 'B2', reason: '' }], revision), {
    message: /somebody else changed it/,
  })
})
