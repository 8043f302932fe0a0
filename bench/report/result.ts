import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { machineNow, type Machine, type Versions } from './machine.js'
import { drawPanels, type Panel } from './plot.js'

/** One number that a benchmark gives. Two results are compared by the names of their figures. */
export interface Figure {
  name: string
  value: number
  unit: string
  better: 'higher' | 'lower'
  /** The single measurements that `value` is the median of, when there are several: they tell the noise. */
  samples?: number[]
  /** What the project asks of it, in the same unit. */
  goal?: number
}

/** What a benchmark measured; the frame around it (machine, versions, time) is added by `saveResult`. */
export interface Measured {
  workload: Record<string, unknown>
  figures: Figure[]
  panels: Panel[]
  /** Anything else worth keeping. */
  raw?: unknown
}

export interface Result extends Omit<Measured, 'panels'> {
  benchmark: string
  command: string
  startedAt: string
  seconds: number
  machine: Machine
  /** Load average (1 min) when it began and ended: above the number of cores, others had their share of the machine. */
  load: { start: number; end: number }
  versions: Versions
}

/** Prints the table, writes `<name>-<time>.json` and `.png` into `folder`. @returns the path without its ending */
export async function saveResult(
  name: string,
  args: readonly string[],
  measured: Measured,
  begun: { at: Date; load: number },
  folder = 'bench/results',
): Promise<string> {
  const { machine, versions, load } = await machineNow()
  const { panels, ...rest } = measured
  const result: Result = {
    benchmark: name,
    command: ['npm run bench --', name, ...args].join(' '),
    startedAt: begun.at.toISOString(),
    seconds: Math.round((Date.now() - begun.at.getTime()) / 1_000),
    machine,
    load: { start: begun.load, end: load },
    versions,
    ...rest,
  }
  const path = join(folder, `${name}-${result.startedAt.slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')}`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${path}.json`, `${JSON.stringify(result, null, 2)}\n`)
  writeFileSync(
    `${path}.png`,
    await drawPanels(
      `${name} · ${machine.cores} cores, ${machine.cpu} · load ${begun.load} to ${load} · ${result.startedAt.slice(0, 16)} · ${versions.platestream}`,
      panels,
    ),
  )
  console.log(tableOf(result))
  return path
}

/** A row a figure: value, spread of its samples, goal and whether it is met. */
export function tableOf({ figures, machine, load, versions, workload, command }: Result): string {
  const rows = figures.map(({ name, value, unit, samples, goal, better }) => [
    name,
    number(value),
    unit,
    samples && samples.length > 1
      ? `${number(Math.min(...samples))} .. ${number(Math.max(...samples))} (${samples.length})`
      : '',
    goal === undefined
      ? ''
      : `${better === 'higher' ? '>=' : '<='} ${number(goal)} ${(better === 'higher' ? value >= goal : value <= goal) ? 'met' : 'MISSED'}`,
  ])
  const all = [['figure', 'value', 'unit', 'least .. most (n)', 'goal'], ...rows]
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)))
  const lines = all.map((row) =>
    row
      .map((cell, column) => (column === 1 ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd(),
  )
  return [
    '',
    lines[0],
    widths.map((width) => '-'.repeat(width)).join('  '),
    ...lines.slice(1),
    '',
    `workload  ${Object.entries(workload)
      .map(([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : value}`)
      .join(', ')}`,
    `machine   ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.os}; load ${load.start} at the start, ${load.end} at the end${Math.max(load.start, load.end) > machine.cores * 1.5 ? ' (SHARED: others had part of the machine)' : ''}`,
    `versions  ${Object.entries(versions)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')}`,
    `command   ${command}`,
  ].join('\n')
}

/** Three significant digits, as people read them. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  const digits = Math.abs(value) >= 100 || value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))
  return value.toLocaleString('en-US', { maximumFractionDigits: Math.min(6, digits) })
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
