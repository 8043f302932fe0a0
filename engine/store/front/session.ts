import type { ChdbQueryStream, Session } from 'chdb'
import { identifier, quote } from './sql.js'

/** What a query brings along and must not leave behind. */
export interface Scope {
  database: string
  settings: ReadonlyMap<string, string>
  params: ReadonlyMap<string, string>
}

export interface Answer {
  bytes: Buffer
  /** Rows and bytes that the engine read for it. */
  rows: number
  readBytes: number
  /** Seconds inside the engine. */
  elapsed: number
}

/**
 * One connection to the engine, used by one query at a time. Settings and parameters are set before a query and taken back after it, so that
 * the next one finds the session as new. What cannot be taken back (SET, temporary tables) makes the session `spoiled`: it is replaced.
 */
export class EngineSession {
  /** Names this session's queries for KILL QUERY: the C interface takes no query id. */
  readonly mark: string
  spoiled = false
  readonly #session: Session
  #database = 'default'

  private constructor(session: Session, mark: string) {
    this.#session = session
    this.mark = mark
  }

  /** @throws the engine's error; code 76 when another process owns the folder */
  static async open(path: string, mark: string, fixed: Readonly<Record<string, string>>, connectionArgs: string[]): Promise<EngineSession> {
    // Loaded here and not with this file: half a gigabyte that a process which only starts the store must not map.
    const chdb = await import('chdb')
    const session = new EngineSession(new chdb.Session(path, { connectionArgs }), mark)
    await session.#command(setClause(new Map(Object.entries({ ...fixed, log_comment: mark }))))
    return session
  }

  /** Runs one statement to its end; the whole result is in memory, so the engine's `max_result_bytes` must bound it. */
  async run(sql: string, scope: Scope, defaultFormat: string): Promise<Answer> {
    return this.#within(scope, async () => {
      const result = await this.#session.queryAsync(sql, { format: defaultFormat })
      const view = result.bytes()
      return { bytes: Buffer.from(view.buffer, view.byteOffset, view.byteLength), rows: result.rowsRead, readBytes: result.bytesRead, elapsed: result.elapsed }
    })
  }

  /**
   * Hands the result to `sink` block by block and waits for it, so that a slow reader slows the engine down. The engine plans the query on
   * this thread: only for statements without subqueries, which it would run while planning.
   */
  async stream(sql: string, scope: Scope, format: string, sink: (chunk: Buffer) => Promise<void>): Promise<void> {
    await this.#within(scope, async () => {
      const stream: ChdbQueryStream = this.#session.queryStream(sql, { format })
      try {
        for await (const chunk of stream) {
          const raw = chunk.raw()
          await sink(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength))
        }
      } finally {
        stream.cancel()
      }
    })
  }

  /** Runs a short command outside any scope. */
  async #command(sql: string): Promise<void> {
    await this.#session.queryAsync(sql, { format: 'Null' })
  }

  async #within<T>(scope: Scope, work: () => Promise<T>): Promise<T> {
    if (scope.database !== this.#database) {
      await this.#command(`USE ${identifier(scope.database)}`)
      this.#database = scope.database
    }
    const set = new Map<string, string>(scope.settings)
    for (const [name, value] of scope.params) set.set(`param_${name}`, value)
    // One SET is all or nothing: when it fails there is nothing to take back.
    if (set.size > 0) await this.#command(setClause(set))
    try {
      return await work()
    } finally {
      if (set.size > 0) await this.#command(resetClause(scope)).catch(() => { this.spoiled = true })
    }
  }

  close(): void {
    this.#session.close()
  }
}

function setClause(values: ReadonlyMap<string, string>): string {
  return `SET ${[...values].map(([name, value]) => `${name} = ${quote(value)}`).join(', ')}`
}

/** A parameter cannot be unset, only emptied; the front refuses a query that names one it was not given, so the rest is out of reach. */
function resetClause(scope: Scope): string {
  const settings = [...scope.settings.keys()].map((name) => `${name} = DEFAULT`)
  const params = [...scope.params.keys()].map((name) => `param_${name} = ''`)
  return `SET ${[...settings, ...params].join(', ')}`
}
