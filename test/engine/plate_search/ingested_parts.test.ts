import fc from 'fast-check'
import t from 'tap'
import { IngestedParts } from '../../../engine/plate_search/ingested_parts.js'

const covers = (seen: IngestedParts, low: number, high: number) =>
  seen.lows.some((from, i) => from <= low && seen.highs[i]! >= high)

t.test('a part is known when every block of its range was in parts that were read, and only then', async (t) => {
  const range = fc.tuple(fc.nat(60), fc.nat(8)).map(([low, more]) => [low, low + more] as const)
  fc.assert(
    fc.property(fc.array(range, { maxLength: 20 }), range, (read, [low, high]) => {
      const seen = new IngestedParts()
      const blocks = new Set<number>()
      for (const [from, to] of read) {
        seen.add(`all_${from}_${to}_1`)
        for (let block = from; block <= to; block++) blocks.add(block)
      }
      const all = Array.from({ length: high - low + 1 }, (_, i) => low + i).every((block) => blocks.has(block))
      return covers(seen, low, high) === all
    }),
  )
  t.pass()
})

t.test(
  'ranges that meet are one; mutated parts have the same blocks; what is no part of the table is nothing',
  async (t) => {
    const seen = new IngestedParts()
    for (const part of ['all_1_1_0', 'all_3_3_0', 'all_2_2_0', 'all_9_12_2_15', '202611_4_4_0', 'all_x_1_1', ''])
      seen.add(part)
    t.same(
      [seen.lows, seen.highs],
      [
        [1, 9],
        [3, 12],
      ],
    )
  },
)

t.test('another table begins anew, the same one goes on; the number of ranges is bounded', async (t) => {
  const seen = new IngestedParts()
  t.equal(seen.of('a'), true)
  seen.add('all_1_5_1')
  t.equal(seen.of('a'), false)
  t.same(seen.highs, [5])
  t.equal(seen.of('b'), true)
  t.same(seen.highs, [])
  for (let block = 0; block < 5_000; block += 2) seen.add(`all_${block}_${block}_0`)
  t.equal(seen.lows.length, 1_000)
  t.equal(seen.highs.at(-1), 4_998, 'the latest stay')
})
