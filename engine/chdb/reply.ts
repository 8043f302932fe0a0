import { randomBytes } from 'node:crypto'
import { createGzip, gzip } from 'node:zlib'
import { promisify } from 'node:util'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Writable } from 'node:stream'
import type { StoreException } from './exception.js'
import type { ProgressHeaders } from './progress_headers.js'
import type { RequestAddress } from './request_address.js'
import { summaryText, type ResultSummary } from './result_summary.js'

const gzipAsync = promisify(gzip)
/** Level 1: the client is on this machine or nearby, so time matters more than bytes. */
const GZIP = { level: 1 }
/** How long an unwanted request body is drained before the connection is closed, milliseconds. */
const DRAIN_MS = 2_000

/** Formats by their beginning, the longest first, in lower case; ClickHouse takes their names in any case. */
const CONTENT_TYPES: readonly (readonly [name: string, type: string])[] = [
  ['jsoneachrow', 'application/x-ndjson; charset=UTF-8'],
  ['jsoncompacteachrow', 'application/x-ndjson; charset=UTF-8'],
  ['jsonstringseachrow', 'application/x-ndjson; charset=UTF-8'],
  ['jsoncompactstringseachrow', 'application/x-ndjson; charset=UTF-8'],
  ['json', 'application/json; charset=UTF-8'],
  ['csvwithnames', 'text/csv; charset=UTF-8; header=present'],
  ['csv', 'text/csv; charset=UTF-8; header=absent'],
  ['tabseparated', 'text/tab-separated-values; charset=UTF-8'],
  ['tsv', 'text/tab-separated-values; charset=UTF-8'],
  ['xml', 'application/xml; charset=UTF-8'],
  ['rowbinary', 'application/octet-stream'],
  ['native', 'application/octet-stream'],
  ['parquet', 'application/octet-stream'],
  ['arrow', 'application/octet-stream'],
  ['', 'text/plain; charset=UTF-8'],
]

const contentTypeOf = (format: string): string =>
  CONTENT_TYPES.find(([name]) => format.toLowerCase().startsWith(name))![1]

/** Headers of every response to a query. */
function setCommonHeaders(response: ServerResponse, queryId: string): void {
  if (queryId) response.setHeader('X-ClickHouse-Query-Id', queryId)
  response.setHeader('X-ClickHouse-Server-Display-Name', 'platestream-store')
  response.setHeader('X-ClickHouse-Timezone', 'UTC')
}

/** The headers of ClickHouse's HTTP interface. */
export function setHeaders(
  response: ServerResponse,
  address: RequestAddress,
  format: string,
  summary?: ResultSummary,
): void {
  setCommonHeaders(response, address.queryId)
  response.setHeader('X-ClickHouse-Format', format)
  response.setHeader('Content-Type', contentTypeOf(format))
  if (!summary) return
  response.setHeader('X-ClickHouse-Summary', summaryText(summary))
  if (address.progressMs !== undefined) response.setHeader('X-ClickHouse-Progress', summaryText(summary))
}

/** Sends a finished result. A client that asks for compression may decode the body itself, even a small one. */
export async function sendWhole(
  response: ServerResponse,
  bytes: Buffer,
  compress: boolean,
  progress?: ProgressHeaders,
): Promise<void> {
  const body = compress ? await gzipAsync(bytes, GZIP) : bytes
  if (compress) response.setHeader('Content-Encoding', 'gzip')
  response.setHeader('Content-Length', body.length)
  if (!progress?.end(body)) response.end(body)
}

/** Sends a result while the engine produces it; `write` resolves when the client can take more. */
export class StreamedReply {
  readonly #out: Writable
  /** Marks an exception in the body: a result cannot contain it by chance. */
  readonly #tag = randomBytes(8).toString('hex')

  constructor(
    readonly response: ServerResponse,
    compress: boolean,
  ) {
    response.setHeader('X-ClickHouse-Exception-Tag', this.#tag)
    if (compress) {
      response.setHeader('Content-Encoding', 'gzip')
      const zip = createGzip(GZIP)
      zip.pipe(response)
      this.#out = zip
    } else this.#out = response
  }

  async write(chunk: Buffer, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (!this.#out.write(chunk)) await once(this.#out, 'drain', { signal })
  }

  end(): void {
    this.#out.end()
  }

  /**
   * Appends an exception as ClickHouse 25.11 and later do, then breaks the connection: a client that knows the mark
   * gets the exception, any other a truncated body.
   */
  async fail(exception: StoreException, version: string): Promise<void> {
    const { response } = this
    if (this.#out === response && !response.destroyed) {
      const text = exception.text(version)
      const block =
        `\r\n__exception__\r\n${this.#tag}\r\n${text}` + `${Buffer.byteLength(text)} ${this.#tag}\r\n__exception__\r\n`
      await new Promise<void>((done) => response.write(block, () => done()))
    }
    response.destroy(exception)
  }
}

/**
 * Sends an exception. Once a result has begun, it closes the connection instead, so that the client does not take the
 * part for the whole.
 */
export function sendException(
  request: IncomingMessage,
  response: ServerResponse,
  { queryId, version, progress }: { queryId: string; version: string; progress?: ProgressHeaders },
  exception: StoreException,
): void {
  if (response.headersSent) {
    response.destroy(exception)
    return
  }
  const body = Buffer.from(exception.text(version))
  for (const name of ['Content-Encoding', 'X-ClickHouse-Summary']) response.removeHeader(name)
  response.statusCode = exception.status
  response.setHeader('Content-Type', 'text/plain; charset=UTF-8')
  response.setHeader('Content-Length', body.length)
  setCommonHeaders(response, queryId)
  response.setHeader('X-ClickHouse-Exception-Code', exception.code)
  if (progress?.end(body)) return
  if (!request.complete) {
    // The client may still be sending: drain for a moment, or it gets a connection reset instead of the exception.
    response.setHeader('Connection', 'close')
    request.unpipe()
    request.resume()
    setTimeout(() => request.destroy(), DRAIN_MS).unref()
  }
  response.end(body)
}
