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

/** What stands beside each number. */
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
      'nats-server': wordsOf('nats-server', ['--version'], /v([\d.]+)/),
      chdb: packageVersion('chdb'),
      wasm: packageVersion('assemblyscript'),
    },
    load: loadNow(),
  }
}

export const loadNow = (): number => Math.round(loadavg()[0]! * 100) / 100

/** Short commit, with a plus when files were changed since. */
function commit(): string {
  try {
    const git = (...args: string[]) =>
      execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
    return (
      git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+')
    )
  } catch {
    return packageVersion('../package.json')
  }
}

function wordsOf(program: string, args: string[], pattern: RegExp): string {
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
    return (
      JSON.parse(readFileSync(new URL(`../../../node_modules/${name}/package.json`, import.meta.url), 'utf8')) as {
        version: string
      }
    ).version
  } catch {
    return '?'
  }
}
