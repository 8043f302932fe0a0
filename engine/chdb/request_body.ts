import { createGunzip, createInflate, createBrotliDecompress } from 'node:zlib'
import type { IncomingMessage } from 'node:http'
import { PassThrough, Writable, type Readable, type Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { badRequest, StoreException, tooLarge } from './exception.js'
import { setParam } from './request_address.js'

/** Decompression streams for the body. @throws UNKNOWN_COMPRESSION_METHOD (89) */
export function decodersOf(request: IncomingMessage): Transform[] {
  const encoding = request.headers['content-encoding'] ?? 'identity'
  switch (encoding) {
    case 'identity':
    case '':
      return []
    case 'gzip':
      return [createGunzip()]
    case 'deflate':
      return [createInflate()]
    case 'br':
      return [createBrotliDecompress()]
    default:
      throw new StoreException(
        89,
        'UNKNOWN_COMPRESSION_METHOD',
        `Unknown content encoding ${JSON.stringify(encoding.slice(0, 50))}`,
        400,
      )
  }
}

/**
 * The body as a stream of its own. A pipeline destroys its source when a later part fails, and a destroyed request
 * closes the socket, on which the response is still to be sent.
 */
export function detached(request: IncomingMessage): Readable {
  const body = new PassThrough()
  request.pipe(body)
  request.once('close', () => {
    if (!request.complete)
      body.destroy(new StoreException(210, 'NETWORK_ERROR', 'The client disconnected while sending'))
  })
  return body
}

/** A damaged or truncated compressed body is the client's fault and must not show as an internal error. */
export function bodyError(error: unknown): unknown {
  const code = String((error as NodeJS.ErrnoException)?.code ?? '')
  return code.startsWith('Z_') || code.startsWith('ERR_BROTLI') || code.startsWith('ERR__ERROR_FORMAT')
    ? new StoreException(354, 'ZLIB_INFLATE_FAILED', `The body does not decompress: ${(error as Error).message}`, 400)
    : error
}

/** Reads the whole body of a statement. @throws TOO_MANY_BYTES (413) beyond `limit` bytes */
export async function readText(request: Readable, decoders: Transform[], limit: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  const collect = new Writable({
    write(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      if (bytes > limit) return done(tooLarge('The statement', limit))
      chunks.push(chunk)
      done()
    },
  })
  try {
    await pipeline([request, ...decoders, collect])
  } catch (error) {
    throw bodyError(error)
  }
  return Buffer.concat(chunks)
}

/**
 * Parses `multipart/form-data`, which clients send for long parameters: a part `query` and parts `param_<name>`.
 * @param params receives the parameters @returns the query
 */
export function readForm(body: Buffer, contentType: string, params: Map<string, string>): string {
  const boundary = /boundary="?([^";]+)"?/i.exec(contentType)?.[1]
  if (!boundary) throw badRequest('The form has no boundary')
  let query = ''
  const parts = `\r\n${body.toString('utf8')}`.split(`\r\n--${boundary}`).slice(1, -1)
  for (const part of parts) {
    const gap = part.indexOf('\r\n\r\n')
    const name = /content-disposition:[^\r\n]*\bname="([^"]*)"/i.exec(part.slice(0, gap))?.[1]
    if (gap < 0 || name === undefined) throw badRequest('A part of the form has no name')
    const value = part.slice(gap + 4)
    if (name === 'query') query = value
    else if (name.startsWith('param_')) setParam(params, name.slice('param_'.length), value)
    else throw badRequest(`The form has an unknown part ${JSON.stringify(name.slice(0, 50))}`)
  }
  return query
}
