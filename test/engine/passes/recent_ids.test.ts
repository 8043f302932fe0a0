import t from 'tap'
import fc from 'fast-check'
import { RecentIds } from '../../../engine/passes/recent_ids.js'

const T0 = Date.UTC(2026, 0, 5, 12)

t.test('a message counts once, even over a checkpoint; one without an id always counts', async (t) => {
  const ids = RecentIds.empty()
  t.ok(ids.add('main-st.17', T0))
  t.notOk(ids.add('main-st.17', T0 + 5_000))
  const after = RecentIds.fromJSON(JSON.parse(JSON.stringify(ids)) as string)
  t.notOk(after.add('main-st.17', T0 + 10_000), 'after a restart too')
  t.ok(after.add(undefined, T0) && after.add(undefined, T0))
  t.ok(RecentIds.fromJSON(undefined).add('main-st.17', T0), 'the state of an older version has none')
})

t.test('a camera that restarts its numbering a minute later is accepted', async (t) => {
  const ids = RecentIds.empty()
  for (let n = 0; n < 20; n++) ids.add(String(n), T0 + n * 100)
  for (let n = 0; n < 20; n++) t.ok(ids.add(String(n), T0 + 63_000 + n * 100), `number ${n}`)
})

t.test('it agrees with a full list of the last minute, and is bounded', async (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 20_000 })), { maxLength: 120 }),
      (messages) => {
        let ids = RecentIds.empty()
        const last = new Map<number, number>()
        let at = T0
        for (const [id, pause] of messages) {
          at += Math.round(pause / 1_000) * 1_000
          const known = at - (last.get(id) ?? -Infinity) <= 60_000
          if (ids.add(String(id), at) === known) return false
          if (!known) last.set(id, at)
          ids = RecentIds.fromJSON(ids.toJSON())
        }
        return true
      },
    ),
  )
  const many = RecentIds.empty()
  for (let n = 0; n < 10_000; n++) many.add(String(n), T0 + n)
  t.ok(many.toJSON().length <= 128 * 14, `${many.toJSON().length} characters`)
  t.notOk(many.add('9999', T0 + 10_000))
  t.notOk(many.add('9900', T0 + 10_000))
})
