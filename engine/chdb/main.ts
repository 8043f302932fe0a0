import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { AlprError, codeOf, reasonOf } from '../errors.js'
import { DEFAULT_POOL_SIZE, startStore, threadsFor } from './server.js'

/**
 * The store process.
 *
 *     STORE_TOKEN=<secret> node main.js --path <folder> [--port n] [--host name] [--pool n] [--max-memory bytes] [--with-parent]
 *
 * Prints one JSON line when it listens: `{"ready":true,"url","port","pid"}`, or `{"ready":false,"code","message"}` and
 * exits with 1 (2 for wrong usage). SIGTERM and SIGINT end it cleanly; with `--with-parent` so does the end of its
 * standard input, which is how it notices that the process that started it was killed.
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

/** A close that hangs inside the engine must not keep the folder locked, in milliseconds. */
const CLOSE_LIMIT_MS = 20_000

function whole(name: 'port' | 'pool' | 'max-memory', least: number, most: number): number {
  const value = Number(values[name])
  if (!Number.isInteger(value) || value < least || value > most)
    throw new AlprError('ALPR_ERR_USAGE', { reason: `--${name} must be a whole number from ${least} to ${most}` })
  return value
}

const tell = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)

function fail(error: unknown): never {
  tell({ ready: false, code: codeOf(error), message: reasonOf(error) })
  process.exit(codeOf(error) === 'ALPR_ERR_USAGE' ? 2 : 1)
}

async function run(): Promise<void> {
  const token = process.env.STORE_TOKEN
  if (!values.path) throw new AlprError('ALPR_ERR_USAGE', { reason: '--path is missing' })
  if (!token) throw new AlprError('ALPR_ERR_USAGE', { reason: 'STORE_TOKEN is not set' })
  // Not handed on to anything the engine might start, and not shown in /proc/<pid>/environ of a child.
  delete process.env.STORE_TOKEN
  const store = await startStore({
    path: values.path,
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
  tell({ ready: true, url: store.url, port: store.port, pid: process.pid })
}

/**
 * libuv reads the number of its threads once, before any script runs: too few, and queries wait for each other. So the
 * process starts itself again with the right number, and stands in for that child until it ends.
 */
function again(threads: number): void {
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
  else again(threads)
} catch (error) {
  fail(error)
}
