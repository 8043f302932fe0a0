import { sleep } from '../runtime/backoff.js'
import { shuttingDown, tooBusy } from './exception.js'
import type { ChdbSession } from './chdb_session.js'
import type { ResultSummary } from './result_summary.js'
import { quote } from './sql_scanner.js'

/**
 * `write` queries write or are part of writing: dashboards must never keep reads from being stored. `export` queries
 * fetch much data, and the short `lookup` queries that people wait for take precedence over them.
 */
export type QueryClass = 'lookup' | 'write' | 'export'

/**
 * Interval at which KILL is repeated until the query has ended, milliseconds: a query in planning is not listed yet.
 */
const KILL_EVERY_MS = 200

export interface PoolOptions {
  /** Sessions, and so concurrent queries. */
  size: number
  /** Queries that may wait for a session; further ones get TOO_MANY_SIMULTANEOUS_QUERIES (503). */
  maxWaiting: number
  open: (mark: string) => Promise<ChdbSession>
}

interface Waiter {
  queryClass: QueryClass
  start: (session: ChdbSession) => void
  refuse: (error: Error) => void
}

/**
 * The sessions of the engine. A quarter of them (at least one) is reserved for writes, and at most a quarter (at least
 * one) runs exports, so that lookups always find a session. A query whose client has disconnected is killed from a
 * control session, and its own session returns to the pool only after the kill, so that the kill cannot hit the next
 * query.
 */
export class SessionPool {
  readonly #options: PoolOptions
  readonly #maxReaders: number
  readonly #maxExports: number
  #control!: ChdbSession
  #idle: ChdbSession[] = []
  #waiting: Waiter[] = []
  /** Running lookups and exports. */
  #readers = 0
  #exports = 0
  #busy = new Set<ChdbSession>()
  #closed = false
  #opened = 0
  #controlTail: Promise<unknown> = Promise.resolve()
  #onIdle: (() => void)[] = []

  private constructor(options: PoolOptions) {
    this.#options = options
    const quarter = Math.max(1, Math.floor(options.size / 4))
    this.#maxReaders = Math.max(1, options.size - quarter)
    this.#maxExports = quarter
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
   * Runs `work` with a session of its own. `signal` ends the wait, or kills the query.
   * @throws TOO_MANY_SIMULTANEOUS_QUERIES, ABORTED, or what the work throws
   */
  async use<T>(queryClass: QueryClass, signal: AbortSignal, work: (session: ChdbSession) => Promise<T>): Promise<T> {
    const session = await this.#take(queryClass, signal)
    let running = true
    let killing: Promise<void> | undefined
    const kill = () => {
      // The engine would return buffered results of a killed query as those of the session's next query.
      session.tainted = true
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
      await this.#giveBack(session, queryClass)
    }
  }

  /** Refuses waiting queries, kills running ones after `graceMs`, and closes all sessions. */
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

  /** How far the query of a session has come; undefined when the engine does not list it. */
  async progressOf(session: ChdbSession): Promise<ResultSummary | undefined> {
    const columns = 'read_rows, read_bytes, written_rows, written_bytes, total_rows_approx, elapsed'
    const line = await this.control(
      `SELECT ${columns} FROM system.processes WHERE Settings['log_comment'] = ${quote(session.mark)} LIMIT 1`,
    )
    if (line === '') return undefined
    const [readRows, readBytes, writtenRows, writtenBytes, totalRows, elapsed] = line.trim().split('\t').map(Number)
    return {
      readRows: readRows!,
      readBytes: readBytes!,
      writtenRows: writtenRows!,
      writtenBytes: writtenBytes!,
      totalRows: totalRows!,
      resultRows: 0,
      resultBytes: 0,
      elapsed: elapsed!,
    }
  }

  /** Runs a command on the control session, which clients never use. */
  control(sql: string): Promise<string> {
    const run = this.#controlTail.then(() =>
      this.#control.run(sql, { database: 'default', settings: new Map(), params: new Map() }, 'TabSeparated'),
    )
    this.#controlTail = run.catch(() => {})
    return run.then(({ bytes }) => bytes.toString('utf8'))
  }

  #open(): Promise<ChdbSession> {
    return this.#options.open(`platestream-${process.pid}-${++this.#opened}`)
  }

  #take(queryClass: QueryClass, signal: AbortSignal): Promise<ChdbSession> {
    if (this.#closed) return Promise.reject(shuttingDown())
    if (signal.aborted) return Promise.reject(signal.reason as Error)
    if (this.#mayStart(queryClass)) return Promise.resolve(this.#start(queryClass))
    if (this.#waiting.length >= this.#options.maxWaiting) return Promise.reject(tooBusy(this.#options.maxWaiting))
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1)
        reject(signal.reason as Error)
      }
      const waiter: Waiter = {
        queryClass,
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

  #mayStart(queryClass: QueryClass): boolean {
    if (this.#idle.length === 0) return false
    if (queryClass === 'write') return true
    return this.#readers < this.#maxReaders && (queryClass === 'lookup' || this.#exports < this.#maxExports)
  }

  #start(queryClass: QueryClass): ChdbSession {
    const session = this.#idle.pop()!
    if (queryClass !== 'write') this.#readers++
    if (queryClass === 'export') this.#exports++
    this.#busy.add(session)
    return session
  }

  async #giveBack(session: ChdbSession, queryClass: QueryClass): Promise<void> {
    let next = session
    if (session.tainted) {
      // The new one is opened first: when that fails, a tainted session is better than none and is replaced next time.
      next = await this.#open().catch(() => session)
      if (next !== session) session.close()
    }
    this.#busy.delete(session)
    if (queryClass !== 'write') this.#readers--
    if (queryClass === 'export') this.#exports--
    this.#idle.push(next)
    const first = this.#waiting.findIndex(
      (waiter) => waiter.queryClass !== 'export' && this.#mayStart(waiter.queryClass),
    )
    const index = first >= 0 ? first : this.#waiting.findIndex((waiter) => this.#mayStart(waiter.queryClass))
    if (index >= 0) {
      const [waiter] = this.#waiting.splice(index, 1)
      waiter!.start(this.#start(waiter!.queryClass))
    } else if (this.#busy.size === 0) {
      for (const resolve of this.#onIdle.splice(0)) resolve()
    }
  }

  async #killUntil(session: ChdbSession, ended: () => boolean): Promise<void> {
    while (!ended()) {
      await this.control(`KILL QUERY WHERE Settings['log_comment'] = ${quote(session.mark)} ASYNC`).catch(() => {})
      if (ended()) return
      await sleep(KILL_EVERY_MS)
    }
  }
}
