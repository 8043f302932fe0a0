import fc from 'fast-check'
import t from 'tap'
import { pack, unpack } from '../../../engine/partition/packed.js'
import { RecentPasses } from '../../../engine/passes/recent_passes.js'

const T0 = Date.UTC(2026, 0, 5, 12)

t.test('a text is known from the first to the last detection of its pass', async (t) => {
  const passes = RecentPasses.empty()
  passes.add(T0, T0 + 2_000, ['7ABC123', '7A8C123'])
  t.ok(passes.has(T0, '7ABC123'))
  t.ok(passes.has(T0 + 2_000, '7A8C123'))
  t.notOk(passes.has(T0 - 1, '7ABC123'))
  t.notOk(passes.has(T0 + 2_001, '7ABC123'))
  t.notOk(passes.has(T0 + 1_000, '8XYZ777'))
})

t.test('the last 32 passes are known, also over a checkpoint, in any order of time, in about 10 bytes', async (t) => {
  const pass = fc.record({
    from: fc.integer({ min: T0 - 86_400_000, max: T0 + 60_000 }),
    ms: fc.oneof(fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: 0, max: 86_400_000 })),
    texts: fc.array(fc.stringMatching(/^[0-9A-Z]{5,7}$/), { minLength: 0, maxLength: 8 }),
  })
  fc.assert(
    fc.property(fc.array(pass, { maxLength: 60 }), (added) => {
      let passes = RecentPasses.empty()
      for (const { from, ms, texts } of added) {
        passes.add(from, from + ms, texts)
        passes = RecentPasses.fromJSON(unpack(pack(passes)) as Uint8Array)
      }
      return added.slice(-32).every(({ from, ms, texts }) => texts.every((text) => passes.has(from + ms, text)))
    }),
  )
  const usual = RecentPasses.empty()
  for (let n = 0; n < 100; n++) usual.add(T0 + n * 20_000, T0 + n * 20_000 + 2_500, [`7ABC${100 + n}`])
  const { length } = usual.toJSON()
  t.ok(length < 32 * 10, `${length} bytes`)
  t.notOk(usual.has(T0, '7ABC100'), 'older ones are forgotten')
  t.notOk(RecentPasses.fromJSON(undefined).has(T0, ''), 'the state of an older release has none')
})
