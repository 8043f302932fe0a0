import type { ChdbQueryStream, Session } from 'chdb'
import { identifier, quote } from './sql_scanner.js'

/** What applies to one query only. */
export interface QueryScope {
  database: string
  settings: ReadonlyMap<string, string>
  params: ReadonlyMap<string, string>
}

export interface QueryResult {
  bytes: Buffer
  /** Rows and bytes that the engine read. */
  rows: number
  readBytes: number
  /** Seconds inside the engine. */
  elapsed: number
}

/**
 * One connection to the ClickHouse engine in this process, used by one query at a time. Settings and parameters of a
 * query are reset before the next one, which finds the session like new. A query with effects that cannot be reset
 * (SET, temporary tables) or that fails makes the session `tainted`, and the pool replaces it.
 */
export class ChdbSession {
  /** Identifies this session's queries for KILL QUERY, because the C interface takes no query id. */
  readonly mark: string
  tainted = false
  readonly #session: Session
  #database = 'default'
  /** Settings and parameters of the last query, which are still set. */
  #stale: { settings: ReadonlySet<string>; params: ReadonlySet<string> } = { settings: new Set(), params: new Set() }

  private constructor(session: Session, mark: string) {
    this.#session = session
    this.mark = mark
  }

  /** @throws the engine's error; code 76 when another process owns the folder */
  static async open(
    path: string,
    mark: string,
    fixed: Readonly<Record<string, string>>,
    connectionArgs: string[],
  ): Promise<ChdbSession> {
    // Loaded here and not with this file: a process that only launches the store must not map half a gigabyte.
    const chdb = await import('chdb')
    const session = new ChdbSession(new chdb.Session(path, { connectionArgs }), mark)
    await session.#command(setClause(new Map(Object.entries({ ...fixed, log_comment: mark }))))
    return session
  }

  /** Runs one statement to its end; the whole result is in memory, so the engine's `max_result_bytes` must bound it. */
  async run(sql: string, scope: QueryScope, defaultFormat: string): Promise<QueryResult> {
    await this.#use(scope.database)
    // SET and statement in one call: each call into the engine waits for a thread, which takes longer than many
    // queries.
    const clause = this.#setClause(scope)
    const prefix = clause === '' ? '' : `${clause}; `
    const stale = this.#stale
    // A failed call may have applied any part of the SET: the next one then resets all of it.
    this.#stale = {
      settings: new Set([...stale.settings, ...scope.settings.keys()]),
      params: new Set([...stale.params, ...scope.params.keys()]),
    }
    try {
      const result = await this.#session.queryAsync(prefix + sql, { format: defaultFormat })
      this.#stale = { settings: new Set(scope.settings.keys()), params: new Set(scope.params.keys()) }
      const view = result.bytes()
      return {
        bytes: Buffer.from(view.buffer, view.byteOffset, view.byteLength),
        rows: result.rowsRead,
        readBytes: result.bytesRead,
        elapsed: result.elapsed,
      }
    } catch (error) {
      // The engine keeps the rows that a query wrote before it failed, and gives them to the session's next query.
      this.tainted = true
      throw withoutPrefix(error, prefix.length)
    }
  }

  /**
   * Passes the result to `sink` block by block and waits for it, so that a slow reader slows the engine down. The
   * engine plans the query on this thread: use it only for statements without subqueries, which would run during
   * planning.
   */
  async stream(sql: string, scope: QueryScope, format: string, sink: (chunk: Buffer) => Promise<void>): Promise<void> {
    await this.#use(scope.database)
    const clause = this.#setClause(scope)
    // One SET is all or nothing: when it fails, the previous settings are still there.
    if (clause !== '') await this.#command(clause)
    this.#stale = { settings: new Set(scope.settings.keys()), params: new Set(scope.params.keys()) }
    const stream: ChdbQueryStream = this.#session.queryStream(sql, { format })
    try {
      for await (const chunk of stream) {
        const raw = chunk.raw()
        await sink(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength))
      }
    } catch (error) {
      this.tainted = true
      throw error
    } finally {
      stream.cancel()
    }
  }

  /** Runs a short command outside any scope. */
  async #command(sql: string): Promise<void> {
    await this.#session.queryAsync(sql, { format: 'Null' })
  }

  async #use(database: string): Promise<void> {
    if (database === this.#database) return
    await this.#command(`USE ${identifier(database)}`)
    this.#database = database
  }

  /**
   * Sets the scope of a query and resets that of the last one in the same statement: a reset after each query would
   * delay its result. A parameter cannot be unset, only emptied; the server refuses a query that names a parameter
   * which the request does not set, so emptied ones are out of reach.
   */
  #setClause(scope: QueryScope): string {
    const parts = [
      ...[...this.#stale.settings].filter((name) => !scope.settings.has(name)).map((name) => `${name} = DEFAULT`),
      ...[...this.#stale.params].filter((name) => !scope.params.has(name)).map((name) => `param_${name} = ''`),
      ...[...scope.settings].map(([name, value]) => `${name} = ${quote(value)}`),
      ...[...scope.params].map(([name, value]) => `param_${name} = ${quote(value)}`),
    ]
    return parts.length === 0 ? '' : `SET ${parts.join(', ')}`
  }

  close(): void {
    this.#session.close()
  }
}

function setClause(values: ReadonlyMap<string, string>): string {
  return `SET ${[...values].map(([name, value]) => `${name} = ${quote(value)}`).join(', ')}`
}

/** Corrects the position in a syntax error: it must count from the statement, not from the prefix before it. */
function withoutPrefix(error: unknown, prefixLength: number): unknown {
  if (prefixLength === 0 || !(error instanceof Error)) return error
  error.message = error.message.replace(/(failed at position )(\d+)/, (all, words: string, at: string) =>
    Number(at) > prefixLength ? `${words}${Number(at) - prefixLength}` : all,
  )
  return error
}
