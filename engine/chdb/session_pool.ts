import { sleep } from '../runtime/backoff.js'
import { shuttingDown, tooBusy } from './exception.js'
import type { EngineSession } from './chdb_session.js'
import { quote } from './sql_scanner.js'

/**
 * `ask` queries look things up, `change` queries write or are part of writing: dashboards must never keep reads from
 * being stored. `export` ones fetch much: people who wait go first.
 */
export type Lane = 'ask' | 'change' | 'export'

/**
 * How often a query is killed again until it is gone, in milliseconds: one that is still being planned is not listed
 * yet.
 */
const KILL_EVERY_MS = 200

export interface PoolOptions {
  /** Sessions, and so queries at a time. */
  size: number
  /** Queries that may wait for a session; beyond it TOO_MANY_SIMULTANEOUS_QUERIES (503). */
  maxWaiting: number
  open: (mark: string) => Promise<EngineSession>
}

interface Waiter {
  lane: Lane
  start: (session: EngineSession) => void
  refuse: (error: Error) => void
}

/**
 * The sessions of the engine. A quarter of them (at least one) is kept for the `change` lane, and at most a quarter (at
 * least one) may be exports at a time, so that there is always room for a question that a person waits for. A query
 * whose client has gone is killed from a control session, and its own session comes back only when the kill is over, so
 * that the kill cannot meet the next query.
 */
export class SessionPool {
  readonly #options: PoolOptions
  readonly #forAsking: number
  readonly #forExports: number
  #control!: EngineSession
  #idle: EngineSession[] = []
  #waiting: Waiter[] = []
  #asking = 0
  #exporting = 0
  #busy = new Set<EngineSession>()
  #closed = false
  #opened = 0
  #controlTail: Promise<unknown> = Promise.resolve()
  #onIdle: (() => void)[] = []

  private constructor(options: PoolOptions) {
    this.#options = options
    const quarter = Math.max(1, Math.floor(options.size / 4))
    this.#forAsking = Math.max(1, options.size - quarter)
    this.#forExports = quarter
  }

  static async open(options: PoolOptions): Promise<SessionPool> {
    const pool = new SessionPool(options)
    pool.#control = await pool.#open()
    for (let count = 0; count < options.size; count++) pool.#idle.push(await pool.#open())
    return pool
  }

  get running(): number {
    return this.#busy.size
  }
  get waiting(): number {
    return this.#waiting.length
  }

  /**
   * Runs `work` on a session of its own. `signal` ends the wait, or kills the query.
   * @throws TOO_MANY_SIMULTANEOUS_QUERIES, ABORTED, or what the work throws
   */
  async use<T>(lane: Lane, signal: AbortSignal, work: (session: EngineSession) => Promise<T>): Promise<T> {
    const session = await this.#take(lane, signal)
    let running = true
    let killing: Promise<void> | undefined
    const kill = () => {
      // What a killed query had ready would be handed to the next one of its session, as if it were its answer.
      session.spoiled = true
      killing = this.#killUntil(session, () => !running)
    }
    if (signal.aborted) kill()
    else signal.addEventListener('abort', kill, { once: true })
    try {
      return await work(session)
    } finally {
      running = false
      signal.removeEventListener('abort', kill)
      await killing
      await this.#giveBack(session, lane)
    }
  }

  /** Ends everything: waiting queries are refused, running ones get `graceMs`, then they are killed. */
  async close(graceMs: number): Promise<void> {
    this.#closed = true
    for (const waiter of this.#waiting.splice(0)) waiter.refuse(shuttingDown())
    if (this.#busy.size > 0) {
      const idle = new Promise<void>((resolve) => this.#onIdle.push(resolve))
      const late = setTimeout(() => {
        for (const session of this.#busy) void this.#killUntil(session, () => !this.#busy.has(session))
      }, graceMs)
      await idle
      clearTimeout(late)
    }
    await this.#controlTail
    for (const session of this.#idle) session.close()
    this.#control.close()
  }

  /** Runs a command on the control session, which no client can occupy. */
  control(sql: string): Promise<string> {
    const run = this.#controlTail.then(() =>
      this.#control.run(sql, { database: 'default', settings: new Map(), params: new Map() }, 'TabSeparated'),
    )
    this.#controlTail = run.catch(() => {})
    return run.then((answer) => answer.bytes.toString('utf8'))
  }

  #open(): Promise<EngineSession> {
    return this.#options.open(`platestream-${process.pid}-${++this.#opened}`)
  }

  #take(lane: Lane, signal: AbortSignal): Promise<EngineSession> {
    if (this.#closed) return Promise.reject(shuttingDown())
    if (signal.aborted) return Promise.reject(signal.reason as Error)
    if (this.#mayStart(lane)) return Promise.resolve(this.#start(lane))
    if (this.#waiting.length >= this.#options.maxWaiting) return Promise.reject(tooBusy(this.#options.maxWaiting))
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1)
        reject(signal.reason as Error)
      }
      const waiter: Waiter = {
        lane,
        start: (session) => {
          signal.removeEventListener('abort', leave)
          resolve(session)
        },
        refuse: (error) => {
          signal.removeEventListener('abort', leave)
          reject(error)
        },
      }
      signal.addEventListener('abort', leave, { once: true })
      this.#waiting.push(waiter)
    })
  }

  #mayStart(lane: Lane): boolean {
    return (
      this.#idle.length > 0 &&
      (lane === 'change' || (this.#asking < this.#forAsking && (lane === 'ask' || this.#exporting < this.#forExports)))
    )
  }

  #start(lane: Lane): EngineSession {
    const session = this.#idle.pop()!
    if (lane !== 'change') this.#asking++
    if (lane === 'export') this.#exporting++
    this.#busy.add(session)
    return session
  }

  async #giveBack(session: EngineSession, lane: Lane): Promise<void> {
    let next = session
    if (session.spoiled) {
      // Opened first: when the engine refuses, a spoiled session is better than none, and it stays marked for the next
      // try.
      next = await this.#open().catch(() => session)
      if (next !== session) session.close()
    }
    this.#busy.delete(session)
    if (lane !== 'change') this.#asking--
    if (lane === 'export') this.#exporting--
    this.#idle.push(next)
    const first = this.#waiting.findIndex((waiter) => waiter.lane !== 'export' && this.#mayStart(waiter.lane))
    const index = first >= 0 ? first : this.#waiting.findIndex((waiter) => this.#mayStart(waiter.lane))
    if (index >= 0) {
      const [waiter] = this.#waiting.splice(index, 1)
      waiter!.start(this.#start(waiter!.lane))
    } else if (this.#busy.size === 0) {
      for (const resolve of this.#onIdle.splice(0)) resolve()
    }
  }

  async #killUntil(session: EngineSession, gone: () => boolean): Promise<void> {
    while (!gone()) {
      await this.control(`KILL QUERY WHERE Settings['log_comment'] = ${quote(session.mark)} ASYNC`).catch(() => {})
      if (gone()) return
      await sleep(KILL_EVERY_MS)
    }
  }
}
