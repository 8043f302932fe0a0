import { readdirSync, readFileSync } from 'node:fs'
import { lower, type Figure } from '../report/result.js'

/** What the processes of one part of the product use. */
export interface Usage {
  /** CPU used so far, user and system, seconds. */
  cpu: number
  /** Resident memory now, and its peak, MiB. */
  memory: number
  mostMemory: number
  /** Files and sockets open now. */
  files: number
}

/** Clock ticks per second in /proc/<pid>/stat: 100 on every Linux that Node runs on. */
const TICKS = 100
/** Parts of the product, and the folders of the scripts that they run. */
const PARTS: readonly [part: string, ...folders: string[]][] = [
  ['nats-server'],
  ['store', 'engine/store/', 'engine/chdb/'],
  ['engine'],
  ['gateway'],
]

/** What all processes below `root` use, by part of the product: nats-server, store, engine, gateway, other. */
export function usageBelow(root: number): Record<string, Usage> {
  const sums: Record<string, Usage> = {}
  for (const { part, ...used } of processesBelow(root)) {
    const sum = (sums[part] ??= { cpu: 0, memory: 0, mostMemory: 0, files: 0 })
    for (const key of ['cpu', 'memory', 'mostMemory', 'files'] as const) sum[key] += used[key]
  }
  return sums
}

/** Every process below `root`, with the part of the product that it belongs to. */
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
      const { now, most } = memoryOf(pid)
      found.push({
        pid,
        part: partOf(readFileSync(`/proc/${pid}/cmdline`, 'utf8')),
        cpu: (Number(fields[11]) + Number(fields[12])) / TICKS,
        memory: now,
        mostMemory: most,
        files: openFiles(pid),
      })
    } catch {
      // The process ended meanwhile.
    }
  }
  const below = (pid: number): boolean => {
    const parent = parents.get(pid)
    return parent === root || (parent !== undefined && parent > 1 && below(parent))
  }
  return found.filter(({ pid }) => below(pid))
}

/** CPU of each part and of all parts together, per item. @param count items, called `per` in the figures' names */
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
  const all = rows.reduce((sum, [, value]) => sum + value, 0)
  return [...rows, ['all', all] as const].map(([part, value]) => lower(`CPU a ${per}, ${part}`, value, unit))
}

/** Peak memory of each part. */
export const memoryFigures = (usage: Record<string, Usage>): Figure[] =>
  Object.entries(usage)
    .filter(([part]) => part !== 'other')
    .sort()
    .map(([part, { mostMemory }]) => lower(`memory at most, ${part}`, mostMemory, 'MiB'))

/** Resident memory of a process now, and its peak, MiB. */
export function memoryOf(pid: number): { now: number; most: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return { now: mibIn(status, 'VmRSS'), most: mibIn(status, 'VmHWM') }
}

const mibIn = (status: string, field: string): number =>
  Math.round(Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1_024)

function partOf(command: string): string {
  const words = command.split('\0')
  const runs = (part: string, folders: readonly string[]) =>
    words.some((word) => word === part || word.endsWith(`/${part}`) || folders.some((folder) => word.includes(folder)))
  return PARTS.find(([part, ...folders]) => runs(part, folders))?.[0] ?? 'other'
}

/** 0 for a process of another user, whose files are hidden. */
function openFiles(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length
  } catch {
    return 0
  }
}
