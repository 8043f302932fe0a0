import type { ChdbQueryStream, Session } from 'chdb'
import { identifier, quote } from './sql_scanner.js'

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
 * One connection to the engine, used by one query at a time. Settings and parameters of the query before are taken back
 * before the next one, so that it finds the session as new. What cannot be taken back (SET, temporary tables) makes the
 * session `spoiled`: it is replaced.
 */
export class EngineSession {
  /** Names this session's queries for KILL QUERY: the C interface takes no query id. */
  readonly mark: string
  spoiled = false
  readonly #session: Session
  #database = 'default'
  /** Settings and parameters of the last query, still set. */
  #left: { settings: ReadonlySet<string>; params: ReadonlySet<string> } = { settings: new Set(), params: new Set() }

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
  ): Promise<EngineSession> {
    // Loaded here and not with this file: half a gigabyte that a process which only starts the store must not map.
    const chdb = await import('chdb')
    const session = new EngineSession(new chdb.Session(path, { connectionArgs }), mark)
    await session.#command(setClause(new Map(Object.entries({ ...fixed, log_comment: mark }))))
    return session
  }

  /** Runs one statement to its end; the whole result is in memory, so the engine's `max_result_bytes` must bound it. */
  async run(sql: string, scope: Scope, defaultFormat: string): Promise<Answer> {
    await this.#use(scope.database)
    // With what it brings in one go: each call into the engine is a thread to wait for, which costs more than many a
    // question.
    const clause = this.#setClause(scope)
    const before = clause === '' ? '' : `${clause}; `
    const left = this.#left
    // Until it went well nobody knows how far it came: all of it is taken back.
    this.#left = {
      settings: new Set([...left.settings, ...scope.settings.keys()]),
      params: new Set([...left.params, ...scope.params.keys()]),
    }
    try {
      const result = await this.#session.queryAsync(before + sql, { format: defaultFormat })
      this.#left = { settings: new Set(scope.settings.keys()), params: new Set(scope.params.keys()) }
      const view = result.bytes()
      return {
        bytes: Buffer.from(view.buffer, view.byteOffset, view.byteLength),
        rows: result.rowsRead,
        readBytes: result.bytesRead,
        elapsed: result.elapsed,
      }
    } catch (error) {
      throw placed(error, before.length)
    }
  }

  /**
   * Hands the result to `sink` block by block and waits for it, so that a slow reader slows the engine down. The engine
   * plans the query on this thread: only for statements without subqueries, which it would run while planning.
   */
  async stream(sql: string, scope: Scope, format: string, sink: (chunk: Buffer) => Promise<void>): Promise<void> {
    await this.#use(scope.database)
    const clause = this.#setClause(scope)
    // One SET is all or nothing: when it fails, what was left before it is still there.
    if (clause !== '') await this.#command(clause)
    this.#left = { settings: new Set(scope.settings.keys()), params: new Set(scope.params.keys()) }
    const stream: ChdbQueryStream = this.#session.queryStream(sql, { format })
    try {
      for await (const chunk of stream) {
        const raw = chunk.raw()
        await sink(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength))
      }
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
   * What the query brings, and in the same breath what the last one left: taking it back after each query would make
   * everybody wait for it. A parameter cannot be unset, only emptied; the front refuses a query that names one it was
   * not given, so the rest is out of reach.
   */
  #setClause(scope: Scope): string {
    const parts = [
      ...[...this.#left.settings].filter((name) => !scope.settings.has(name)).map((name) => `${name} = DEFAULT`),
      ...[...this.#left.params].filter((name) => !scope.params.has(name)).map((name) => `param_${name} = ''`),
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

/** A syntax error names a position: that in the statement, not in what was sent before it too. */
function placed(error: unknown, before: number): unknown {
  if (before === 0 || !(error instanceof Error)) return error
  error.message = error.message.replace(/(failed at position )(\d+)/, (all, words: string, at: string) =>
    Number(at) > before ? `${words}${Number(at) - before}` : all,
  )
  return error
}
