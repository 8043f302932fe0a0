import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { JpegSplitter } from '../feeds/jpeg_splitter.js'
import { sleep } from '../runtime/backoff.js'
import { MOST_PICTURE_BYTES } from './access_unit.js'
import { Authorization, type Login } from './authorization.js'
import { CameraError } from './camera_error.js'
import { MultipartStream } from './multipart_stream.js'
import { timeOfHeaders } from './part_time.js'
import { networkReason } from './rtsp_connection.js'

export interface HttpStreamOptions {
  url: URL
  login: Login | undefined
  anyCertificate: boolean
  /** Between two requests, where the address gives one picture, ms. */
  pollMs: number
  /** Called when the camera has answered, with what it sends. */
  onPlaying: (kind: 'mjpeg' | 'snapshot') => void
  /** @param cameraMs when it was taken by the camera's clock, if it says so */
  onPicture: (jpeg: Buffer, arrival: number, cameraMs: number | undefined) => void
  /** The camera gave the same picture again. */
  onRepeated: () => void
}

/** How long a camera may take to answer or be silent, ms. */
const SILENCE_MS = 10_000

/**
 * Pictures of a camera by HTTP until `signal` aborts or the stream ends: a stream of JPEGs, or one JPEG that is asked
 * for again and again, as the answer of the camera decides.
 * @throws CameraError why it ended
 */
export async function playHttp(options: HttpStreamOptions, signal: AbortSignal): Promise<void> {
  const isTls = options.url.protocol === 'https:'
  const settings = { keepAlive: true, maxSockets: 1, rejectUnauthorized: !options.anyCertificate }
  const agent = isTls ? new HttpsAgent(settings) : new HttpAgent(settings)
  const authorization = new Authorization(options.login)
  try {
    let last: Buffer | undefined
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      const asked = performance.now()
      const answer = await ask(options.url, agent, authorization, signal)
      const type = answer.headers['content-type'] ?? ''
      if (!/^image\/jpe?g/i.test(type)) {
        if (!isFirst) throw new CameraError(`it answers with ${shown(type)} now, not with a picture`)
        await readStream(answer, type, options)
        if (!signal.aborted) throw new CameraError('the camera ended the stream')
        return
      }
      if (isFirst) options.onPlaying('snapshot')
      const arrival = Date.now()
      const jpeg = await readWhole(answer)
      if (last?.equals(jpeg)) options.onRepeated()
      else options.onPicture(jpeg, arrival, timeOfHeaders(answer.headers))
      last = jpeg
      await sleep(Math.max(0, options.pollMs - (performance.now() - asked)), signal)
    }
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    agent.destroy()
  }
}

/** Asks for the address; signs in when the camera wants it. @throws CameraError */
async function ask(
  url: URL,
  agent: HttpAgent | HttpsAgent,
  authorization: Authorization,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  for (;;) {
    const answer = await get(url, agent, authorization.header('GET', `${url.pathname}${url.search}`), signal)
    const { statusCode: status = 0 } = answer
    if (status === 200) return answer
    answer.resume()
    if (status === 401) {
      const refused = authorization.challenged([answer.headers['www-authenticate'] ?? ''])
      if (refused) throw new CameraError(refused, { isLogin: true })
    } else if (status >= 300 && status < 400)
      throw new CameraError('it sends to another address (redirect): give the address that it names')
    else if (status === 403) throw new CameraError('it forbids this address to this user (403)', { isLogin: true })
    else throw new CameraError(`it answers with status ${status}`)
  }
}

function get(
  url: URL,
  agent: HttpAgent | HttpsAgent,
  authorization: string | undefined,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const plain = new URL(url)
  plain.username = plain.password = ''
  const headers = {
    'User-Agent': 'platestream',
    ...(authorization === undefined ? {} : { Authorization: authorization }),
  }
  return new Promise((resolve, reject) => {
    const send = plain.protocol === 'https:' ? httpsRequest : httpRequest
    const request = send(plain, { agent, headers, signal, timeout: SILENCE_MS }, resolve)
    request.on('timeout', () => request.destroy(new CameraError(`it is silent for ${SILENCE_MS / 1_000} s`)))
    request.on('error', (error) => reject(error instanceof CameraError ? error : new CameraError(networkReason(error))))
    request.end()
  })
}

async function readWhole(answer: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of piecesOf(answer)) {
    bytes += piece.length
    if (bytes > MOST_PICTURE_BYTES) throw new CameraError('it sends a picture of more than 16 MiB')
    pieces.push(piece)
  }
  if (bytes === 0) throw new CameraError('it answers with an empty picture')
  return Buffer.concat(pieces)
}

/** @throws CameraError when the content is no stream of JPEGs, or the connection breaks */
async function readStream(answer: IncomingMessage, type: string, options: HttpStreamOptions): Promise<void> {
  const boundary = MultipartStream.boundaryOf(type)
  const isJpegs = /^video\/(x-)?(motion-jpeg|mjpeg|x-jpeg)|^multipart\//i.test(type)
  if (!isJpegs) {
    answer.destroy()
    throw new CameraError(
      `the address gives ${shown(type)}, not JPEGs; give that of its MJPEG stream, of a snapshot, or rtsp://`,
    )
  }
  options.onPlaying('mjpeg')
  if (boundary === undefined) {
    const splitter = new JpegSplitter(MOST_PICTURE_BYTES)
    for await (const piece of piecesOf(answer))
      for (const jpeg of cut(() => splitter.push(piece))) options.onPicture(Buffer.from(jpeg), Date.now(), undefined)
    return
  }
  const parts = new MultipartStream(boundary)
  for await (const piece of piecesOf(answer))
    for (const { headers, body } of parts.push(piece))
      if (isJpeg(body)) options.onPicture(body, Date.now(), timeOfHeaders(headers))
}

/** Cameras put other things between their pictures, such as events as text. */
const isJpeg = (bytes: Buffer): boolean => bytes.length > 2 && bytes[0] === 0xff && bytes[1] === 0xd8

function cut(push: () => Buffer[]): Buffer[] {
  try {
    return push()
  } catch (error) {
    throw new CameraError(`its stream is not JPEG: ${(error as Error).message}`)
  }
}

async function* piecesOf(answer: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    for await (const piece of answer as AsyncIterable<Buffer>) yield piece
  } catch (error) {
    throw error instanceof CameraError ? error : new CameraError(networkReason(error as Error))
  }
}

/** A content type for a message. */
const shown = (type: string): string =>
  type.replace(/[^\w/+.-].*$/, '').slice(0, 60) || 'something without a content type'
