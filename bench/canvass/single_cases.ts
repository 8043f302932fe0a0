import { xorshift } from '../random/xorshift.js'
import { quantile, tenths } from '../report/statistics.js'
import { TablePrinter } from '../report/table.js'
import { CASES, type Case } from './cases.js'
import type { Asking } from './questions.js'
import type { Year } from './year.js'

/** Times in milliseconds. */
export interface CaseRow {
  name: string
  cold: number
  p50: number
  p95: number
  sqlP50: number
  sqlP95: number
  /** Our p50 as a multiple of the SQL's. */
  ratio: number
  goalP50?: number
  goalP95?: number
}

/** Asks each case alone, in turn with the SQL by hand, and prints a row per case. */
export async function measureSingleCases(
  year: Year,
  plates: readonly string[],
  rounds: number,
  asking: Asking,
): Promise<CaseRow[]> {
  const numbers = ['cold', 'p50', 'p95', 'SQL p50', 'SQL p95', 'ratio', 'goal p50/p95']
  const table = new TablePrinter([
    { title: 'case, ms', width: 34, align: 'left' },
    ...numbers.map((title) => ({ title, width: Math.max(8, title.length) })),
  ]).header()
  const rows: CaseRow[] = []
  for (const one of CASES) {
    const row = await measureCase(one, year, plates, rounds, asking)
    rows.push(row)
    const { name, cold, p50, p95, sqlP50, sqlP95, ratio } = row
    table.row(name, cold, p50, p95, sqlP50, sqlP95, ratio, one.p50 ? `${one.p50}/${one.p95}` : '-')
  }
  return rows
}

async function measureCase(
  { name, p50, p95, make }: Case,
  year: Year,
  plates: readonly string[],
  rounds: number,
  { ask, askBySql }: Asking,
): Promise<CaseRow> {
  const random = xorshift(99)
  const ours: number[] = []
  const sql: number[] = []
  const cold = await ask(make(random, year, plates))
  for (let round = 0; round < rounds; round++) {
    const question = make(random, year, plates)
    // The order alternates, because the second of the two finds the blocks in memory.
    if (round % 2 === 0) {
      ours.push(await ask(question))
      sql.push(await askBySql(question))
    } else {
      sql.push(await askBySql(question))
      ours.push(await ask(question))
    }
  }
  return {
    name,
    cold: tenths(cold),
    p50: tenths(quantile(ours, 0.5)),
    p95: tenths(quantile(ours, 0.95)),
    sqlP50: tenths(quantile(sql, 0.5)),
    sqlP95: tenths(quantile(sql, 0.95)),
    ratio: tenths(quantile(ours, 0.5) / quantile(sql, 0.5)),
    ...(p50 > 0 && { goalP50: p50, goalP95: p95 }),
  }
}
