import { Events, type NatsConnection } from 'nats'
import { type ConnectionLog, connectNats } from '../../engine/mod.js'
import { backoffMs, reasonOf, sleep } from '../../engine/runtime/mod.js'

/** Work that needs NATS. It runs again after each (re)connection; `signal` fires when that connection is lost. */
export type NatsTask = (nats: NatsConnection, signal: AbortSignal) => Promise<void>

export interface NatsLinkState {
  connected: boolean
  /** Wall clock of the last change, milliseconds. */
  since: number
  reason: string
}

/**
 * The gateway's one connection to NATS. It connects in the background and retries forever: while NATS is unreachable
 * the gateway serves its console, and /readyz reports the reason.
 *
 * After a reconnection every task starts from scratch. Ephemeral consumers do not survive a server's restart, and a
 * client library that revives them cannot say what was missed in between. A task knows where it stopped.
 */
export class NatsLink {
  #nats: NatsConnection | undefined
  #state: NatsLinkState = { connected: false, since: Date.now(), reason: 'not connected yet' }
  #session: AbortController | undefined
  readonly #stopped = new AbortController()
  readonly #tasks = new Set<NatsTask>()
  #started: Promise<void> | undefined
  #reconnects = 0

  constructor(
    private readonly address: { url: string; token?: string },
    private readonly log: ConnectionLog,
  ) {}

  get state(): NatsLinkState {
    return this.#state
  }
  /** Reconnections since the start of the process. */
  get reconnects(): number {
    return this.#reconnects
  }
  /** @throws while there is no connection */
  get nats(): NatsConnection {
    if (!this.#nats || !this.#state.connected) throw new Error(this.#state.reason)
    return this.#nats
  }

  start(): void {
    this.#started ??= this.#run()
  }

  /**
   * Runs `task` on this and on every later connection. If it ends while the connection lives, it runs again after a
   * growing pause.
   */
  addTask(task: NatsTask): void {
    this.#tasks.add(task)
    if (this.#nats && this.#session && !this.#session.signal.aborted)
      void this.#perform(task, this.#nats, this.#session.signal)
  }

  async close(): Promise<void> {
    this.#stopped.abort()
    this.#session?.abort()
    await this.#nats?.close().catch(() => {})
    await this.#started
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        await this.#live(
          await connectNats({ ...this.address, name: 'gateway', waitOnFirstConnect: true, log: this.log, signal }),
        )
        attempt = 0
      } catch (error) {
        this.#down(reasonOf(error))
      }
      await sleep(backoffMs(attempt), signal)
    }
  }

  /** Resolves when the connection is closed for good. Until then the client reconnects by itself. */
  async #live(nats: NatsConnection): Promise<void> {
    if (this.#stopped.signal.aborted) return nats.close()
    this.#nats = nats
    this.#up(nats)
    void (async () => {
      for await (const { type } of nats.status()) {
        if (type === Events.Disconnect) this.#down('the connection was lost')
        else if (type === Events.Reconnect) {
          this.#reconnects++
          this.#up(nats)
        }
      }
    })()
    const error = await nats.closed()
    this.#nats = undefined
    this.#down(error ? reasonOf(error) : 'the connection was closed')
  }

  #up(nats: NatsConnection): void {
    this.#session?.abort()
    this.#session = new AbortController()
    this.#change(true, '')
    for (const task of this.#tasks) void this.#perform(task, nats, this.#session.signal)
  }

  #down(reason: string): void {
    this.#session?.abort()
    this.#change(false, reason)
  }

  async #perform(task: NatsTask, nats: NatsConnection, signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt++) {
      const started = performance.now()
      // A task reports its failures in its own state; the link only retries it.
      await task(nats, signal).catch(() => {})
      if (performance.now() - started > 10_000) attempt = 0
      await sleep(backoffMs(attempt), signal)
    }
  }

  #change(connected: boolean, reason: string): void {
    this.#state = { connected, reason, since: connected === this.#state.connected ? this.#state.since : Date.now() }
  }
}

/** Resolves when the signal fires: the end of a task that only listens. */
export function aborted(signal: AbortSignal): Promise<void> {
  return signal.aborted
    ? Promise.resolve()
    : new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
