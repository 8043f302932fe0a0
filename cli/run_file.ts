import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AlprError, argumentsOf, isRunning, sleep } from '../engine/runtime/mod.js'

/** Where the other commands find the running system. `up` writes it; it holds no secret. */
export interface RunFile {
  /** Process id of `up`. */
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

/** The file of the running `up`, or undefined when none runs on this folder. */
export function readRunFile(folder: string): RunFile | undefined {
  try {
    const content = JSON.parse(readFileSync(join(folder, kFile), 'utf8')) as RunFile
    return isRunning(content.pid) ? content : undefined
  } catch {
    return undefined
  }
}

/**
 * Makes this process the only `up` on the data folder. The lock is a file that holds the pid; a lock of a process that
 * no longer runs is taken over.
 * @returns releases the lock
 * @throws ALPR_ERR_USAGE naming the process that holds it
 */
export async function lockRunFolder(folder: string): Promise<() => void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, kLock)
  for (let attempt = 0; attempt < 5; attempt++) {
    const holder = readPid(file)
    if (holder !== undefined && holder !== process.pid && isRunning(holder) && isUp(holder)) {
      throw new AlprError('ALPR_ERR_USAGE', {
        reason:
          `another "platestream up" (process ${holder}) uses this data folder; ` +
          'stop it, or choose another folder with --data',
      })
    }
    rmSync(file, { force: true })
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx', mode: 0o600 })
    } catch {
      continue // another process was faster
    }
    // Two processes that found the same stale lock may have removed each other's new one. The pid that the file holds
    // a moment later wins.
    await sleep(50)
    if (readPid(file) === process.pid)
      return () => {
        if (readPid(file) === process.pid) rmSync(file, { force: true })
      }
  }
  throw new AlprError('ALPR_ERR_USAGE', {
    reason: 'another "platestream up" is starting on this data folder',
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
 * After a reboot, another program may have the pid. Where the arguments of a process cannot be read, the pid alone
 * decides.
 */
function isUp(pid: number): boolean {
  const args = argumentsOf(pid)
  return args.length === 0 || args.includes('up')
}
