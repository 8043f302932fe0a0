import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { compareResults, readResults } from '../../../bench/compare/verdicts.js'
import type { Figure } from '../../../bench/report/result.js'
import { rate, resultOf } from './result_of.js'

t.test(
  'a clear change has a direction, a change within the noise has none, and one measurement proves nothing',
  async (t) => {
    const before = [100, 101, 99, 102, 98, 100, 101]
    const verdictOf = (after: number[]) => compareResults([resultOf(rate(before))], [resultOf(rate(after))])[0]!
    t.match(verdictOf(before.map((v) => v * 1.2)), { verdict: 'better' })
    t.match(verdictOf(before.map((v) => v * 0.8)), { verdict: 'worse' })
    t.match(verdictOf([101, 100, 99, 98, 103, 100, 101]), { verdict: 'no difference shown' })
    t.match(verdictOf([150]), { verdict: 'measured once', ratio: 1.5 })
    const latency = (value: number): Figure => ({
      name: 'p99',
      value,
      unit: 'ms',
      better: 'lower',
      samples: [value, value * 1.01, value * 0.99],
    })
    t.match(compareResults([resultOf(latency(10))], [resultOf(latency(20))])[0], { verdict: 'worse' })
  },
)

t.test('the results of a side are pooled', async (t) => {
  const single = (value: number) => resultOf({ name: 'rate', value, unit: '1/s', better: 'higher' })
  t.match(compareResults([10, 11, 10].map(single), [20, 21, 22].map(single))[0], {
    before: 10,
    after: 21,
    verdict: 'better',
  })
})

t.test('a file that is not a result is refused', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'platestream-compare-'))
  writeFileSync(join(folder, 'other.json'), '{}')
  t.throws(() => readResults(folder), { code: 'ALPR_ERR_USAGE' })
  t.throws(() => readResults(join(folder, 'missing')), { code: 'ALPR_ERR_USAGE' })
})
