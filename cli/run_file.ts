import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AlprError, argumentsOf, isRunning, sleep } from '../engine/runtime/mod.js'

/** What `up` tells the other commands about the running system. No secret is in here. */
export interface RunFile {
  /** Of `up`. */
  pid: number
  startedAt: string
  nats?: { url: string; private: boolean }
  store?: { url: string; private: boolean }
  console?: { url: string }
}

const kFile = 'up.json'
const kLock = 'up.lock'

export function writeRunFile(folder: string, content: RunFile): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const aside = join(folder, `${kFile}.new`)
  writeFileSync(aside, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 })
  renameSync(aside, join(folder, kFile))
}

export function removeRunFile(folder: string): void {
  rmSync(join(folder, kFile), { force: true })
}

/** What the running `up` wrote, or undefined when none runs on this folder. */
export function readRunFile(folder: string): RunFile | undefined {
  try {
    const content = JSON.parse(readFileSync(join(folder, kFile), 'utf8')) as RunFile
    return isRunning(content.pid) ? content : undefined
  } catch {
    return undefined
  }
}

/**
 * Makes this process the only `up` on the data folder. The lock is a file with our pid; one of a process that does not
 * run any more is taken over.
 * @returns gives the lock back
 * @throws ALPR_ERR_USAGE naming the process that has it
 */
export async function lockRunFolder(folder: string): Promise<() => void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, kLock)
  for (let attempt = 0; attempt < 5; attempt++) {
    const holder = readPid(file)
    if (holder !== undefined && holder !== process.pid && isRunning(holder) && looksLikeUp(holder)) {
      throw new AlprError('ALPR_ERR_USAGE', {
        reason: `the data folder is in use by another "platestream up" (process ${holder}); stop that one or give --data`,
      })
    }
    rmSync(file, { force: true })
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx', mode: 0o600 })
    } catch {
      continue // somebody was quicker: look again
    }
    // Two that found the same stale lock may have removed each other's: whoever's pid stands there a moment later has
    // it.
    await sleep(50)
    if (readPid(file) === process.pid)
      return () => {
        if (readPid(file) === process.pid) rmSync(file, { force: true })
      }
  }
  throw new AlprError('ALPR_ERR_USAGE', {
    reason: 'another "platestream up" starts on this data folder at the same time',
  })
}

function readPid(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, 'utf8'))
    return Number.isInteger(pid) && pid > 0 ? pid : undefined
  } catch {
    return undefined
  }
}

/**
 * A pid comes back after a restart of the machine for any program. Where arguments cannot be seen, the pid alone
 * counts.
 */
function looksLikeUp(pid: number): boolean {
  const args = argumentsOf(pid)
  return args.length === 0 || args.includes('up')
}
