import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os'
import { findProgram } from '../../engine/mod.js'

export interface Machine {
  cpu: string
  cores: number
  memoryGb: number
  os: string
}
export type Versions = Record<string, string>

/** Load average a core, from which on figures suffer from other work on the machine. */
const kSharedLoad = 1.5

/** The circumstances that every result carries. */
export async function machineNow(): Promise<{ machine: Machine; versions: Versions; load: number }> {
  return {
    machine: {
      cpu: cpus()[0]?.model ?? '?',
      cores: cpus().length,
      memoryGb: Math.round(totalmem() / 2 ** 30),
      os: `${platform()} ${release()} ${arch()}`,
    },
    versions: {
      platestream: commit(),
      node: process.version,
      'nats-server': versionPrintedBy('nats-server', ['--version'], /v([\d.]+)/),
      chdb: packageVersion('chdb'),
      wasm: packageVersion('assemblyscript'),
    },
    load: loadNow(),
  }
}

/** Load average over the last minute. */
export const loadNow = (): number => Math.round(loadavg()[0]! * 100) / 100

/** Whether other work had part of the machine while a result was measured. */
export const isShared = ({ load, machine }: { load: { start: number; end: number }; machine: Machine }): boolean =>
  Math.max(load.start, load.end) > machine.cores * kSharedLoad

/** Short commit, with a plus when files differ from it. */
function commit(): string {
  try {
    const git = (...args: string[]) =>
      execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
    const clean = git('status', '--porcelain', '--untracked-files=no') === ''
    return git('rev-parse', '--short', 'HEAD') + (clean ? '' : '+')
  } catch {
    return packageVersion('../package.json')
  }
}

function versionPrintedBy(program: string, args: string[], pattern: RegExp): string {
  const path = findProgram(program)
  if (!path) return 'none'
  try {
    return pattern.exec(execFileSync(path, args, { encoding: 'utf8' }))?.[1] ?? '?'
  } catch {
    return '?'
  }
}

function packageVersion(name: string): string {
  try {
    const file = new URL(`../../../node_modules/${name}/package.json`, import.meta.url)
    return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
  } catch {
    return '?'
  }
}
