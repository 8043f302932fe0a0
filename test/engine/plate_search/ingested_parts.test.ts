import fc from 'fast-check'
import t from 'tap'
import { IngestedParts } from '../../../engine/plate_search/ingested_parts.js'

const covers = (parts: IngestedParts, low: number, high: number) =>
  parts.lows.some((from, i) => from <= low && parts.highs[i]! >= high)

t.test('a part is ingested exactly when every block of its range was in ingested parts', async (t) => {
  const range = fc.tuple(fc.nat(60), fc.nat(8)).map(([low, more]) => [low, low + more] as const)
  fc.assert(
    fc.property(fc.array(range, { maxLength: 20 }), range, (read, [low, high]) => {
      const parts = new IngestedParts()
      const blocks = new Set<number>()
      for (const [from, to] of read) {
        parts.add(`all_${from}_${to}_1`)
        for (let block = from; block <= to; block++) blocks.add(block)
      }
      const all = Array.from({ length: high - low + 1 }, (_, i) => low + i).every((block) => blocks.has(block))
      return covers(parts, low, high) === all
    }),
  )
  t.pass()
})

t.test('adjacent ranges are joined; mutated parts have the same blocks; other names are ignored', async (t) => {
  const parts = new IngestedParts()
  for (const part of ['all_1_1_0', 'all_3_3_0', 'all_2_2_0', 'all_9_12_2_15', '202611_4_4_0', 'all_x_1_1', ''])
    parts.add(part)
  t.same(
    [parts.lows, parts.highs],
    [
      [1, 9],
      [3, 12],
    ],
  )
})

t.test('another table starts empty, the same table continues; the number of ranges is bounded', async (t) => {
  const parts = new IngestedParts()
  t.equal(parts.follow('a'), true)
  parts.add('all_1_5_1')
  t.equal(parts.follow('a'), false)
  t.same(parts.highs, [5])
  t.equal(parts.follow('b'), true)
  t.same(parts.highs, [])
  for (let block = 0; block < 5_000; block += 2) parts.add(`all_${block}_${block}_0`)
  t.equal(parts.lows.length, 1_000)
  t.equal(parts.highs.at(-1), 4_998, 'the latest ranges are kept')
})
