import { spawn, type ChildProcess } from 'node:child_process'
import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { AlprError } from '../errors.js'
import { backoffMs, sleep } from '../runtime/backoff.js'
import { argumentsOf, isRunning } from '../runtime/process.js'
import { connectNats } from './connect.js'
import { DEFAULT_PARTITIONS, mappingLines } from './partitioning.js'
import { watchServer } from './watchdog.js'

/**
 * The largest message of the private server, 16 MiB. It exceeds the product's own limit for a frame (8 MiB) on purpose:
 * a frame that is too large must arrive, so that DEAD keeps it with the reason instead of the camera losing it.
 */
export const MAX_PAYLOAD_BYTES = 16_777_216

export interface PrivateServerOptions {
  /** Folder for the configuration and JetStream's files; created if missing. */
  folder: string
  token: string
  /** What a new folder maps publishers to; later `remap` decides. @default 4 */
  partitions?: number
  /** Loopback port; 0 lets the server choose a free one. */
  port?: number
  /** How long the start may take, ms. The server verifies a large stream block by block. */
  readyMs?: number
  /** A server that answers nothing for this long is killed, ms: see `watchServer`. @default 12000 */
  silentMs?: number
  /** Name or path of the program. */
  program?: string
}

export interface PrivateServer {
  readonly url: string
  readonly port: number
  readonly pid: number
  /** Settles when the process has ended, for any reason. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  /** How many partitions it maps publishers to. */
  readonly partitions: number
  /** Maps publishers to another number of partitions, without a restart. */
  remap(partitions: number): void
  /** Ends the process: terminates it, and kills it after `graceMs`. */
  stop(graceMs?: number): Promise<void>
  kill(signal?: NodeJS.Signals): void
}

/**
 * Starts a private nats-server: loopback only, token, JetStream on `folder`, subject mapping by partition. It ends with
 * this process, even when this process is killed. Resolves when JetStream answers; a server that stops answering is
 * killed.
 *
 * Acknowledged data survives a kill of any process. A power failure can lose up to 2 minutes of it: Debian's 2.9 syncs
 * its files to disk at that interval and has no setting for it (docs/operation.md names the one of newer servers).
 * @throws ALPR_ERR_SYSTEM_MISSING when the program is not installed
 * @throws ALPR_ERR_NATS_UNAVAILABLE when it ends at once or does not answer in time, with its last error line
 */
export async function startPrivateServer(options: PrivateServerOptions): Promise<PrivateServer> {
  const program = findProgram(options.program ?? 'nats-server')
  if (!program) {
    throw new AlprError('ALPR_ERR_SYSTEM_MISSING', {
      what: 'nats-server',
      remedy: 'install it with: apt-get install nats-server',
    })
  }
  const ports = join(options.folder, 'ports')
  rmSync(ports, { recursive: true, force: true }) // pids are reused: never trust a file of an earlier server
  mkdirSync(ports, { recursive: true, mode: 0o700 })
  const config = join(options.folder, 'nats-server.conf')
  endOrphan(options.folder, config)
  let partitions = mappedBefore(config) ?? options.partitions ?? DEFAULT_PARTITIONS
  writeFileSync(config, configText(options, partitions), { mode: 0o600 })

  const child = spawnTied(program, ['-c', config])
  const errors = lastErrors(child)
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
    child.once('error', () => resolve({ code: -1, signal: null }))
  })
  let ended = false
  const over = new AbortController()
  void exited.then(() => {
    ended = true
    over.abort()
  })
  const kill = (signal: NodeJS.Signals = 'SIGKILL') => {
    if (!ended) child.kill(signal)
  }
  const stop = async (graceMs = 5_000) => {
    over.abort()
    kill('SIGTERM')
    const timer = setTimeout(() => kill('SIGKILL'), graceMs)
    await exited
    clearTimeout(timer)
  }
  writeFileSync(pidFile(options.folder), String(child.pid ?? ''))
  try {
    const port = await waitUntilReady(options, child.pid ?? 0, () => ended)
    const url = `nats://127.0.0.1:${port}`
    void watchServer(
      { url, token: options.token, silentMs: options.silentMs ?? 12_000 },
      () => kill('SIGKILL'),
      over.signal,
    )
    const remap = (count: number) => {
      partitions = count
      writeFileSync(config, configText(options, count), { mode: 0o600 })
      kill('SIGHUP')
    }
    return {
      url,
      port,
      pid: child.pid!,
      exited,
      stop,
      kill,
      remap,
      get partitions() {
        return partitions
      },
    }
  } catch (error) {
    await stop(1_000)
    const reason = errors().at(-1) ?? (error as Error).message
    throw new AlprError(
      'ALPR_ERR_NATS_UNAVAILABLE',
      { url: `nats://127.0.0.1:${options.port || '?'}`, reason },
      { cause: error },
    )
  }
}

/** The absolute path of a program on PATH or in the system folders that a user's PATH may lack, or undefined. */
export function findProgram(name: string): string | undefined {
  if (name.includes('/')) return isExecutable(name) ? name : undefined
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    '/usr/sbin',
    '/usr/local/sbin',
    '/usr/local/bin',
    '/usr/bin',
  ]
  return folders
    .filter(Boolean)
    .map((folder) => join(folder, name))
    .find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The number of partitions of the last configuration. @returns undefined on a new folder */
function mappedBefore(config: string): number | undefined {
  if (!existsSync(config)) return undefined
  const match = /\{\{partition\((\d+),1\)\}\}/.exec(readFileSync(config, 'utf8'))
  return match ? Number(match[1]) : undefined
}

function configText({ folder, token, port = 0 }: PrivateServerOptions, partitions: number): string {
  const quoted = (text: string) => JSON.stringify(text)
  return [
    '# Written at each start; changes here are lost, except the number of partitions.',
    'server_name: platestream',
    `listen: "127.0.0.1:${port === 0 ? -1 : port}"`,
    `ports_file_dir: ${quoted(join(folder, 'ports'))}`,
    `authorization { token: ${quoted(token)} }`,
    `max_payload: ${MAX_PAYLOAD_BYTES}`,
    // A pull of ten large frames must fit; otherwise the server drops the client as a slow consumer.
    'max_pending: 268435456',
    'jetstream {',
    `  store_dir: ${quoted(folder)}`,
    '  max_memory_store: 268435456',
    // The streams have their own bounds (setup.ts); the server must not refuse their sum.
    '  max_file_store: 1099511627776',
    '}',
    'mappings {',
    ...mappingLines(partitions).map((line) => `  ${line}`),
    '}',
    '',
  ].join('\n')
}

/**
 * nats-server does not notice the death of its parent, so the kernel is asked to end it (`setpriv`, part of every
 * Debian). Without `setpriv`, the next start ends the orphan by its pid file. The wrapper replaces itself, so the pid
 * is the server's own.
 */
function spawnTied(program: string, args: string[]): ChildProcess {
  const setpriv = process.platform === 'linux' ? findProgram('setpriv') : undefined
  const [command, commandArgs] = setpriv ? [setpriv, ['--pdeathsig', 'TERM', '--', program, ...args]] : [program, args]
  return spawn(command, commandArgs, { stdio: ['ignore', 'ignore', 'pipe'], detached: true })
}

const pidFile = (folder: string) => join(folder, 'nats-server.pid')

/**
 * Kills a server that outlived its parent and still holds the files, if that pid is a server with our configuration.
 */
function endOrphan(folder: string, config: string): void {
  const file = pidFile(folder)
  if (!existsSync(file)) return
  const pid = Number(readFileSync(file, 'utf8'))
  rmSync(file, { force: true })
  if (!Number.isInteger(pid) || pid <= 1 || !isRunning(pid) || !argumentsOf(pid).includes(config)) return
  process.kill(pid, 'SIGKILL')
  const until = Date.now() + 2_000
  while (isRunning(pid) && Date.now() < until) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
}

/** The last error lines of the server, 20 at most, for the message when a start fails. */
function lastErrors(child: ChildProcess): () => string[] {
  const lines: string[] = []
  let partial = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    const parts = (partial + text).split('\n')
    partial = parts.pop()!.slice(-4_096)
    for (const line of parts) {
      // [pid] date time [LEVEL] message, or "nats-server: message" for a bad configuration
      const match = /\[(ERR|FTL)\] (.*)$/.exec(line) ?? /^(nats-server): (.*)$/.exec(line)
      if (match) lines.push(match[2]!)
      if (lines.length > 20) lines.shift()
    }
  })
  return () => lines
}

async function waitUntilReady(options: PrivateServerOptions, pid: number, ended: () => boolean): Promise<number> {
  const deadline = performance.now() + (options.readyMs ?? 30_000)
  for (let attempt = 0; performance.now() < deadline; attempt++) {
    if (ended()) throw new Error('the process ended at once')
    const port = options.port || portFromFile(options.folder, pid)
    if (port && (await answers(port, options.token))) return port
    await sleep(backoffMs(attempt, { firstMs: 20, maxMs: 250 }))
  }
  throw new Error('it does not answer')
}

/** The server writes `nats-server_<pid>.ports` with the addresses it listens on. */
function portFromFile(folder: string, pid: number): number | undefined {
  const file = join(folder, 'ports', `nats-server_${pid}.ports`)
  if (!existsSync(file)) return undefined
  try {
    const { nats = [] } = JSON.parse(readFileSync(file, 'utf8')) as { nats?: string[] }
    return nats[0] ? Number(new URL(nats[0]).port) : undefined
  } catch {
    return undefined // half written: read again
  }
}

async function answers(port: number, token: string): Promise<boolean> {
  try {
    const connection = await connectNats({
      url: `nats://127.0.0.1:${port}`,
      token,
      name: 'readiness',
      firstConnectMs: 0,
    })
    try {
      await (await connection.jetstreamManager({ timeout: 1_000 })).getAccountInfo()
      return true
    } finally {
      await connection.close()
    }
  } catch {
    return false
  }
}
