import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { AlprError, reasonOf } from '../errors.js'
import { TokenGate } from './token_gate.js'
import { exceptionOf } from './exception.js'
import { handleQuery, type CurrentQuery, type RequestContext } from './query_handler.js'
import { openEngine } from './open_engine.js'
import { Spool } from './spool.js'
import { sendException } from './reply.js'

export interface StoreServerOptions {
  /** Folder of the database. One process owns it at a time. */
  path: string
  /** 0: any free port. */
  port?: number
  /** @default loopback */
  host?: string
  /** The clients' password, at least 16 characters. */
  token: string
  /** Concurrent queries; UV_THREADPOOL_SIZE must be `threadsFor(poolSize)` before the process starts. */
  poolSize?: number
  /** Memory of one query or insert, in bytes. */
  maxMemoryBytes?: number
  /** Decompressed data of one insert, in bytes. */
  maxBodyBytes?: number
  /** A result that is not streamed, in bytes. */
  maxResultBytes?: number
  /** Queries that wait for a session. */
  maxWaiting?: number
  /** Configuration file of the engine (XML) instead of the store's own; for tests. */
  engineSettings?: string
  /** How long running queries may continue after `close`, in milliseconds. */
  graceMs?: number
}

export interface StoreServer {
  url: string
  port: number
  close(): Promise<void>
}

const MIB = 1_048_576
/** SQL text without data. */
const MAX_STATEMENT_BYTES = 16 * MIB
/** Idle connections are closed after this long. */
const KEEP_ALIVE_MS = 30_000
/**
 * The timeout announced to clients, in seconds: much less, because a client that sends just when the server closes the
 * connection gets a reset.
 */
const ANNOUNCED_KEEP_ALIVE_S = 10
/** Each running query holds a libuv thread; four more for files and compression. */
export const threadsFor = (poolSize: number): number => poolSize + 4
export const DEFAULT_POOL_SIZE = 8

/**
 * Starts an embedded ClickHouse behind its own HTTP interface.
 * @throws ALPR_ERR_STORE_LOCKED when another process owns the folder, ALPR_ERR_SETTINGS_INVALID,
 * ALPR_ERR_STORE_UNAVAILABLE
 */
export async function startStore(options: StoreServerOptions): Promise<StoreServer> {
  const {
    host = '127.0.0.1',
    port = 0,
    poolSize = DEFAULT_POOL_SIZE,
    maxMemoryBytes = 2_048 * MIB,
    maxBodyBytes = 256 * MIB,
    maxResultBytes = 128 * MIB,
    maxWaiting = 256,
    graceMs = 5_000,
  } = options
  if (options.token.length < 16)
    throw new AlprError('ALPR_ERR_SETTINGS_INVALID', { key: 'store token', reason: 'must have at least 16 characters' })
  const path = resolve(options.path)
  mkdirSync(path, { recursive: true, mode: 0o700 })

  const bounds = { poolSize, maxWaiting, maxMemoryBytes, maxResultBytes, maxStatementBytes: MAX_STATEMENT_BYTES }
  const { pool, limits, version } = await openEngine(path, bounds, options.engineSettings)
  const spool = new Spool(path, maxBodyBytes, 4 * maxBodyBytes)
  const context: RequestContext = { pool, spool, limits, maxStatementBytes: MAX_STATEMENT_BYTES, version }
  const gate = new TokenGate(options.token)
  const server = createServer(
    { maxHeaderSize: MIB, keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: 300_000 },
    (request, response) => {
      void serve(request, response, gate, context)
    },
  )
  server.maxConnections = 1_024
  try {
    await listen(server, port, host)
  } catch (error) {
    await pool.close(0)
    spool.close()
    throw new AlprError(
      'ALPR_ERR_STORE_UNAVAILABLE',
      { url: `http://${host}:${port}`, reason: reasonOf(error) },
      { cause: error },
    )
  }
  const actual = (server.address() as AddressInfo).port
  let closing: Promise<void> | undefined
  const close = async () => {
    const ended = new Promise<void>((done) => server.close(() => done()))
    server.closeIdleConnections()
    await pool.close(graceMs)
    server.closeAllConnections()
    await ended
    spool.close()
  }
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${actual}`,
    port: actual,
    close: () => (closing ??= close()),
  }
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  gate: TokenGate,
  context: RequestContext,
): Promise<void> {
  // Without a listener, a connection reset would crash the process.
  request.on('error', () => {})
  response.on('error', () => {})
  if (request.httpVersion === '1.1' && request.headers.connection?.toLowerCase() !== 'close') {
    response.setHeader('Connection', 'keep-alive')
    response.setHeader('Keep-Alive', `timeout=${ANNOUNCED_KEEP_ALIVE_S}`)
  }
  const current: CurrentQuery = { queryId: '' }
  try {
    if (request.url === '/ping' || request.url?.startsWith('/ping?')) {
      request.resume()
      response.setHeader('Content-Type', 'text/plain; charset=UTF-8')
      response.end('Ok.\n')
      return
    }
    gate.verify(request)
    await handleQuery(request, response, context, current)
  } catch (error) {
    if (response.destroyed) return
    sendException(request, response, { ...current, version: context.version }, exceptionOf(error))
  }
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', fail)
    server.listen(port, host, () => {
      server.off('error', fail)
      done()
    })
  })
}
