import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { NatsConnection } from 'nats'
import {
  CameraRegistry,
  changePartitions,
  type ClickHouseClient,
  connectNats,
  createClient,
  dataPaths,
  type EngineStatus,
  type HotListHead,
  loadSettings,
  partitionsNow,
  saveHotList,
  type Settings,
  setupNats,
  startPrivateServer,
} from '../../engine/mod.js'
import { loadSecrets } from '../../engine/runtime/mod.js'
import { threadsFor } from '../../engine/chdb/mod.js'
import { Keeper, type KeeperOptions } from '../../cli/supervise/keeper.js'
import { startChild } from '../../cli/supervise/child.js'
import { STORE_SCRIPT } from '../../cli/commands/store.js'
import { CLI_SCRIPT } from '../../cli/supervise/parts.js'
import { freePort } from '../servers/nats.js'
import { clusterProgram } from '../servers/cluster_program.js'
import { NODE_PARTITIONS, startNatsNode } from '../servers/nats_node.js'
import { until } from '../until.js'
import { ConsoleWatch } from './console_watch.js'
import type { FaultFeed } from './feed.js'
import { Oracle } from './oracle.js'
import type { Scope } from './scope.js'
import { TcpProxy } from './tcp_proxy.js'

export type PartName = 'nats' | `nats-${number}` | 'store' | `engine-${string}` | `gateway-${string}`

export interface RigOptions {
  feed: FaultFeed
  engines?: number
  gateways?: number
  /** Three servers that keep three copies of everything, instead of one. */
  cluster?: boolean
  /** Settings of the engines, as environment variables. */
  env?: Record<string, string>
  /** Receives each log line of a part. */
  onLog?: (part: string, line: string) => void
}

/** Size of the small disks that replace the data folder, if this user can mount them, bytes. */
const DISK_BYTES = 320 * 1_048_576
/** Frames that may wait, all partitions together, bytes. */
const FRAMES_MAX_BYTES = 67_108_864
const POOL = 4
const PRELOAD = new URL('./preload.js', import.meta.url).href

/**
 * The whole system as `up` runs it: each part is a process that its keeper restarts. Proxies between the parts can
 * impair their connections:
 *
 *     oracle ──proxy──► nats-server ◄──proxy── engines ──proxy──► store
 *                           ▲                                       ▲
 *                           └──────proxy── gateways ────────────────┘
 *     console ──► gateway
 *
 * The judge connects to nats-server and store directly.
 */
export class Rig {
  readonly lines = {} as { publisher: TcpProxy; nats: TcpProxy; store: TcpProxy }
  readonly keepers = new Map<PartName, Keeper>()
  readonly engineStatus = new Map<string, EngineStatus>()
  connection!: NatsConnection
  client!: ClickHouseClient
  oracle!: Oracle
  /** One per gateway. */
  readonly consoles: ConsoleWatch[] = []
  /** Log of the keepers: parts that exited and restarted. */
  readonly keeperLog: string[] = []
  readonly clockFile: string
  readonly #keeping = new Map<PartName, KeeperOptions>()
  readonly #clusterUrls: string[] = []
  /** The private server, when there is one. */
  #nats: { remap(partitions: number): void } | undefined
  /** No number of partitions is used twice: the oracle knows the frames of each by the names of its streams. */
  #partitions = 4
  #natsPort = 0
  #storePort = 0

  private constructor(
    readonly folder: string,
    readonly options: RigOptions,
    readonly settings: Settings,
    readonly scope: Scope,
    readonly hasDisks: boolean,
  ) {
    this.clockFile = join(folder, 'clock')
    writeFileSync(this.clockFile, '0')
  }

  /** Starts the system; it stops with `scope`. */
  static async start(scope: Scope, options: RigOptions): Promise<Rig> {
    const folder = mkdtempSync(join(tmpdir(), 'platestream-faults-'))
    scope.teardown(() => rmSync(folder, { recursive: true, force: true }))
    const settings = loadSettings({
      env: {},
      overrides: { dataFolder: folder, 'nats.partitions': options.cluster ? NODE_PARTITIONS : 4 },
    })
    const paths = dataPaths(settings)
    // Three copies of everything do not fit on a small disk.
    const hasDisks =
      !options.cluster && [paths.nats, paths.store, paths.crops].map((path) => mountDisk(path, scope)).every(Boolean)
    const rig = new Rig(folder, options, settings, scope, hasDisks)
    await rig.#startServers(loadSecrets(paths.secrets))
    await rig.#startParts()
    return rig
  }

  get paths() {
    return dataPaths(this.settings)
  }
  /** Pid of a part, or undefined while it is not running. */
  pid(part: PartName): number | undefined {
    return this.keepers.get(part)?.running?.pid
  }
  get engines(): PartName[] {
    return [...this.keepers.keys()].filter((name) => name.startsWith('engine'))
  }
  gatewayUrl(n = 0): string {
    return String(this.keepers.get(`gateway-${n}`)?.running?.facts.url ?? `http://127.0.0.1:${this.#gatewayPorts[n]}`)
  }
  readonly #gatewayPorts: number[] = []

  /** Sends a signal, SIGKILL by default. The keeper restarts the part. */
  kill(part: PartName, signal: NodeJS.Signals = 'SIGKILL'): void {
    const pid = this.pid(part)
    if (pid !== undefined) process.kill(pid, signal)
  }

  /** Kills a part and keeps it down until `restart`. */
  async killAndKeepDown(part: PartName): Promise<void> {
    this.kill(part)
    await this.keepers.get(part)!.stop()
  }

  async restart(part: PartName): Promise<void> {
    const keeper = new Keeper(this.#keeping.get(part)!)
    this.keepers.set(part, keeper)
    await keeper.start()
  }

  /** Kills all parts at once, like a power failure without the loss of unwritten pages. They stay down. */
  async killAll(): Promise<void> {
    await Promise.all([...this.keepers.keys()].map((part) => this.killAndKeepDown(part)))
  }

  /** Restarts all parts after `killAll`. */
  async startAll(): Promise<void> {
    for (const part of this.#keeping.keys()) await this.restart(part)
  }

  /**
   * Changes the number of partitions while everything runs, as an operator does.
   * @param pauseMs from the change to the reload of the server's mapping
   */
  async changePartitions(pauseMs: number): Promise<void> {
    this.#partitions = this.#partitions === 4 ? 3 : Math.max(4, this.#partitions) + 1
    await changePartitions(this.connection, this.#partitions, { framesMaxBytes: FRAMES_MAX_BYTES })
    await sleep(pauseMs)
    this.#nats!.remap(this.#partitions)
    await until(async () => (await partitionsNow(this.connection)).from === undefined, 60_000)
  }

  async rows<T>(query: string): Promise<T[]> {
    return (await this.client.query({ query, format: 'JSONEachRow' })).json<T>()
  }

  /** Registers the feed's cameras under names that end in `suffix`. */
  async addCameras(suffix: string): Promise<void> {
    const registry = await CameraRegistry.open(this.connection)
    for (const camera of this.options.feed.cameras)
      await registry.put({ ...camera, id: `${camera.id}${suffix}`, name: camera.name })
  }

  /** Saves the hot list of all plates, as a new version when `extra` changes. */
  async saveHotList(extra = ''): Promise<void> {
    const head: HotListHead = {
      id: 'stolen',
      name: 'Stolen',
      kind: 'hot',
      priority: 'high',
      source: 'faults',
      tolerance: 'tolerant',
      threshold: 0.5,
    }
    const entries = this.options.feed.plates.map((plate) => ({ plate, reason: `stolen vehicle${extra}` }))
    await saveHotList(this.connection.jetstream(), head, entries)
  }

  /** Number of frames in the ledger for cameras with this suffix. */
  async stored(suffix: string): Promise<number> {
    const [row] = await this.rows<{ n: string }>(
      `SELECT sum(frames_in) AS n FROM platestream.ledger FINAL WHERE camera LIKE '%${suffix}'`,
    )
    return Number(row?.n ?? 0)
  }

  /** Offsets the wall clock of every engine and gateway. */
  setClocks(offsetMs: number): void {
    writeFileSync(this.clockFile, String(offsetMs))
    for (const [name] of this.keepers) if (/^(engine|gateway)/.test(name)) this.kill(name, 'SIGUSR2')
  }

  /** Fills the disk at `path` to the last block. @returns frees the space */
  fillDisk(path: string): () => void {
    const ballast = join(path, 'ballast')
    try {
      for (;;) writeFileSync(ballast, Buffer.alloc(statfsSync(path).bavail > 256 ? 1_048_576 : 4_096), { flag: 'a' })
    } catch {
      /* full */
    }
    return () => rmSync(ballast, { force: true })
  }

  /** Resident memory and open files of a part. */
  usage(part: PartName): { bytes: number; files: number } | undefined {
    const pid = this.pid(part)
    if (pid === undefined) return undefined
    try {
      const bytes = Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1_024
      return { bytes, files: readdirSync(`/proc/${pid}/fd`).length }
    } catch {
      return undefined
    }
  }

  /** Waits until every replica of every stream is up to date, so that another server may die. */
  async untilReplicated(limitMs = 180_000): Promise<void> {
    // checkAPI would query the account, which fails while the servers elect a leader.
    const manager = await this.connection.jetstreamManager({ checkAPI: false, timeout: 5_000 })
    await until(async () => {
      try {
        for await (const { cluster } of manager.streams.list()) {
          if (!cluster?.leader || (cluster.replicas ?? []).some(({ current, offline }) => !current || offline))
            return false
        }
        return true
      } catch {
        return false
      }
    }, limitMs)
  }

  async #startServers(secrets: { nats: string; store: string }): Promise<void> {
    const { paths, options } = this
    this.#natsPort = await freePort()
    this.#storePort = await freePort()
    if (options.cluster) await this.#startCluster(secrets.nats)
    else
      await this.#keep({
        name: 'nats',
        graceMs: 5_000,
        start: async () => {
          const server = await startPrivateServer({
            folder: paths.nats,
            token: secrets.nats,
            partitions: this.settings.nats.partitions,
            port: this.#natsPort,
            silentMs: 6_000,
          })
          this.#nats = server
          return {
            pid: server.pid,
            facts: { url: server.url, port: server.port },
            exited: server.exited,
            stop: (graceMs: number) => server.stop(graceMs),
          }
        },
      })
    await this.#keep({
      name: 'store',
      graceMs: 25_000,
      start: () =>
        startChild({
          args: [
            STORE_SCRIPT,
            '--with-parent',
            '--path',
            paths.store,
            '--port',
            String(this.#storePort),
            '--pool',
            String(POOL),
          ],
          env: { STORE_TOKEN: secrets.store, UV_THREADPOOL_SIZE: String(threadsFor(POOL)) },
          readyMs: 60_000,
          onLog: (line) => options.onLog?.('store', line),
        }),
    })
    for (const name of ['publisher', 'nats', 'store'] as const) {
      this.lines[name] = await TcpProxy.open(() => (name === 'store' ? this.#storePort : this.#natsPort))
      this.scope.teardown(() => this.lines[name].close())
    }
    const direct = this.#clusterUrls.join(',') || `nats://127.0.0.1:${this.#natsPort}`
    this.connection = await connectNats({ url: direct, token: secrets.nats, name: 'judge' })
    this.scope.teardown(() => this.connection.close())
    await setupNats(this.connection, {
      framesMaxBytes: FRAMES_MAX_BYTES,
      deadMaxBytes: 67_108_864,
      replicas: options.cluster ? 3 : 1,
      readyMs: 120_000,
    })
    void (async () => {
      for await (const message of this.connection.subscribe('status.engine.*')) {
        const status = message.json<EngineStatus>()
        this.engineStatus.set(status.instance, status)
      }
    })()
    const publisher = await connectNats({
      url: options.cluster ? direct : `nats://127.0.0.1:${this.lines.publisher.port}`,
      token: secrets.nats,
      name: 'oracle',
    })
    this.scope.teardown(() => publisher.close())
    this.oracle = new Oracle(publisher)
    this.client = createClient(this.settings, { url: `http://127.0.0.1:${this.#storePort}`, token: secrets.store })
    this.scope.teardown(() => this.client.close())
  }

  async #startCluster(token: string): Promise<void> {
    const found = clusterProgram()
    if ('missing' in found) throw new Error(found.missing)
    const { program } = found
    const ports = await Promise.all(
      [0, 1, 2].map(async () => ({ port: await freePort(), clusterPort: await freePort() })),
    )
    const routes = ports.map(({ clusterPort }) => clusterPort)
    this.#clusterUrls.push(...ports.map(({ port }) => `nats://127.0.0.1:${port}`))
    await Promise.all(
      ports.map((at, n) =>
        this.#keep({
          name: `nats-${n}`,
          graceMs: 5_000,
          start: () =>
            startNatsNode({
              ...at,
              program,
              name: `nats-${n}`,
              folder: join(this.paths.nats, String(n)),
              token,
              routes,
            }),
        }),
      ),
    )
  }

  async #startParts(): Promise<void> {
    const { options, paths } = this
    const secrets = loadSecrets(paths.secrets)
    const env = {
      NATS_URL: this.#clusterUrls.join(',') || `nats://127.0.0.1:${this.lines.nats.port}`,
      PLATESTREAM_NATS_REPLICAS: options.cluster ? '3' : '1',
      PLATESTREAM_NATS_TOKEN: secrets.nats,
      CLICKHOUSE_URL: `http://127.0.0.1:${this.lines.store.port}`,
      PLATESTREAM_CLICKHOUSE_PASSWORD: secrets.store,
      PLATESTREAM_LOG_LEVEL: 'warn',
      FAULT_CLOCK_FILE: this.clockFile,
      PLATESTREAM_NATS_FRAMES_MAX_BYTES: String(FRAMES_MAX_BYTES),
      ...options.env,
    }
    await this.saveHotList()
    const part = (name: PartName, command: string, args: string[]) =>
      this.#keep({
        name,
        graceMs: 15_000,
        start: () =>
          startChild({
            args: ['--import', PRELOAD, CLI_SCRIPT, command, '--with-parent', '--data', this.folder, ...args],
            env,
            readyMs: 180_000,
            onLog: (line) => options.onLog?.(name, line),
          }),
      })
    for (let n = 0; n < (options.gateways ?? 1); n++) this.#gatewayPorts.push(await freePort())
    const engines = Array.from({ length: options.engines ?? 1 }, (_, n) =>
      part(`engine-${n}`, 'engine', ['--instance', `engine-${n}`, '--workers', '2']),
    )
    const gateways = this.#gatewayPorts.map((port, n) => part(`gateway-${n}`, 'gateway', ['--port', String(port)]))
    await Promise.all([...engines, ...gateways])
    this.#gatewayPorts.forEach((_, n) => {
      const console = ConsoleWatch.open(() => this.gatewayUrl(n), secrets.console)
      this.consoles.push(console)
      this.scope.teardown(() => console.end())
    })
  }

  async #keep(part: Omit<KeeperOptions, 'log' | 'name'> & { name: PartName }): Promise<void> {
    const log = (text: string) => {
      this.keeperLog.push(text)
      this.options.onLog?.(part.name, text)
    }
    const options = { ...part, log, firstPauseMs: 300, maxPauseMs: 600 }
    const keeper = new Keeper(options)
    this.#keeping.set(part.name, options)
    this.keepers.set(part.name, keeper)
    this.scope.teardown(() => this.keepers.get(part.name)!.stop())
    await keeper.start()
  }
}

/** Mounts a small disk on a folder, so that it can be filled without filling the machine's disk. Requires root. */
function mountDisk(path: string, scope: Scope): boolean {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES},mode=0700`, 'platestream-faults', path], {
      stdio: 'ignore',
    })
  } catch {
    return false
  }
  scope.teardown(() => execFileSync('umount', ['-l', path]))
  return true
}
