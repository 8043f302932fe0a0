import { connectNats } from '../../engine/nats/connect.js'
import { startEngine, type Engine } from '../../engine/engine.js'
import type { Settings } from '../../engine/settings.js'
import type { Logger } from 'pino'
import { Process, type VirtualClock } from './clock.js'
import type { Network } from './nats/network.js'
import type { Trace } from './trace.js'

/** What surrounds an engine. */
interface EngineWorld {
  readonly clock: VirtualClock
  readonly trace: Trace
  readonly network: Network
  logOf(process: Process): Logger
  engineFailed(host: EngineHost, error: unknown): void
}

/** How long the supervisor waits before it starts an engine again, ms. */
const RESTART_MS = 500

/**
 * One engine, as a supervisor runs it: started again when it ends, killed when the simulation says so. This file is all
 * that knows how an engine is put together.
 */
export class EngineHost {
  process: Process | undefined
  private engine: Engine | undefined
  private starts = 0
  private isWanted = false

  constructor(
    private readonly world: EngineWorld,
    readonly instance: string,
    public settings: Settings,
  ) {}

  get isRunning(): boolean {
    return this.process?.alive === true
  }

  start(): void {
    this.isWanted = true
    if (this.isRunning) return
    const process = new Process(`${this.instance}#${++this.starts}`)
    this.process = process
    this.world.trace.note(process.name, 'starts')
    this.world.clock.schedule(0, () => void this.run(process), process)
  }

  /** Ends the process at this instant: nothing of it runs any more. It starts again after `restartMs`. */
  kill(restartMs = RESTART_MS): void {
    if (!this.process?.alive) return
    this.world.trace.note(this.process.name, 'is killed')
    this.end(this.process, restartMs)
  }

  /** Lets the engine end by itself, and kills it when that takes longer than 15 s, as a supervisor does. */
  stop(restartMs = RESTART_MS): void {
    const { process, engine } = this
    if (!process?.alive) return
    if (!engine) return this.kill(restartMs)
    this.world.trace.note(process.name, 'is asked to end')
    const { clock } = this.world
    clock.schedule(
      0,
      () => {
        const ended = (error?: unknown) => {
          this.world.trace.note(process.name, error ? `ends: ${(error as Error).message}` : 'ends')
          this.end(process, restartMs)
        }
        void engine.close().then(() => ended(), ended)
      },
      process,
    )
    clock.schedule(15_000, () => {
      if (process.alive) this.kill(restartMs)
    })
  }

  /** Ends the process; it stays down until `start`. */
  retire(): void {
    this.isWanted = false
    this.kill()
  }

  private async run(process: Process): Promise<void> {
    const { world } = this
    const log = world.logOf(process)
    try {
      const connection = await connectNats({
        url: 'nats://127.0.0.1:4222',
        name: `engine ${this.instance}`,
        waitOnFirstConnect: true,
        log,
      })
      const engine = await startEngine(this.settings, connection, { url: 'http://127.0.0.1:1', token: '' }, log)
      this.engine = engine
      world.trace.note(process.name, 'works')
      void engine.refused.then((error) => this.fail(process, error))
    } catch (error) {
      this.fail(process, error)
    }
  }

  private fail(process: Process, error: unknown): void {
    this.world.trace.note(process.name, `fails: ${(error as Error).message}`)
    this.world.engineFailed(this, error)
    this.end(process, RESTART_MS)
  }

  private end(process: Process, restartMs: number): void {
    const { clock, network } = this.world
    process.alive = false
    if (this.process === process) this.engine = undefined
    network.break(process)
    clock.schedule(restartMs, () => {
      if (this.isWanted && this.process === process) this.start()
    })
  }
}
