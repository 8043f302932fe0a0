import { readdirSync, readFileSync } from 'node:fs'
import type { Figure } from '../report/result.js'

export interface Usage {
  /** CPU used so far, seconds. */
  cpu: number
  /** Resident memory now and at most, MiB. */
  memory: number
  mostMemory: number
  /** Files and sockets open now. */
  files: number
}

/** Clock ticks a second in /proc/<pid>/stat: 100 on every Linux that Node runs on. */
const TICKS = 100

/**
 * CPU and memory of every process below `root`, by the part of the product that it is: nats-server, store, engine,
 * gateway, other.
 */
export function usageBelow(root: number): Record<string, Usage> {
  const sums: Record<string, Usage> = {}
  for (const { part, ...used } of processesBelow(root)) {
    const sum = (sums[part] ??= { cpu: 0, memory: 0, mostMemory: 0, files: 0 })
    for (const key of ['cpu', 'memory', 'mostMemory', 'files'] as const) sum[key] += used[key]
  }
  return sums
}

/** Every process below `root`, and which part of the product it is. */
export function processesBelow(root: number): (Usage & { part: string; pid: number })[] {
  const parents = new Map<number, number>()
  const found: (Usage & { part: string; pid: number })[] = []
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid)) continue
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      parents.set(pid, Number(fields[1]))
      const status = readFileSync(`/proc/${pid}/status`, 'utf8')
      const mib = (field: string) =>
        Math.round(Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1_024)
      found.push({
        pid,
        part: partOf(readFileSync(`/proc/${pid}/cmdline`, 'utf8')),
        cpu: (Number(fields[11]) + Number(fields[12])) / TICKS,
        memory: mib('VmRSS'),
        mostMemory: mib('VmHWM'),
        files: openFiles(pid),
      })
    } catch {
      // It ended while we looked.
    }
  }
  const below = (pid: number): boolean => {
    const parent = parents.get(pid)
    return parent === root || (parent !== undefined && parent > 1 && below(parent))
  }
  return found.filter(({ pid }) => below(pid))
}

/** CPU of each part for each of `count` things, in `unit` (us or ms), and all parts together. */
export function cpuFigures(
  before: Record<string, Usage>,
  after: Record<string, Usage>,
  count: number,
  unit: 'us' | 'ms',
  per: string,
): Figure[] {
  const scale = (unit === 'us' ? 1e6 : 1e3) / count
  const rows = Object.keys(after)
    .filter((part) => part !== 'other')
    .sort()
    .map((part) => [part, (after[part]!.cpu - (before[part]?.cpu ?? 0)) * scale] as const)
  return [...rows, ['all', rows.reduce((sum, [, value]) => sum + value, 0)] as const].map(([part, value]) => ({
    name: `CPU a ${per}, ${part}`,
    value,
    unit,
    better: 'lower' as const,
  }))
}

export const memoryFigures = (usage: Record<string, Usage>): Figure[] =>
  Object.entries(usage)
    .filter(([part]) => part !== 'other')
    .sort()
    .map(([part, { mostMemory }]) => ({
      name: `memory at most, ${part}`,
      value: mostMemory,
      unit: 'MiB',
      better: 'lower',
    }))

function partOf(command: string): string {
  return (
    ['nats-server', 'store', 'engine', 'gateway'].find((part) =>
      command
        .split('\0')
        .some((word) => word === part || word.endsWith(`/${part}`) || word.includes(`engine/${part}/`)),
    ) ?? 'other'
  )
}

/** 0 for a process of another user, whose files are not shown. */
function openFiles(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length
  } catch {
    return 0
  }
}
