import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { AlprError, reasonOf, type ErrorCode } from '../errors.js'
import { DEFAULT_POOL_SIZE, threadsFor } from './server.js'

export interface LaunchOptions {
  path: string
  token: string
  port?: number
  host?: string
  poolSize?: number
  maxMemoryBytes?: number
  /** How long the store may take until it listens, in milliseconds; a large one first loads its tables. */
  readyMs?: number
  /** Receives standard error of the process, which is empty in normal operation. */
  onStderr?: (line: string) => void
}

export interface LaunchedStore {
  url: string
  port: number
  pid: number
  /** Resolves when the process has ended, with its exit code or signal. */
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  /** SIGTERM, and waits. */
  stop(): Promise<void>
  /** SIGKILL, and waits: for tests, and for a process that does not stop. */
  kill(): Promise<void>
}

/**
 * Starts the store as a child process that ends with this process, even when this process is killed.
 * @throws ALPR_ERR_STORE_LOCKED, ALPR_ERR_STORE_UNAVAILABLE
 */
export async function launchStore(options: LaunchOptions): Promise<LaunchedStore> {
  const poolSize = options.poolSize ?? DEFAULT_POOL_SIZE
  const args = [
    fileURLToPath(new URL('./main.js', import.meta.url)),
    '--path',
    options.path,
    '--pool',
    String(poolSize),
    '--with-parent',
  ]
  if (options.port !== undefined) args.push('--port', String(options.port))
  if (options.host !== undefined) args.push('--host', options.host)
  if (options.maxMemoryBytes !== undefined) args.push('--max-memory', String(options.maxMemoryBytes))
  const child = spawn(process.execPath, args, {
    // Its standard input stays open as long as this process lives: --with-parent watches it.
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      ...process.env,
      STORE_TOKEN: options.token,
      UV_THREADPOOL_SIZE: String(Math.max(threadsFor(poolSize), Number(process.env.UV_THREADPOOL_SIZE ?? 0))),
    },
  })
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((done) => {
    child.once('exit', (code, signal) => done({ code, signal }))
    child.once('error', () => done({ code: 1, signal: null }))
  })
  const errorLines: string[] = []
  createInterface({ input: child.stderr }).on('line', (line) => {
    errorLines.push(line)
    if (errorLines.length > 20) errorLines.shift()
    options.onStderr?.(line)
  })
  child.stdin.on('error', () => {})
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    await exited
  }
  try {
    const { url, port, pid } = await ready(child.stdout, exited, options, errorLines)
    return { url, port, pid, exited, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') }
  } catch (error) {
    await end('SIGKILL')
    throw error
  }
}

interface ReadyLine {
  ready: boolean
  url: string
  port: number
  pid: number
  code?: ErrorCode
  message?: string
}

async function ready(
  stdout: NodeJS.ReadableStream,
  exited: Promise<unknown>,
  options: LaunchOptions,
  errorLines: string[],
): Promise<ReadyLine> {
  const unavailable = (reason: string) => new AlprError('ALPR_ERR_STORE_UNAVAILABLE', { url: options.path, reason })
  const limit = options.readyMs ?? 120_000
  let timer: NodeJS.Timeout | undefined
  const line = new Promise<ReadyLine>((done, fail) => {
    createInterface({ input: stdout }).on('line', (text) => {
      try {
        done(JSON.parse(text) as ReadyLine)
      } catch {
        /* something else on standard output: wait for the ready line */
      }
    })
    // A process may report its error and exit at once: the line can arrive just after the exit.
    void exited.then(() => setTimeout(() => fail(unavailable(errorLines.at(-1) ?? 'the process ended')), 100))
    timer = setTimeout(() => fail(unavailable(`not ready after ${limit} ms`)), limit)
  })
  try {
    const report = await line
    if (report.ready) return report
    if (report.code === 'ALPR_ERR_STORE_LOCKED') throw new AlprError('ALPR_ERR_STORE_LOCKED', { folder: options.path })
    // The engine's standard error has more detail than its exception.
    throw unavailable(reasonOf([report.message, errorLines.at(-1)].filter(Boolean).join('; ')))
  } finally {
    clearTimeout(timer)
  }
}
