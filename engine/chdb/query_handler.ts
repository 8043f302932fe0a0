import type { IncomingMessage, ServerResponse } from 'node:http'
import { badRequest, exceptionOf, gone, notImplemented, StoreException } from './exception.js'
import { bodyError, decodersOf, detached, readForm, readText } from './request_body.js'
import type { QueryClass, SessionPool } from './session_pool.js'
import { parseAddress, type RequestAddress, type SettingLimits } from './request_address.js'
import { ProgressHeaders } from './progress_headers.js'
import { sendWhole, setHeaders, StreamedReply } from './reply.js'
import type { ChdbSession, QueryScope } from './chdb_session.js'
import { isNoStatement, outsideOf } from './fence.js'
import { NotOneStatement, quote, scan, type Statement } from './sql_scanner.js'
import type { Spool, Spooled } from './spool.js'

/** What every request shares. */
export interface RequestContext {
  pool: SessionPool
  spool: Spool
  limits: SettingLimits
  /** Most bytes of SQL text, without data. */
  maxStatementBytes: number
  /** Of the engine. */
  version: string
}

/** What the response to an error needs of its request. */
export interface CurrentQuery {
  queryId: string
  progress?: ProgressHeaders
}

/** Statements that change nothing. */
const READ_ONLY = new Set(['SELECT', 'WITH', 'SHOW', 'DESCRIBE', 'DESC', 'EXPLAIN', 'EXISTS', 'CHECK', 'VALUES'])
/** Statements whose effect on a session cannot be undone by name. */
const TAINTING = new Set(['SET', 'USE'])
/** Formats without header and footer: the blocks of a result, one after the other, are the whole result. */
const STREAMABLE = new Set([
  'jsoneachrow',
  'jsoncompacteachrow',
  'jsonstringseachrow',
  'tabseparated',
  'tsv',
  'csv',
  'rowbinary',
  'native',
])
const DEFAULT_FORMAT = 'TabSeparated'

/**
 * Runs the query of one request and sends its result.
 * @param current receives what the response to an error needs too
 * @throws StoreException or the engine's error; the caller sends it
 */
export async function handleQuery(
  request: IncomingMessage,
  response: ServerResponse,
  context: RequestContext,
  current: CurrentQuery,
): Promise<void> {
  const address = parseAddress(request, context.limits)
  current.queryId = address.queryId
  if (request.method !== 'GET' && request.method !== 'HEAD' && request.method !== 'POST')
    throw notImplemented(`The method ${request.method}`)

  const disconnected = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) disconnected.abort(gone())
  })

  const { statement, data } = await readStatement(request, address, context)
  try {
    validateStatement(statement, address, request.method, context.limits)
    const query = prepareQuery(statement, data, address)
    await context.pool.use(query.queryClass, disconnected.signal, async (session) => {
      if (TAINTING.has(statement.kind) || statement.temporary) session.tainted = true
      if (query.streamed) return runStreamed(session, query, response, disconnected.signal, context.version)
      if (address.progressMs !== undefined)
        current.progress = new ProgressHeaders(response, address.progressMs, () => context.pool.progressOf(session))
      await runWhole(session, query, response, current.progress)
    })
  } finally {
    current.progress?.stop()
    data?.release()
  }
}

/** The statement and, for an insert that takes data, the spooled data. */
async function readStatement(
  request: IncomingMessage,
  address: RequestAddress,
  context: RequestContext,
): Promise<{ statement: Statement; data?: Spooled }> {
  const decoders = decodersOf(request)
  const type = request.headers['content-type'] ?? ''
  const inAddress = address.query ? scanOne(address.query) : undefined
  if (inAddress?.dataAt !== undefined && inAddress.inlineDataAt === undefined && hasBody(request)) {
    const data = await context.spool.spoolStream(detached(request), ...decoders).catch((error: unknown) => {
      throw bodyError(error)
    })
    return { statement: inAddress, data }
  }
  const body = await readText(detached(request), decoders, context.maxStatementBytes)
  const form = type.startsWith('multipart/form-data')
  const text = form ? readForm(body, type, address.params) : body.toString('utf8')
  const statement = scanOne(address.query ? (text ? `${address.query}\n${text}` : address.query) : text)
  // An insert without data gets an empty file: without a file the engine would read its standard input.
  if (statement.inlineDataAt === undefined)
    return statement.dataAt === undefined
      ? { statement }
      : { statement, data: await context.spool.spoolBuffer(Buffer.alloc(0)) }
  // Cut as bytes, not as text: data in a binary format may follow the statement.
  const head = Buffer.byteLength((address.query ? `${address.query}\n${text}` : text).slice(0, statement.inlineDataAt))
  const whole = form
    ? Buffer.from(text)
    : address.query
      ? Buffer.concat([Buffer.from(`${address.query}\n`), body])
      : body
  return { statement, data: await context.spool.spoolBuffer(whole.subarray(head)) }
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

/** @throws SYNTAX_ERROR, NOT_IMPLEMENTED, READONLY, UNKNOWN_QUERY_PARAMETER */
function validateStatement(
  statement: Statement,
  address: RequestAddress,
  method: string | undefined,
  limits: SettingLimits,
): void {
  if (statement.kind === '') throw new StoreException(62, 'SYNTAX_ERROR', 'Syntax error: the query is empty')
  if (isNoStatement(statement.kind))
    throw new StoreException(
      62,
      'SYNTAX_ERROR',
      `Syntax error: no statement begins with ${statement.kind.slice(0, 50)}`,
    )
  const outside = outsideOf(statement, limits, address.params)
  if (outside !== undefined) throw notImplemented(outside)
  if (method !== 'POST' && !READ_ONLY.has(statement.kind))
    throw new StoreException(164, 'READONLY', 'Cannot execute query in readonly mode: use POST')
  // Parameters of earlier queries stay in the session: one that this request does not set must fail, not be stale.
  for (const name of statement.placeholders) {
    if (!address.params.has(name))
      throw new StoreException(456, 'UNKNOWN_QUERY_PARAMETER', `Substitution \`${name}\` is not set`)
  }
}

interface PreparedQuery {
  sql: string
  scope: QueryScope
  format: string
  streamed: boolean
  queryClass: QueryClass
  address: RequestAddress
  /** Of an insert. */
  data: Spooled | undefined
}

function prepareQuery(statement: Statement, data: Spooled | undefined, address: RequestAddress): PreparedQuery {
  const sql = data ? withFile(statement, data) : statement.text
  const format = statement.format && !data ? statement.format : (address.defaultFormat ?? DEFAULT_FORMAT)
  const { settings } = address
  const streamed =
    address.stream &&
    STREAMABLE.has(format.toLowerCase()) &&
    !statement.nested &&
    (statement.kind === 'SELECT' || statement.kind === 'WITH')
  if (streamed) settings.set('max_result_bytes', '0')
  // Its rows of progress follow this interval, microseconds, which by default is as long as many a query.
  if (/WithProgress$/i.test(format) && !settings.has('interactive_delay')) settings.set('interactive_delay', '50000')
  const scope: QueryScope = { database: address.database, settings, params: address.params }
  return { sql, scope, format, streamed, queryClass: classOf(statement, streamed, settings), address, data }
}

/**
 * ClickHouse's setting `priority`: 1 is the highest (lookups of the writer, which are part of writing), 0 means unset.
 */
function classOf({ kind }: Statement, streamed: boolean, settings: ReadonlyMap<string, string>): QueryClass {
  const priority = Number(settings.get('priority') ?? 0)
  if (!READ_ONLY.has(kind) || priority === 1) return 'write'
  return streamed || priority > 1 ? 'export' : 'lookup'
}

async function runWhole(
  session: ChdbSession,
  query: PreparedQuery,
  response: ServerResponse,
  progress: ProgressHeaders | undefined,
): Promise<void> {
  const { sql, scope, format, address, data } = query
  const result = await session.run(sql, scope, format)
  if (response.destroyed) return
  setHeaders(response, address, format, {
    readRows: result.rows,
    readBytes: result.readBytes,
    resultRows: data ? result.rows : rowsIn(result.bytes, format),
    resultBytes: result.bytes.length,
    ...(data && { writtenRows: result.rows, writtenBytes: data.bytes }),
    elapsed: result.elapsed,
  })
  await sendWhole(response, result.bytes, address.gzip, progress)
}

/** Rows of a result in a format with one line a row; 0 in other formats. */
function rowsIn(bytes: Buffer, format: string): number {
  if (!/^(JSON\w*EachRow|TabSeparated|TSV)$/i.test(format)) return 0
  let rows = 0
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) rows++
  return rows
}

async function runStreamed(
  session: ChdbSession,
  { sql, scope, format, address }: PreparedQuery,
  response: ServerResponse,
  disconnected: AbortSignal,
  version: string,
): Promise<void> {
  let reply: StreamedReply | undefined
  const begin = () => {
    setHeaders(response, address, format)
    return new StreamedReply(response, address.gzip)
  }
  // The headers wait for the first block, so that an error before it still gets a status of its own.
  try {
    await session.stream(sql, scope, format, async (chunk) => {
      reply ??= begin()
      await reply.write(chunk, disconnected)
    })
  } catch (error) {
    await reply?.fail(exceptionOf(error), version)
    throw error
  }
  reply ??= begin()
  reply.end()
}

function withFile(statement: Statement, data: Spooled): string {
  const at = statement.dataAt
  if (at === undefined) throw badRequest('The statement takes no data')
  return `${statement.text.slice(0, at)} FROM INFILE ${quote(data.path)} COMPRESSION 'none' ${statement.text.slice(at)}`
}
