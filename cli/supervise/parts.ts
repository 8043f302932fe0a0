import { fileURLToPath } from 'node:url'
import { dataPaths, type Settings, startPrivateServer } from '../../engine/mod.js'
import type { Secrets } from '../../engine/runtime/mod.js'
import { DEFAULT_POOL_SIZE, threadsFor } from '../../engine/chdb/mod.js'
import { STORE_SCRIPT } from '../commands/store.js'
import type { SystemOptions } from '../system.js'
import { startChild, type RunningPart } from './child.js'
import type { KeeperOptions } from './keeper.js'

type Part = Omit<KeeperOptions, 'log'>

export interface PartsContext {
  settings: Settings
  secrets: Secrets
  options: SystemOptions
  /** Size limit of the stream FRAMES, bytes: the setting, or less on a small disk. */
  framesMaxBytes: number
  onLog: (part: string, line: string) => void
  /** Maps publishers to another number of partitions; set while the private NATS server runs. */
  remap?: (partitions: number) => void
}

/** The script that starts parts: `node main.js <command>`. */
export const CLI_SCRIPT = fileURLToPath(new URL('../main.js', import.meta.url))

/** The private NATS server. It restarts on the same port, so that clients reconnect by themselves. */
export function natsPart(context: PartsContext): Part {
  const { settings, secrets } = context
  return {
    name: 'nats',
    graceMs: 5_000,
    async start(before) {
      const server = await startPrivateServer({
        folder: dataPaths(settings).nats,
        token: secrets.nats,
        partitions: settings.nats.partitions,
        port: (before?.facts.port as number | undefined) ?? settings.nats.port,
        readyMs: 60_000,
      })
      context.remap = (partitions) => {
        if (server.partitions !== partitions) server.remap(partitions)
      }
      return {
        pid: server.pid,
        facts: { url: server.url, port: server.port },
        exited: server.exited,
        stop: (graceMs) => server.stop(graceMs),
      }
    },
  }
}

export function storePart({ settings, secrets, onLog }: PartsContext): Part {
  const { port, maxMemoryBytes } = settings.clickhouse
  return {
    name: 'store',
    graceMs: 25_000,
    start: (before, signal) =>
      startChild({
        signal,
        args: [
          STORE_SCRIPT,
          '--with-parent',
          '--path',
          dataPaths(settings).store,
          '--port',
          String(before?.facts.port ?? port),
          '--pool',
          String(DEFAULT_POOL_SIZE),
          '--max-memory',
          String(maxMemoryBytes),
        ],
        // libuv reads the size of its thread pool once, when the process starts.
        env: { STORE_TOKEN: secrets.store, UV_THREADPOOL_SIZE: String(threadsFor(DEFAULT_POOL_SIZE)) },
        readyMs: 120_000,
        onLog: (line) => onLog('store', line),
      }),
  }
}

/**
 * The objects of a read live for about a second, until the read is stored. At some thousand reads per second they fill
 * V8's default young generation of 16 MiB sooner: all of them are promoted and become work for the slow collector, a
 * sixth of the engine's CPU time. (The units and the compose file of deploy/ set this with NODE_OPTIONS.)
 */
const YOUNG_GENERATION = ['--max-semi-space-size=64']

export function enginePart(context: PartsContext): Part {
  // Loading a large checkpoint, or waiting for a store that loads its tables, takes a while; the engine logs it.
  return command(context, 'engine', [], 300_000, 20_000, YOUNG_GENERATION)
}

export function gatewayPart(context: PartsContext): Part {
  return command(context, 'gateway', ['--port', String(context.settings.gateway.port)], 60_000, 12_000)
}

export function ingestPart(context: PartsContext): Part {
  return command(context, 'ingest', [], 60_000, 10_000)
}

function command(
  { options, framesMaxBytes, onLog }: PartsContext,
  name: string,
  args: string[],
  readyMs: number,
  graceMs: number,
  nodeOptions: readonly string[] = [],
): Part {
  return {
    name,
    graceMs,
    start: (before, signal) =>
      startChild({
        signal,
        args: [
          ...nodeOptions,
          CLI_SCRIPT,
          name,
          '--with-parent',
          ...args,
          ...portOf(before),
          ...systemArguments(options),
        ],
        env: { PLATESTREAM_NATS_FRAMES_MAX_BYTES: String(framesMaxBytes) },
        readyMs,
        onLog: (line) => onLog(name, line),
      }),
  }
}

/** A gateway on a free port restarts on the same port: consoles and bookmarks use it. */
function portOf(before: RunningPart | undefined): string[] {
  return typeof before?.facts.url === 'string' ? ['--port', new URL(before.facts.url).port] : []
}

export const systemArguments = ({ data, config }: SystemOptions): string[] => [
  ...(data ? ['--data', data] : []),
  ...(config ? ['--config', config] : []),
]
