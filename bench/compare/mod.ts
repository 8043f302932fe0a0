import { AlprError } from '../../engine/runtime/mod.js'
import { defineBenchmark } from '../benchmark.js'
import { isShared } from '../report/machine.js'
import type { Result } from '../report/result.js'
import { numberText } from '../report/statistics.js'
import { TablePrinter } from '../report/table.js'
import { compareResults, readResults } from './verdicts.js'

export const benchmark = defineBenchmark({
  question: 'Is the second of two results of the same benchmark better or worse than the first?',
  method: `Each side is a result (bench/results/*.json) or a folder of several, whose samples are pooled. A difference
    counts when the 95 % interval of the ratio of the medians (bootstrap, fixed seed) excludes 1; of a figure that was
    measured once, only the ratio is printed.`,
  options: {},
  operands: ['before', 'after'],
  goals: [],
  async run(_values, [before, after]) {
    printComparison(readResults(before!), readResults(after!))
  },
})

function printComparison(before: readonly Result[], after: readonly Result[]): void {
  const names = new Set([...before, ...after].map(({ benchmark }) => benchmark))
  if (names.size > 1)
    throw new AlprError('ALPR_ERR_USAGE', {
      reason: `the results are of different benchmarks: ${[...names].join(', ')}`,
    })
  const [from, to] = [before[0]!, after[0]!]
  console.log(`${from.benchmark}: ${from.versions.platestream} -> ${to.versions.platestream}`)
  for (const caution of cautionsOf(before, after)) console.log(`CAUTION: ${caution}`)
  const table = new TablePrinter([
    { title: 'figure', width: 44, align: 'left' },
    { title: 'before', width: 10 },
    { title: 'after', width: 10 },
    { title: 'unit', width: 9, align: 'left' },
    { title: 'ratio', width: 7 },
    { title: '95 % interval', width: 16 },
    { title: 'verdict', width: 0, align: 'left' },
  ]).header()
  for (const row of compareResults(before, after)) {
    const interval = row.noise ? `[${row.noise.map((bound) => bound.toFixed(3)).join(', ')}]` : ''
    const values = [numberText(row.before), numberText(row.after)]
    table.row(row.name, ...values, row.unit, row.ratio.toFixed(3), interval, row.verdict)
  }
}

/** Circumstances that make a comparison doubtful. */
function cautionsOf(before: readonly Result[], after: readonly Result[]): string[] {
  const [from, to] = [before[0]!, after[0]!]
  const cautions: string[] = []
  if (from.machine.cpu !== to.machine.cpu) cautions.push('different machines')
  if (JSON.stringify(from.workload) !== JSON.stringify(to.workload)) cautions.push('different workloads')
  if ([...before, ...after].some(isShared)) cautions.push('other work had part of the machine')
  return cautions
}
