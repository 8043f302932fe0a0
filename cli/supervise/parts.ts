import { fileURLToPath } from 'node:url'
import { dataPaths, type Settings, startPrivateServer } from '../../engine/mod.js'
import type { Secrets } from '../../engine/runtime/mod.js'
import { DEFAULT_POOL_SIZE, threadsFor } from '../../engine/chdb/mod.js'
import { STORE_SCRIPT } from '../commands/store.js'
import type { SystemOptions } from '../system.js'
import { startChild, type RunningPart } from './child.js'
import type { KeeperOptions } from './keeper.js'

type Part = Omit<KeeperOptions, 'say'>

export interface PartsContext {
  settings: Settings
  secrets: Secrets
  options: SystemOptions
  /** Bound of FRAMES, bytes: the setting, or less on a small disk. */
  framesMaxBytes: number
  onLog: (part: string, line: string) => void
}

/** This program, as its parts are started: `node main.js <command>`. */
export const CLI_SCRIPT = fileURLToPath(new URL('../main.js', import.meta.url))

/** The private NATS server; it comes back on its port, so that connections heal by themselves. */
export function natsPart({ settings, secrets }: PartsContext): Part {
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
    start: (before) =>
      startChild({
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
        // libuv reads the number of its threads once, at the start of the process.
        env: { STORE_TOKEN: secrets.store, UV_THREADPOOL_SIZE: String(threadsFor(DEFAULT_POOL_SIZE)) },
        readyMs: 120_000,
        onLog: (line) => onLog('store', line),
      }),
  }
}

/**
 * What reads are made of lives for a second, until it is stored. V8's usual young space of 16 MiB is full before that
 * at some thousand reads a second: all of it is copied out and becomes work for the slow collector, a sixth of the
 * engine's CPU. (The units and the compose file of deploy/ say it by NODE_OPTIONS.)
 */
const YOUNG_SPACE = ['--max-semi-space-size=64']

export function enginePart(context: PartsContext): Part {
  // A big checkpoint or a store that loads its tables takes a while; the engine says what it waits for meanwhile.
  return command(context, 'engine', [], 300_000, 20_000, YOUNG_SPACE)
}

export function gatewayPart(context: PartsContext): Part {
  return command(context, 'gateway', ['--port', String(context.settings.gateway.port)], 60_000, 12_000)
}

function command(
  { options, framesMaxBytes, onLog }: PartsContext,
  name: string,
  args: string[],
  readyMs: number,
  graceMs: number,
  ofNode: readonly string[] = [],
): Part {
  return {
    name,
    graceMs,
    start: (before) =>
      startChild({
        args: [...ofNode, CLI_SCRIPT, name, '--with-parent', ...args, ...portOf(before), ...systemArguments(options)],
        env: { PLATESTREAM_NATS_FRAMES_MAX_BYTES: String(framesMaxBytes) },
        readyMs,
        onLog: (line) => onLog(name, line),
      }),
  }
}

/** A gateway that took a free port comes back on it: consoles and bookmarks point there. */
function portOf(before: RunningPart | undefined): string[] {
  return typeof before?.facts.url === 'string' ? ['--port', new URL(before.facts.url).port] : []
}

export const systemArguments = ({ data, config }: SystemOptions): string[] => [
  ...(data ? ['--data', data] : []),
  ...(config ? ['--config', config] : []),
]
