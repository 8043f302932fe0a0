import fc from 'fast-check'
import t from 'tap'
import { pack, unpack } from '../../../engine/partition/packed.js'
import { MemberTimes } from '../../../engine/passes/member_times.js'

const T0 = Date.UTC(2026, 0, 5, 12)

t.test('no detection of a pass is taken for a new one, and the others of the last seconds are new', async (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -40_000, max: 40_000 }), { minLength: 1, maxLength: 150 }),
      fc.boolean(),
      (offsets, restart) => {
        let from = T0 + offsets[0]!
        let newest = from
        let times = MemberTimes.of(from)
        for (const offset of offsets) {
          const at = T0 + offset
          // As a pass does: what it may have is not added.
          if (times.mayHave(at, from)) continue
          times.add(at, from)
          from = Math.min(from, at)
          newest = Math.max(newest, at)
          if (restart) times = MemberTimes.fromJSON(newest, unpack(pack(times)) as Uint8Array)
        }
        return offsets.every((offset) => times.mayHave(T0 + offset, from))
      },
    ),
  )
  const times = MemberTimes.of(T0)
  for (let ms = 200; ms <= 10_000; ms += 200) times.add(T0 + ms, T0)
  for (let ms = 0; ms <= 10_000; ms += 200) {
    t.ok(times.mayHave(T0 + ms, T0))
    t.notOk(times.mayHave(T0 + ms + 100, T0))
  }
  t.ok(times.toJSON().length <= 2 * 64)
})

t.test('of an older detection it is not known whether it is new', async (t) => {
  const times = MemberTimes.of(T0)
  for (let ms = 100; ms <= 20_000; ms += 100) times.add(T0 + ms, T0)
  t.ok(times.mayHave(T0 + 5_050, T0), 'older than 64 others')
  t.notOk(times.mayHave(T0 + 19_950, T0))
  t.notOk(times.mayHave(T0 - 1, T0), 'before the first')
  times.add(T0 - 500, T0)
  t.ok(times.mayHave(T0 + 5_050, T0 - 500), 'a new first one says nothing about those between')
  const slow = MemberTimes.of(T0)
  slow.add(T0 + 60_000, T0)
  t.ok(slow.mayHave(T0 + 30_000, T0), 'half a minute')
  t.ok(MemberTimes.fromJSON(T0).mayHave(T0 - 10, T0 - 20), 'the state of an older release has none')
})
