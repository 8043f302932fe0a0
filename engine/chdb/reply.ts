import { createGzip, gzip } from 'node:zlib'
import { promisify } from 'node:util'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Writable } from 'node:stream'
import type { StoreException } from './exception.js'
import type { RequestAddress } from './request_address.js'

const gzipAsync = promisify(gzip)
/** Level 1: the client is on this machine or nearby, so time matters more than bytes. */
const GZIP = { level: 1 }
/** Smaller results are not worth compressing, bytes. */
const GZIP_FROM = 1_024
/** How long an unwanted request body is drained before the connection is closed, milliseconds. */
const DRAIN_MS = 2_000

const CONTENT_TYPES: Record<string, string> = {
  JSON: 'application/json; charset=UTF-8',
  JSONCompact: 'application/json; charset=UTF-8',
  JSONEachRow: 'application/x-ndjson; charset=UTF-8',
  JSONCompactEachRow: 'application/x-ndjson; charset=UTF-8',
  CSV: 'text/csv; charset=UTF-8',
  CSVWithNames: 'text/csv; charset=UTF-8',
  TabSeparated: 'text/tab-separated-values; charset=UTF-8',
  RowBinary: 'application/octet-stream',
  Native: 'application/octet-stream',
}

export interface ResultSummary {
  readRows: number
  readBytes: number
  writtenRows?: number
  writtenBytes?: number
  resultRows: number
  resultBytes: number
  elapsed: number
}

/** The headers of ClickHouse's HTTP interface. Numbers in the summary are strings, as there. */
export function setHeaders(
  response: ServerResponse,
  address: RequestAddress,
  format: string,
  summary?: ResultSummary,
): void {
  response.setHeader('X-ClickHouse-Query-Id', address.queryId)
  response.setHeader('X-ClickHouse-Server-Display-Name', 'platestream-store')
  response.setHeader('X-ClickHouse-Timezone', 'UTC')
  response.setHeader('X-ClickHouse-Format', format)
  response.setHeader('Content-Type', CONTENT_TYPES[format] ?? 'application/octet-stream')
  if (!summary) return
  const text = JSON.stringify({
    read_rows: String(summary.readRows),
    read_bytes: String(summary.readBytes),
    written_rows: String(summary.writtenRows ?? 0),
    written_bytes: String(summary.writtenBytes ?? 0),
    total_rows_to_read: String(summary.readRows),
    result_rows: String(summary.resultRows),
    result_bytes: String(summary.resultBytes),
    elapsed_ns: String(Math.round(summary.elapsed * 1e9)),
  })
  response.setHeader('X-ClickHouse-Summary', text)
  // The engine reports its progress at the end only: one header, where a server sends one per interval.
  if (address.progress) response.setHeader('X-ClickHouse-Progress', text)
}

/** Sends a finished result. */
export async function sendWhole(response: ServerResponse, bytes: Buffer, compress: boolean): Promise<void> {
  const body = compress && bytes.length >= GZIP_FROM ? await gzipAsync(bytes, GZIP) : bytes
  if (body !== bytes) response.setHeader('Content-Encoding', 'gzip')
  response.setHeader('Content-Length', body.length)
  response.end(body)
}

/** Sends a result while the engine produces it; `write` resolves when the client can take more. */
export class StreamedReply {
  readonly #out: Writable

  constructor(
    readonly response: ServerResponse,
    compress: boolean,
  ) {
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
}

/**
 * Sends an exception. Once a result has begun, it closes the connection instead, so that the client does not take the
 * part for the whole.
 */
export function sendException(
  request: IncomingMessage,
  response: ServerResponse,
  queryId: string,
  exception: StoreException,
): void {
  if (response.headersSent) {
    response.destroy(exception)
    return
  }
  const body = Buffer.from(exception.text)
  for (const name of ['Content-Encoding', 'X-ClickHouse-Summary']) response.removeHeader(name)
  response.statusCode = exception.status
  response.setHeader('Content-Type', 'text/plain; charset=UTF-8')
  response.setHeader('Content-Length', body.length)
  if (queryId) response.setHeader('X-ClickHouse-Query-Id', queryId)
  response.setHeader('X-ClickHouse-Exception-Code', exception.code)
  if (!request.complete) {
    // The client may still be sending: drain for a moment, or it gets a connection reset instead of the exception.
    response.setHeader('Connection', 'close')
    request.unpipe()
    request.resume()
    setTimeout(() => request.destroy(), DRAIN_MS).unref()
  }
  response.end(body)
}
