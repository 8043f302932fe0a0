import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { AlprError, ERROR_CODES, type ErrorCode } from '../../engine/runtime/mod.js'

export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

/** A process that runs and has said that it is ready. */
export interface RunningPart {
  readonly pid: number
  /** Its ready line: the address it listens on, and whatever else it says. */
  readonly facts: Record<string, unknown>
  readonly exited: Promise<Exit>
  /** Asks it to end, kills it after `graceMs`, resolves when it is gone. */
  stop(graceMs: number): Promise<void>
}

export interface ChildOptions {
  /** Arguments of node: its own, then the script. */
  args: string[]
  env?: Record<string, string>
  /** How long it may take to say that it is ready, ms. */
  readyMs: number
  /** Each line of its standard error. */
  onLog: (line: string) => void
}

/**
 * Starts a node process of ours and waits for its first line on standard output: `{"ready":true, ...}` or
 * `{"ready":false,"code","message"}`. It runs in a process group of its own, so that Ctrl-C reaches the supervisor only
 * and parts end in order; its standard input is a pipe that closes with this process, whatever ends this process.
 * @throws the error that it says, or that it ended or took too long
 */
export async function startChild({ args, env = {}, readyMs, onLog }: ChildOptions): Promise<RunningPart> {
  const child = spawn(process.execPath, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
    env: { ...process.env, ...env },
  })
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
    child.once('error', () => resolve({ code: 1, signal: null }))
  })
  child.stdin.on('error', () => {}) // it may be gone already
  let lastWords = ''
  createInterface({ input: child.stderr }).on('line', (line) => {
    lastWords = line
    onLog(line)
  })
  let gone = false
  void exited.then(() => {
    gone = true
  })
  const stop = async (graceMs: number) => {
    if (!gone) child.kill('SIGTERM')
    const timer = setTimeout(() => {
      if (!gone) child.kill('SIGKILL')
    }, graceMs)
    await exited
    clearTimeout(timer)
  }

  let timer: NodeJS.Timeout | undefined
  const line = await new Promise<ReadyLine>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (text) => {
      const said = parseReady(text)
      if (said) resolve(said)
    })
    // A part that says why it cannot start and then ends: its line may be read just after the exit is known.
    void exited.then(({ code, signal }) =>
      setTimeout(() => resolve({ ready: false, message: lastWords || `it ended (${signal ?? code})` }), 100),
    )
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
    return undefined // a log line that lost its way
  }
}

/** The error as the child meant it: its code, its words. */
function failure({ code, message = 'it did not start' }: ReadyLine): AlprError {
  const known = ERROR_CODES.includes(code as ErrorCode) ? (code as ErrorCode) : 'ALPR_ERR_INTERNAL'
  const error = new AlprError(known)
  error.message = message
  return error
}

/** What a part prints on standard output, once. */
export const sayReady = (facts: object): void => {
  process.stdout.write(`${JSON.stringify({ ready: true, ...facts, pid: process.pid })}\n`)
}
export const sayFailed = (code: string, message: string): void => {
  process.stdout.write(`${JSON.stringify({ ready: false, code, message })}\n`)
}
