import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { AlprError, ERROR_CODES, type ErrorCode } from '../../engine/runtime/mod.js'

export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

/** A running process that has reported that it is ready. */
export interface RunningPart {
  readonly pid: number
  /** The fields of its ready line, such as the address it listens on. */
  readonly facts: Record<string, unknown>
  readonly exited: Promise<Exit>
  /** Sends SIGTERM, then SIGKILL after `graceMs`; resolves when the process has exited. */
  stop(graceMs: number): Promise<void>
}

export interface ChildOptions {
  /** Arguments of node: options of node, then the script and its arguments. */
  args: string[]
  env?: Record<string, string>
  /** How long it may take to become ready, ms. */
  readyMs: number
  /** Ends the start: the process is stopped. */
  signal?: AbortSignal
  /** Each line of its standard error. */
  onLog: (line: string) => void
}

/**
 * Starts a part of the system as a node process and waits for its first line on standard output: `{"ready":true, ...}`
 * or `{"ready":false,"code","message"}`. It runs in its own process group, so that Ctrl-C reaches only the supervisor
 * and parts end in order. Its standard input is a pipe that closes when this process ends in any way.
 * @throws the error that it reports, or that it exited, took too long or was not awaited any more
 */
export async function startChild({ args, env = {}, readyMs, signal, onLog }: ChildOptions): Promise<RunningPart> {
  const child = spawn(process.execPath, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
    env: { ...process.env, ...env },
  })
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
    child.once('error', () => resolve({ code: 1, signal: null }))
  })
  child.stdin.on('error', () => {}) // the process may have exited already
  let lastLogLine = ''
  createInterface({ input: child.stderr }).on('line', (line) => {
    lastLogLine = line
    onLog(line)
  })
  let hasExited = false
  void exited.then(() => {
    hasExited = true
  })
  const stop = async (graceMs: number) => {
    if (!hasExited) child.kill('SIGTERM')
    const timer = setTimeout(() => {
      if (!hasExited) child.kill('SIGKILL')
    }, graceMs)
    await exited
    clearTimeout(timer)
  }

  let timer: NodeJS.Timeout | undefined
  const line = await new Promise<ReadyLine>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (text) => {
      const ready = parseReady(text)
      if (ready) resolve(ready)
    })
    // A part that reports why it cannot start and exits: its line may arrive just after the exit event.
    void exited.then(({ code, signal }) =>
      setTimeout(() => resolve({ ready: false, message: lastLogLine || `it exited (${signal ?? code})` }), 100),
    )
    const stopped = () => resolve({ ready: false, message: 'it was stopped while it started' })
    if (signal?.aborted) stopped()
    signal?.addEventListener('abort', stopped)
    timer = setTimeout(
      () => resolve({ ready: false, message: `it was not ready within ${Math.round(readyMs / 1000)} s` }),
      readyMs,
    )
  })
  clearTimeout(timer)
  if (line.ready) return { pid: child.pid!, facts: line, exited, stop }
  await stop(2_000)
  throw failure(line)
}

interface ReadyLine extends Record<string, unknown> {
  ready: boolean
  code?: string
  message?: string
}

function parseReady(text: string): ReadyLine | undefined {
  try {
    const value = JSON.parse(text) as ReadyLine
    return typeof value?.ready === 'boolean' ? value : undefined
  } catch {
    return undefined // a log line on the wrong stream
  }
}

/** The error that the child reported, with its code and message. */
function failure({ code, message = 'it did not start' }: ReadyLine): AlprError {
  const known = ERROR_CODES.includes(code as ErrorCode) ? (code as ErrorCode) : 'ALPR_ERR_INTERNAL'
  const error = new AlprError(known)
  error.message = message
  return error
}

/** A part prints one of these lines on standard output, once. */
export const printReady = (facts: object): void => {
  process.stdout.write(`${JSON.stringify({ ready: true, ...facts, pid: process.pid })}\n`)
}
export const printFailed = (code: string, message: string): void => {
  process.stdout.write(`${JSON.stringify({ ready: false, code, message })}\n`)
}
