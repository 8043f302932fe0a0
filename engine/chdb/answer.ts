import type { IncomingMessage, ServerResponse } from 'node:http'
import { badRequest, notImplemented, StoreException } from './exception.js'
import { bodyError, decodersOf, detached, readForm, readText } from './request_body.js'
import type { Lane, SessionPool } from './session_pool.js'
import { readAddress, type Asked, type Limits } from './request_address.js'
import { sendWhole, setHeaders, StreamedReply } from './reply.js'
import type { EngineSession, Scope } from './chdb_session.js'
import { NotOneStatement, quote, scan, type Statement } from './sql_scanner.js'
import type { Spool, Spooled } from './spool.js'

/** Everything that answering needs. */
export interface RequestContext {
  pool: SessionPool
  spool: Spool
  limits: Limits
  /** SQL text without data, in bytes. */
  maxStatementBytes: number
}

const ASKING = new Set(['SELECT', 'WITH', 'SHOW', 'DESCRIBE', 'DESC', 'EXPLAIN', 'EXISTS', 'CHECK', 'VALUES'])
/** What these do to a session cannot be taken back by name. */
const SPOILING = new Set(['SET', 'USE', 'BEGIN', 'COMMIT', 'ROLLBACK', 'EXECUTE', 'PREPARE', 'DEALLOCATE'])
/** Formats whose blocks, written one after the other, are the whole: no header, no footer. */
const STREAMABLE = new Set([
  'JSONEachRow',
  'JSONCompactEachRow',
  'JSONStringsEachRow',
  'TabSeparated',
  'TSV',
  'CSV',
  'RowBinary',
  'Native',
])
const DEFAULT_FORMAT = 'TabSeparated'

/** Answers one request. @throws StoreException or the engine's error, for the caller to tell */
export async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  kitchen: RequestContext,
  seen: { queryId: string },
): Promise<void> {
  const asked = readAddress(request, kitchen.limits)
  seen.queryId = asked.queryId
  if (request.method !== 'GET' && request.method !== 'HEAD' && request.method !== 'POST')
    throw notImplemented(`The method ${request.method}`)

  const gone = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new StoreException(394, 'QUERY_WAS_CANCELLED', 'The client has gone'))
  })

  const { statement, data } = await readStatement(request, asked, kitchen)
  try {
    check(statement, asked, request.method)
    await run(statement, data, asked, response, kitchen, gone.signal)
  } finally {
    data?.release()
  }
}

/** The statement, and where its data lies when it is an insert that takes some. */
async function readStatement(
  request: IncomingMessage,
  asked: Asked,
  kitchen: RequestContext,
): Promise<{ statement: Statement; data?: Spooled }> {
  const decoders = decodersOf(request)
  const type = request.headers['content-type'] ?? ''
  const inAddress = asked.query ? scanOne(asked.query) : undefined
  if (inAddress?.dataAt !== undefined && inAddress.inlineDataAt === undefined && hasBody(request)) {
    const data = await kitchen.spool.take(detached(request), ...decoders).catch((error: unknown) => {
      throw bodyError(error)
    })
    return { statement: inAddress, data }
  }
  const body = await readText(detached(request), decoders, kitchen.maxStatementBytes)
  const form = type.startsWith('multipart/form-data')
  const text = form ? readForm(body, type, asked.params) : body.toString('utf8')
  const statement = scanOne(asked.query ? (text ? `${asked.query}\n${text}` : asked.query) : text)
  // No data is data too, of no rows: without a file the engine would wait for its standard input.
  if (statement.inlineDataAt === undefined)
    return statement.dataAt === undefined
      ? { statement }
      : { statement, data: await kitchen.spool.put(Buffer.alloc(0)) }
  // Bytes, not text, when they came as bytes: a binary format may follow the statement.
  const head = Buffer.byteLength((asked.query ? `${asked.query}\n${text}` : text).slice(0, statement.inlineDataAt))
  const whole = form ? Buffer.from(text) : asked.query ? Buffer.concat([Buffer.from(`${asked.query}\n`), body]) : body
  return { statement, data: await kitchen.spool.put(whole.subarray(head)) }
}

function hasBody(request: IncomingMessage): boolean {
  return request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0
}

function scanOne(sql: string): Statement {
  try {
    return scan(sql)
  } catch (error) {
    if (error instanceof NotOneStatement)
      throw new StoreException(62, 'SYNTAX_ERROR', `Syntax error (${error.message})`)
    throw error
  }
}

function check(statement: Statement, asked: Asked, method: string | undefined): void {
  if (statement.kind === '') throw new StoreException(62, 'SYNTAX_ERROR', 'Syntax error: the query is empty')
  if (statement.outside) throw notImplemented(statement.outside)
  if (method !== 'POST' && !ASKING.has(statement.kind))
    throw new StoreException(164, 'READONLY', 'Cannot execute query in readonly mode: use POST')
  // Values of earlier queries stay in the session; one that was not given now must be missing, not old.
  for (const name of statement.placeholders) {
    if (!asked.params.has(name))
      throw new StoreException(456, 'UNKNOWN_QUERY_PARAMETER', `Substitution \`${name}\` is not set`)
  }
}

async function run(
  statement: Statement,
  data: Spooled | undefined,
  asked: Asked,
  response: ServerResponse,
  kitchen: RequestContext,
  gone: AbortSignal,
): Promise<void> {
  const sql = data ? withFile(statement, data) : statement.text
  const format = statement.format && !data ? statement.format : (asked.defaultFormat ?? DEFAULT_FORMAT)
  const settings = asked.settings
  const asking = ASKING.has(statement.kind)
  const streamed =
    asked.stream &&
    asking &&
    STREAMABLE.has(format) &&
    !statement.nested &&
    (statement.kind === 'SELECT' || statement.kind === 'WITH')
  if (streamed) settings.set('max_result_bytes', '0')
  // ClickHouse's `priority`: 1 is the highest that one can ask for (the writer's own lookups), 0 says nothing.
  const priority = Number(settings.get('priority') ?? 0)
  const lane: Lane = !asking || priority === 1 ? 'change' : streamed || priority > 1 ? 'export' : 'ask'
  const scope: Scope = { database: asked.database, settings, params: asked.params }

  await kitchen.pool.use(lane, gone, async (session) => {
    if (SPOILING.has(statement.kind) || statement.temporary) session.spoiled = true
    if (streamed) await runStreamed(session, sql, scope, format, asked, response, gone)
    else await runWhole(session, sql, scope, format, asked, data, response)
  })
}

async function runWhole(
  session: EngineSession,
  sql: string,
  scope: Scope,
  format: string,
  asked: Asked,
  data: Spooled | undefined,
  response: ServerResponse,
): Promise<void> {
  const result = await session.run(sql, scope, format)
  if (response.destroyed) return
  setHeaders(response, asked, format, {
    readRows: result.rows,
    readBytes: result.readBytes,
    resultRows: data ? result.rows : rowsIn(result.bytes, format),
    resultBytes: result.bytes.length,
    ...(data && { writtenRows: result.rows, writtenBytes: data.bytes }),
    elapsed: result.elapsed,
  })
  await sendWhole(response, result.bytes, asked.gzip)
}

/** Rows of a result, where its format tells them by its lines. */
function rowsIn(bytes: Buffer, format: string): number {
  if (!/^(JSON\w*EachRow|TabSeparated|TSV)$/.test(format)) return 0
  let rows = 0
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) rows++
  return rows
}

async function runStreamed(
  session: EngineSession,
  sql: string,
  scope: Scope,
  format: string,
  asked: Asked,
  response: ServerResponse,
  gone: AbortSignal,
): Promise<void> {
  let reply: StreamedReply | undefined
  const begin = () => {
    setHeaders(response, asked, format)
    return new StreamedReply(response, asked.gzip)
  }
  // Headers wait for the first block: an error before it still gets a status of its own.
  await session.stream(sql, scope, format, async (chunk) => {
    reply ??= begin()
    await reply.write(chunk, gone)
  })
  reply ??= begin()
  reply.end()
}

function withFile(statement: Statement, data: Spooled): string {
  const at = statement.dataAt
  if (at === undefined) throw badRequest('The statement takes no data')
  return `${statement.text.slice(0, at)} FROM INFILE ${quote(data.path)} COMPRESSION 'none' ${statement.text.slice(at)}`
}
