import { lower, type Measured } from '../report/result.js'
import type { CaseRow } from './single_cases.js'

export interface CanvassResult {
  reads: number
  cameras: number
  plates: number
  bytesARead: Record<string, number>
  cases: CaseRow[]
  pattern: object
  together: object
  storeMemoryMiB: { now: number; most: number }
}

export function measuredOf({ reads, cameras, plates, bytesARead, cases, storeMemoryMiB }: CanvassResult): Measured {
  return {
    workload: { reads, cameras, plates },
    figures: [
      ...cases.flatMap(({ name, cold, p50, p95, sqlP50, ratio, goalP50, goalP95 }) => [
        lower(`${name}: p50`, p50, 'ms', goalP50),
        lower(`${name}: p95`, p95, 'ms', goalP95),
        lower(`${name}: cold`, cold, 'ms'),
        lower(`${name}: SQL by hand, p50`, sqlP50, 'ms'),
        lower(`${name}: beside it`, ratio, 'times', 1.5),
      ]),
      lower('bytes a read, all tables', bytesARead.all ?? Number.NaN, 'bytes', 45),
      lower('memory of the store at most', storeMemoryMiB.most, 'MiB'),
    ],
    panels: [
      {
        kind: 'bars',
        title: 'questions over HTTP, p50',
        unit: 'ms',
        log: true,
        bars: cases.map(({ name, p50, goalP50 }) => ({ label: name, value: p50, ...(goalP50 && { goal: goalP50 }) })),
      },
      {
        kind: 'bars',
        title: 'bytes per read on disk',
        unit: 'bytes',
        bars: Object.entries(bytesARead).map(([label, value]) => ({ label, value })),
      },
    ],
  }
}
