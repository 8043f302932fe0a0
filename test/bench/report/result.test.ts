import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { readResults } from '../../../bench/compare/verdicts.js'
import { Latency } from '../../../bench/report/latency.js'
import { saveResult } from '../../../bench/report/result.js'
import { numberText } from '../../../bench/report/statistics.js'
import { rate } from '../compare/result_of.js'

t.test('a saved result carries machine, versions and plot, and can be read back', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'platestream-report-'))
  const path = await saveResult(
    'x',
    ['--fast'],
    {
      workload: { n: 1 },
      figures: [rate([1, 2])],
      panels: [
        { kind: 'bars', title: 'a < b', unit: 'ms', bars: [{ label: 'one', value: 3, goal: 2 }] },
        new Latency().panel('nothing yet'),
      ],
    },
    { at: new Date(), load: 0 },
    folder,
  )
  const [result] = readResults(folder)
  t.match(result, { benchmark: 'x', command: 'npm run bench -- x --fast', figures: [{ name: 'rate' }] })
  t.ok(result!.machine.cores > 0 && result!.versions.node)
  t.same(readFileSync(`${path}.png`).subarray(1, 4).toString(), 'PNG')
})

t.test('numbers have three significant digits and thousands separators', async (t) => {
  t.same([0, 0.01234, 1.005, 12.34, 123.4, 41_425].map(numberText), ['0', '0.0123', '1.01', '12.3', '123', '41,425'])
})
