import { spawn, type ChildProcess } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { argumentsOf, isRunning } from '../../engine/runtime/mod.js'
import type { Teardown } from '../servers/nats.js'
import { CLI, environment } from './run.js'

/** A running `platestream up`. */
export interface Up {
  child: ChildProcess
  facts: { pid: number; console: string; nats: string; store: string }
  log: string[]
}

/** One recognition thread, and no fixed port that another test may use. */
export const UP_ENV = { PLATESTREAM_GATEWAY_PORT: '0', PLATESTREAM_ENGINE_WORKERS: '1' }

/** Starts `up` and waits for its ready line. */
export const startUp = (t: Teardown, data: string): Promise<Up> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CLI, 'up', '--data', data, '--no-demo', '--json'], {
      env: environment(UP_ENV),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    t.teardown(() => {
      child.kill('SIGTERM')
    })
    const log: string[] = []
    createInterface({ input: child.stderr! }).on('line', (line) => log.push(line))
    createInterface({ input: child.stdout! }).once('line', (line) =>
      resolve({ child, facts: JSON.parse(line) as Up['facts'], log }),
    )
    child.once('exit', (code) => reject(new Error(`up exited with ${code}: ${log.join('\n')}`)))
  })

/** Processes of a system: those whose arguments contain the data folder. */
export const partsOf = (data: string): { pid: number; what: string }[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .map((pid) => ({ pid, args: argumentsOf(pid) }))
    .filter(({ pid, args }) => isRunning(pid) && args.some((arg) => arg.includes(data)))
    .map(({ pid, args }) => ({
      pid,
      what:
        args.find((arg) => ['engine', 'gateway', 'up'].includes(arg)) ?? (args[0]!.includes('nats') ? 'nats' : 'store'),
    }))

/** @returns whether the condition becomes true within the limit, ms */
export const eventually = async (condition: () => boolean | Promise<boolean>, limitMs = 60_000) => {
  for (const until = Date.now() + limitMs; Date.now() < until; ) {
    if (await condition()) return true
    await new Promise((r) => setTimeout(r, 100))
  }
  return false
}

export const isReady = async ({ console: address }: Up['facts']) => {
  const answer = await fetch(new URL('/readyz', address)).catch(() => undefined)
  return answer?.ok ?? false
}
