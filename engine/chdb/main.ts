import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { AlprError, codeOf, reasonOf } from '../errors.js'
import { DEFAULT_POOL_SIZE, startStore, threadsFor } from './server.js'

/**
 * The store process.
 *
 *     STORE_TOKEN=<secret> node main.js --path <folder> [--port n] [--host name] [--pool n] [--max-memory bytes]
 *                                       [--with-parent]
 *
 * Prints one JSON line: `{"ready":true,"url","port","pid"}` when it listens, or `{"ready":false,"code","message"}`
 * before it exits with 1 (2 for wrong usage). SIGTERM and SIGINT stop it cleanly; with `--with-parent` so does the end
 * of its standard input, which shows that the process that started it is gone.
 */
const { values } = parseArgs({
  options: {
    path: { type: 'string' },
    port: { type: 'string', default: '0' },
    host: { type: 'string', default: '127.0.0.1' },
    pool: { type: 'string', default: String(DEFAULT_POOL_SIZE) },
    'max-memory': { type: 'string' },
    'with-parent': { type: 'boolean', default: false },
  },
})

/** Limit of a clean close, milliseconds: one that hangs inside the engine must not keep the folder locked. */
const CLOSE_LIMIT_MS = 20_000

function whole(name: 'port' | 'pool' | 'max-memory', least: number, most: number): number {
  const value = Number(values[name])
  if (!Number.isInteger(value) || value < least || value > most)
    throw new AlprError('ALPR_ERR_USAGE', { reason: `--${name} must be a whole number from ${least} to ${most}` })
  return value
}

const report = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)

function fail(error: unknown): never {
  report({ ready: false, code: codeOf(error), message: reasonOf(error) })
  process.exit(codeOf(error) === 'ALPR_ERR_USAGE' ? 2 : 1)
}

async function run(): Promise<void> {
  process.umask(0o077)
  const token = process.env.STORE_TOKEN
  if (!values.path) throw new AlprError('ALPR_ERR_USAGE', { reason: '--path is missing' })
  if (!token) throw new AlprError('ALPR_ERR_USAGE', { reason: 'STORE_TOKEN is not set' })
  // Child processes of the engine must not inherit it, nor show it in their /proc/<pid>/environ.
  delete process.env.STORE_TOKEN
  const path = resolve(values.path)
  // The engine takes the name of an unknown table of its default database for a file: here it finds none.
  const empty = join(path, 'empty')
  mkdirSync(empty, { recursive: true, mode: 0o700 })
  process.chdir(empty)
  const store = await startStore({
    path,
    token,
    host: values.host,
    port: whole('port', 0, 65_535),
    poolSize: whole('pool', 2, 128),
    maxMemoryBytes:
      values['max-memory'] === undefined ? undefined : whole('max-memory', 268_435_456, Number.MAX_SAFE_INTEGER),
  })

  let ending = false
  const end = () => {
    if (ending) return
    ending = true
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), CLOSE_LIMIT_MS).unref()
    store.close().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
  if (values['with-parent']) process.stdin.on('end', end).on('error', end).resume()
  report({ ready: true, url: store.url, port: store.port, pid: process.pid })
}

/**
 * libuv reads the number of its threads once, before any script runs; with too few, queries wait for each other. So the
 * process starts itself again with the right number and forwards signals and exit code until that child ends.
 */
function restartWithThreads(threads: number): void {
  const child = spawn(
    process.execPath,
    [
      ...process.execArgv,
      fileURLToPath(import.meta.url),
      ...process.argv.slice(2).filter((one) => one !== '--with-parent'),
      '--with-parent',
    ],
    {
      env: { ...process.env, UV_THREADPOOL_SIZE: String(threads) },
      stdio: ['pipe', 'inherit', 'inherit'],
    },
  )
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGTERM' ? 0 : 1)))
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => child.kill('SIGTERM'))
  if (values['with-parent']) process.stdin.on('end', () => child.stdin!.end()).resume()
}

try {
  const threads = threadsFor(whole('pool', 2, 128))
  if (Number(process.env.UV_THREADPOOL_SIZE ?? 4) >= threads) await run()
  else restartWithThreads(threads)
} catch (error) {
  fail(error)
}
