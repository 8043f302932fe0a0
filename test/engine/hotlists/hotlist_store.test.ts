import fc from 'fast-check'
import t from 'tap'
import type { HotListEntry } from '../../../engine/hotlists/hotlist.js'
import {
  listedPlate,
  listHotLists,
  loadHotListEntries,
  mergeEntries,
  removeHotList,
  saveHotList,
  versionOf,
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

t.test('what was saved is loaded, and the record names its content', async (t) => {
  const nats = await startTestNats(t)
  const js = (await nats.connect()).jetstream()
  const entries = Array.from({ length: 20_000 }, (_, i) => ({
    plate: `A${String(i).padStart(6, '0')}`,
    reason: `case ${i} ü`,
  }))
  const record = await saveHotList(js, head('stolen'), [...entries].reverse())
  t.match(record, { id: 'stolen', entries: 20_000, version: versionOf(entries) })
  t.same(await loadHotListEntries(js, record), entries)
  t.same(
    (await listHotLists(js)).map((l) => l.record),
    [record],
  )
})

t.test('an update keeps the version before readable and drops older ones; removal takes all', async (t) => {
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
  t.ok(await saveHotList(js, head('wanted'), []), 'a removed list can be made again, and an empty one is a list')
})

t.test('two writers: the second is told', async (t) => {
  const nats = await startTestNats(t)
  const js = (await nats.connect()).jetstream()
  await saveHotList(js, head('x'), [], 0)
  const revision = (await listHotLists(js))[0]!.revision
  await saveHotList(js, head('x'), [{ plate: 'A1', reason: '' }], revision)
  await t.rejects(saveHotList(js, head('x'), [{ plate: 'B2', reason: '' }], revision), {
    message: /somebody else changed it/,
  })
})

t.test('merging: order does not matter, times that touch become one, all else stays', async (t) => {
  t.same(
    mergeEntries([
      { plate: 'A1', reason: 'b' },
      { plate: 'A1', reason: 'a' },
    ]),
    [{ plate: 'A1', reason: 'a; b', region: undefined, from: undefined, until: undefined }],
  )
  t.equal(
    mergeEntries([
      { plate: 'A1', reason: 'a', from: 0, until: 10 },
      { plate: 'A1', reason: 'a', from: 20, until: 30 },
    ]).length,
    2,
  )
  const entry = fc.record({
    plate: fc.constantFrom('A1', 'B2', 'C3'),
    reason: fc.constantFrom('x', 'y'),
    from: fc.option(fc.integer({ min: 0, max: 20 }), { nil: undefined }),
    until: fc.option(fc.integer({ min: 21, max: 40 }), { nil: undefined }),
  })
  const inForce = (entries: readonly HotListEntry[], plate: string, time: number) =>
    entries.filter((e) => e.plate === plate && time >= (e.from ?? -Infinity) && time < (e.until ?? Infinity)).length
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 12 }), fc.nat(1000), (entries, seed) => {
      const merged = mergeEntries(entries)
      const shuffled = [...entries].sort(
        (a, b) => ((JSON.stringify(a).length * seed) % 7) - ((JSON.stringify(b).length * seed) % 7),
      )
      if (versionOf(mergeEntries(shuffled)) !== versionOf(merged)) return false
      for (const plate of ['A1', 'B2', 'C3']) {
        for (let time = 0; time <= 41; time++) {
          const count = inForce(merged, plate, time)
          if (count > 1 || (count === 1) !== inForce(entries, plate, time) > 0) return false
        }
      }
      return true
    }),
  )
})

t.test('plates of a list: separators and accents go, patterns and other scripts are refused', async (t) => {
  for (const [text, plate] of [
    ['7abc 123', '7ABC123'],
    ['BÖ-AB 12', 'BOAB12'],
    [' rj·4o5 ', 'RJ4O5'],
    ['КА123', 'KA123'],
    ['ＡＢＣ１２３', 'ABC123'],
  ])
    t.same(listedPlate(text!), { plate })
  for (const text of ['', ' - ', 'ABC?23', '7A*', '[8B]AC', 'ЖЩ123', 'ABCDEFGHIJKLM'])
    t.ok('reason' in listedPlate(text), text)
})
