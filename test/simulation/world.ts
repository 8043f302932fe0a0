import type { Logger } from 'pino'
import { loadSettings, type Settings } from '../../engine/settings.js'
import { reasonOf } from '../../engine/errors.js'
import { VirtualClock, type Process } from './clock.js'
import { setWorld } from './current.js'
import { SimulatedDisks } from './disks.js'
import { EngineHost } from './engine_host.js'
import { Network, useNetwork } from './nats/network.js'
import { SimulatedServer } from './nats/server.js'
import type { StoredMessage, Stream } from './nats/stream.js'
import type { Mapping } from './nats/subjects.js'
import { Oracle } from './oracle.js'
import { usePlatform } from './platform.js'
import { Random } from './random.js'
import { SimulatedStore } from './store.js'
import { Trace } from './trace.js'

export interface WorldOptions {
  seed: number
  engines: number
  settings: SettingsChanges
  natsVersion: string
  /** Of the server. */
  mappings: readonly Mapping[]
  print?: (line: string) => void
}

/** Settings that a run changes; the bounds are smaller than the settings' schema allows. */
export interface SettingsChanges {
  partitions?: number
  framesMaxBytes?: number
  detectionsMaxBytes?: number
  deadMaxBytes?: number
}

/** Faults of NATS that last a while. */
interface NatsConditions {
  answerDelayMs: number
  /** Share of the answers that are lost. */
  lostAnswers: number
  /** Answers about these subjects are lost. */
  lostSubjects: RegExp | undefined
}

/** Largest message, bytes. */
const MAX_PAYLOAD = 262_144

/** Everything that a run simulates: time, servers, network, disks, engines; and the oracle that watches them. */
export class World {
  readonly random: Record<'platform' | 'engines' | 'servers' | 'network' | 'faults' | 'traffic' | 'acts', Random>
  readonly clock: VirtualClock
  readonly trace: Trace
  readonly server: SimulatedServer
  readonly network: Network
  readonly store: SimulatedStore
  readonly disks: SimulatedDisks
  readonly oracle: Oracle
  readonly engines: EngineHost[]
  /** Processes whose recognition threads do not start any more. */
  readonly brokenRecognizers = new Set<Process>()
  /** Keys of frames that can be recognized, but of which no picture can be made. */
  readonly unrenderable = new Set<string>()
  /** Sees every message that a stream stores. */
  onStored: ((stream: Stream, message: StoredMessage) => void) | undefined
  readonly nats: NatsConditions = { answerDelayMs: 0.3, lostAnswers: 0, lostSubjects: undefined }

  constructor(readonly options: WorldOptions) {
    const of = (name: string) => new Random(options.seed, name)
    this.random = {
      platform: of('platform'),
      engines: of('engines'),
      servers: of('servers'),
      network: of('network'),
      faults: of('faults'),
      traffic: of('traffic'),
      acts: of('acts'),
    }
    const { servers, network } = this.random
    this.clock = new VirtualClock(of('timers'))
    this.trace = new Trace(this.clock, options.print)
    setWorld(this)
    usePlatform(this.clock, this.random.platform)
    useNetwork(() => this.network)
    this.store = new SimulatedStore(this.clock, servers, this.trace, { delayMs: 8, failures: 0 }, (reads) =>
      this.oracle.readsInserted(reads),
    )
    this.oracle = new Oracle(this.store, this.trace, () => this.server.wallClock())
    this.server = new SimulatedServer(
      this.clock,
      { mappings: options.mappings, maxPayload: MAX_PAYLOAD, version: options.natsVersion },
      this.trace,
      {
        answerDelay: () => servers.delay(this.nats.answerDelayMs),
        losesAnswer: (subject) =>
          this.nats.lostSubjects?.test(subject) === true || servers.chance(this.nats.lostAnswers),
      },
      {
        stored: (stream, message) => {
          this.oracle.stored(stream, message)
          this.onStored?.(stream, message)
        },
        removed: (stream, messages, why, by) => {
          if (why === 'purge') this.trace.note('nats', `${by} purges ${stream.name} below ${stream.firstSeq}`)
          this.oracle.removed(stream, messages, why, by)
        },
      },
    )
    this.network = new Network(this.clock, network, this.trace, this.server, { delayMs: 0.3 })
    this.disks = new SimulatedDisks(this.clock, servers, { delayMs: 2, isFull: false })
    this.engines = Array.from(
      { length: options.engines },
      (_, index) => new EngineHost(this, `engine-${index}`, this.settingsOf(`engine-${index}`, options.settings)),
    )
  }

  settingsOf(instance: string, changes: SettingsChanges): Settings {
    const settings = loadSettings({
      // A settings file of the working folder must not change a seed.
      env: { PLATESTREAM_CONFIG: '/simulated/none.json' },
      overrides: {
        dataFolder: '/simulated',
        'nats.url': 'nats://127.0.0.1:4222',
        'nats.partitions': changes.partitions,
        'engine.instance': instance,
        'engine.workers': 2,
      },
    })
    const { partitions: _, ...bounds } = changes
    return { ...settings, nats: { ...settings.nats, ...bounds } }
  }

  /** The log of a process; its lines become part of the trace. */
  logOf(process: Process): Logger {
    const write = (fields: unknown, text?: string) => {
      if (process.alive) this.trace.note(process.name, `log: ${text ?? ''} ${textOf(fields)}`)
    }
    const log = { info: write, warn: write, error: write, debug: () => {}, trace: () => {}, fatal: write }
    return { ...log, child: () => log } as unknown as Logger
  }

  /** An engine could not start, or was refused. */
  engineFailed(host: EngineHost, error: unknown): void {
    const { code } = error as { code?: string }
    // Expected while servers are away, and when an engine of the same name has not ended yet.
    if (code === 'ALPR_ERR_NATS_UNAVAILABLE' || code === 'ALPR_ERR_INSTANCE_TAKEN') return
    if (code?.startsWith('ALPR_ERR')) this.oracle.add('refused', `${host.instance}: ${reasonOf(error)}`)
  }

  /** A promise of the engine failed and nobody caught it: Node.js ends the process. */
  crashed(error: unknown): void {
    const process = this.clock.current
    const host = this.engines.find((one) => one.process === process)
    this.oracle.add('crash', `${process?.name}: ${(error as Error)?.stack ?? String(error)}`)
    host?.kill()
  }
}

function textOf(fields: unknown): string {
  if (fields === null || typeof fields !== 'object') return ''
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${value instanceof Error ? value.message : String(value)}`)
    .join(' ')
}
