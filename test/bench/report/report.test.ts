import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { compareResults, readResults } from '../../../bench/compare/verdicts.js'
import { Latency } from '../../../bench/report/latency.js'
import { atPace } from '../../../bench/system/pace.js'
import { drawPanels } from '../../../bench/report/plot.js'
import { number, saveResult, type Figure, type Result } from '../../../bench/report/result.js'

const resultOf = (...figures: Figure[]): Result => ({
  benchmark: 'x',
  command: '',
  startedAt: '2026-01-01T00:00:00Z',
  seconds: 1,
  machine: { cpu: 'c', cores: 2, memoryGb: 4, os: 'o' },
  load: { start: 0, end: 0 },
  versions: {},
  workload: {},
  figures,
})
const rate = (samples: number[]): Figure => ({
  name: 'rate',
  value: samples[0]!,
  unit: '1/s',
  better: 'higher',
  samples,
})

t.test(
  'a clear change is told with its direction, one within the noise is not, one measurement claims nothing',
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

t.test('several results of a side are put together', async (t) => {
  const single = (value: number) => resultOf({ name: 'rate', value, unit: '1/s', better: 'higher' })
  t.match(compareResults([10, 11, 10].map(single), [20, 21, 22].map(single))[0], {
    before: 10,
    after: 21,
    verdict: 'better',
  })
})

t.test('a result is saved with machine, versions and plot, and read back', async (t) => {
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
  writeFileSync(join(folder, 'other.json'), '{}')
  t.throws(() => readResults(folder), { code: 'ALPR_ERR_USAGE' })
  t.throws(() => readResults(join(folder, 'nothing')), { code: 'ALPR_ERR_USAGE' })
})

t.test('a plot has whatever is in it, also values that cannot be drawn', async (t) => {
  for (const log of [true, false])
    t.ok(
      (
        await drawPanels('h', [
          {
            kind: 'bars',
            title: 't',
            unit: 'u',
            log,
            bars: [0, 1, 1e6, NaN, Infinity].map((value) => ({ label: String(value), value })),
          },
          {
            kind: 'lines',
            title: 't',
            x: { label: 'x', log },
            y: { label: 'y', log },
            lines: [
              { name: 'empty', points: [] },
              {
                name: 'some',
                points: [
                  [1, 0],
                  [2, 5],
                ],
              },
            ],
          },
        ])
      ).length > 1_000,
    )
})

t.test('delays count from the intended time, and travel between processes', async (t) => {
  const latency = new Latency()
  for (let i = 1; i <= 1_000; i++) latency.add(i)
  t.ok(Math.abs(latency.at(50) - 500) < 5 && Math.abs(latency.at(99) - 990) < 5 && Math.abs(latency.most - 1_000) < 5)
  const there = new Latency()
  there.addAll(latency.counts)
  t.equal(there.count, latency.count)
  for (const p of [50, 90, 99, 99.9]) t.ok(Math.abs(there.at(p) - latency.at(p)) <= latency.at(p) * 0.02, `p${p}`)
})

t.test('every call of a pace has its own intended time, however late it is made', async (t) => {
  const times: number[] = []
  const start = Date.now() - 500 // half a second behind from the beginning
  const late = await atPace(
    1_000,
    600,
    (_, intended) => {
      times.push(intended)
    },
    start,
  )
  t.same(
    times,
    Array.from({ length: 600 }, (_, i) => start + i),
  )
  t.ok(late >= 499)
})

t.test('numbers are written as people read them', async (t) => {
  t.same([0, 0.01234, 1.005, 12.34, 123.4, 41_425].map(number), ['0', '0.0123', '1.01', '12.3', '123', '41,425'])
})
