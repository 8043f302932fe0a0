import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isShared, machineNow, type Machine, type Versions } from './machine.js'
import { drawPanels, type Panel } from './plot.js'
import { numberText } from './statistics.js'
import { alignedLines } from './table.js'

/** One number that a benchmark measures. */
export interface Figure {
  /** The key by which two results are compared: renaming it makes older results incomparable. */
  name: string
  value: number
  unit: string
  better: 'higher' | 'lower'
  /** The single measurements behind `value`, when there are several: they show the noise. */
  samples?: number[]
  /** What the project asks of it, in the same unit. */
  goal?: number
}

export const lower = (name: string, value: number, unit: string, goal?: number): Figure => ({
  name,
  value,
  unit,
  better: 'lower',
  ...(goal !== undefined && { goal }),
})
export const higher = (name: string, value: number, unit: string, goal?: number): Figure => ({
  ...lower(name, value, unit, goal),
  better: 'higher',
})

/** What a benchmark measured. `saveResult` adds machine, versions and time. */
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
  /** Load average (1 min) at start and end. Above the number of cores, other work had its share of the machine. */
  load: { start: number; end: number }
  versions: Versions
}

/** Prints the table, writes `<name>-<time>.json` and `.png` into `folder`. @returns the path without its extension */
export async function saveResult(
  name: string,
  args: readonly string[],
  measured: Measured,
  started: { at: Date; load: number },
  folder = 'bench/results',
): Promise<string> {
  const { machine, versions, load } = await machineNow()
  const { panels, ...rest } = measured
  const result: Result = {
    benchmark: name,
    command: ['npm run bench --', name, ...args].join(' '),
    startedAt: started.at.toISOString(),
    seconds: Math.round((Date.now() - started.at.getTime()) / 1_000),
    machine,
    load: { start: started.load, end: load },
    versions,
    ...rest,
  }
  const time = result.startedAt.slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')
  const path = join(folder, `${name}-${time}`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${path}.json`, `${JSON.stringify(result, null, 2)}\n`)
  writeFileSync(`${path}.png`, await drawPanels(headingOf(result), panels))
  console.log(tableOf(result))
  return path
}

const headingOf = ({ benchmark, machine, load, startedAt, versions }: Result): string =>
  [
    benchmark,
    `${machine.cores} cores, ${machine.cpu}`,
    `load ${load.start} to ${load.end}`,
    startedAt.slice(0, 16),
    versions.platestream,
  ].join(' · ')

/** A row per figure: value, spread of its samples, goal and whether it is met; below it the circumstances. */
export function tableOf(result: Result): string {
  const { machine, load } = result
  const [header, ...rows] = alignedLines(
    [['figure', 'value', 'unit', 'least .. most (n)', 'goal'], ...result.figures.map(rowOf)],
    [1],
  )
  const list = (entries: Record<string, unknown>) =>
    Object.entries(entries)
      .map(([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : value}`)
      .join(', ')
  const shared = isShared(result) ? ' (SHARED: other work had part of the machine)' : ''
  return [
    '',
    header,
    '-'.repeat(Math.max(header!.length, ...rows.map((row) => row.length))),
    ...rows,
    '',
    `workload  ${list(result.workload)}`,
    `machine   ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.os}`,
    `load      ${load.start} at the start, ${load.end} at the end${shared}`,
    `versions  ${list(result.versions)}`,
    `command   ${result.command}`,
  ].join('\n')
}

function rowOf({ name, value, unit, samples = [], goal, better }: Figure): string[] {
  const spread =
    samples.length > 1
      ? `${numberText(Math.min(...samples))} .. ${numberText(Math.max(...samples))} (${samples.length})`
      : ''
  if (goal === undefined) return [name, numberText(value), unit, spread, '']
  const met = better === 'higher' ? value >= goal : value <= goal
  const wanted = `${better === 'higher' ? '>=' : '<='} ${numberText(goal)}`
  return [name, numberText(value), unit, spread, `${wanted} ${met ? 'met' : 'MISSED'}`]
}
