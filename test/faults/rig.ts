import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NatsConnection } from 'nats'
import {
  CameraRegistry,
  type ClickHouseClient,
  connectNats,
  createClient,
  dataPaths,
  type EngineStatus,
  type HotListHead,
  loadSettings,
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
  /** A line of any part's log. */
  onLog?: (part: string, line: string) => void
}

/** Bytes of the small disks that stand in for the data folder, where this user may mount them. */
const DISK_BYTES = 320 * 1_048_576
const POOL = 4
const PRELOAD = new URL('./preload.js', import.meta.url).href

/**
 * The whole system as `up` runs it, each part a process that its keeper starts again, with lines between them that can
 * be made bad:
 *
 *     oracle ──line──► nats-server ◄──line── engines ──line──► store
 *                          ▲                                     ▲
 *                          └──────line── gateways ───────────────┘
 *     console ──► gateway
 *
 * The judge looks at nats-server and store directly.
 */
export class Rig {
  readonly lines = {} as { publisher: TcpProxy; nats: TcpProxy; store: TcpProxy }
  readonly keepers = new Map<PartName, Keeper>()
  readonly engineStatus = new Map<string, EngineStatus>()
  connection!: NatsConnection
  client!: ClickHouseClient
  oracle!: Oracle
  /** One at each gateway. */
  readonly consoles: ConsoleWatch[] = []
  /** What keepers said: parts that ended and came back. */
  readonly said: string[] = []
  readonly clockFile: string
  readonly #keeping = new Map<PartName, KeeperOptions>()
  readonly #clusterUrls: string[] = []
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

  /** Starts it all; it ends with `scope`. */
  static async start(scope: Scope, options: RigOptions): Promise<Rig> {
    const folder = mkdtempSync(join(tmpdir(), 'platestream-faults-'))
    scope.teardown(() => rmSync(folder, { recursive: true, force: true }))
    const settings = loadSettings({
      env: {},
      overrides: { dataFolder: folder, 'nats.partitions': options.cluster ? NODE_PARTITIONS : 4 },
    })
    const paths = dataPaths(settings)
    // Three copies of everything need more than a small disk.
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
  /** Pid of a part that runs now. */
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

  /** SIGKILL by default. Its keeper brings it back. */
  kill(part: PartName, signal: NodeJS.Signals = 'SIGKILL'): void {
    const pid = this.pid(part)
    if (pid !== undefined) process.kill(pid, signal)
  }

  /** SIGKILL, and it stays away until `startAgain`. */
  async killForGood(part: PartName): Promise<void> {
    this.kill(part)
    await this.keepers.get(part)!.stop()
  }

  async startAgain(part: PartName): Promise<void> {
    const keeper = new Keeper(this.#keeping.get(part)!)
    this.keepers.set(part, keeper)
    await keeper.start()
  }

  /**
   * All parts at once, as when the machine's power goes (but for what the kernel had not written yet). They stay down.
   */
  async killAll(): Promise<void> {
    await Promise.all([...this.keepers.keys()].map((part) => this.killForGood(part)))
  }

  /** After `killAll`. */
  async startAll(): Promise<void> {
    for (const part of this.#keeping.keys()) await this.startAgain(part)
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

  /** The list of everything that is looked for, in a new version when `extra` is another text. */
  async saveList(extra = ''): Promise<void> {
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

  /** Frames of the cameras with this suffix that the ledger has. */
  async stored(suffix: string): Promise<number> {
    const [row] = await this.rows<{ n: string }>(
      `SELECT sum(frames_in) AS n FROM platestream.ledger FINAL WHERE camera LIKE '%${suffix}'`,
    )
    return Number(row?.n ?? 0)
  }

  /** Sets the wall clock of every engine and gateway off by so much. */
  setClocks(offsetMs: number): void {
    writeFileSync(this.clockFile, String(offsetMs))
    for (const [name] of this.keepers) if (/^(engine|gateway)/.test(name)) this.kill(name, 'SIGUSR2')
  }

  /** Fills the disk below `path` to the last block. @returns gives the room back */
  fillDisk(path: string): () => void {
    const ballast = join(path, 'ballast')
    try {
      for (let written = 0; ; written++)
        writeFileSync(ballast, Buffer.alloc(statfsSync(path).bavail > 256 ? 1_048_576 : 4_096), { flag: 'a' })
    } catch {
      /* full */
    }
    return () => rmSync(ballast, { force: true })
  }

  /** Resident bytes and open files of a process of ours. */
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

  /** Waits until every copy of every stream is up to date: then another server may die. */
  async untilCopied(limitMs = 60_000): Promise<void> {
    // without asking for the account first: while servers choose a leader nobody answers, and that is what is waited
    // for here
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
      framesMaxBytes: 67_108_864,
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
    const { options, paths, settings } = this
    const secrets = loadSecrets(paths.secrets)
    const env = {
      NATS_URL: this.#clusterUrls.join(',') || `nats://127.0.0.1:${this.lines.nats.port}`,
      PLATESTREAM_NATS_REPLICAS: options.cluster ? '3' : '1',
      PLATESTREAM_NATS_TOKEN: secrets.nats,
      PLATESTREAM_NATS_PARTITIONS: String(settings.nats.partitions),
      PLATESTREAM_NATS_FRAMES_MAX_BYTES: '67108864',
      CLICKHOUSE_URL: `http://127.0.0.1:${this.lines.store.port}`,
      PLATESTREAM_CLICKHOUSE_PASSWORD: secrets.store,
      PLATESTREAM_LOG_LEVEL: 'warn',
      FAULT_CLOCK_FILE: this.clockFile,
      ...options.env,
    }
    await this.saveList()
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

  async #keep(part: Omit<KeeperOptions, 'say' | 'name'> & { name: PartName }): Promise<void> {
    const say = (text: string) => {
      this.said.push(text)
      this.options.onLog?.(part.name, text)
    }
    const options = { ...part, say, firstPauseMs: 300, maxPauseMs: 600 }
    const keeper = new Keeper(options)
    this.#keeping.set(part.name, options)
    this.keepers.set(part.name, keeper)
    this.scope.teardown(() => this.keepers.get(part.name)!.stop())
    await keeper.start()
  }
}

/** A disk of its own for one folder, so that it can be filled without filling the machine's. Needs root. */
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
