import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Authorization } from './authorization.js'
import { CameraError } from './camera_error.js'

export interface RtspAnswer {
  status: number
  reason: string
  /** Names in lower case; several values of one name are lines. */
  headers: Record<string, string>
  body: string
}

export interface RtspConnectionOptions {
  /** Of the camera, without credentials. */
  url: URL
  authorization: Authorization
  /** Takes a certificate that nobody vouches for. */
  anyCertificate: boolean
  /** Packets that come between the answers. */
  onPacket: (channel: number, bytes: Buffer) => void
}

/** How long a camera may take to accept a connection or to answer, ms. */
const ANSWER_MS = 10_000
const MOST_HEADER_BYTES = 65_536
const MOST_BODY_BYTES = 1_048_576
const DEFAULT_PORTS: Record<string, number> = { 'rtsp:': 554, 'rtsps:': 322 }

/**
 * One connection to a camera by RTSP (RFC 2326). Answers and interleaved packets come on it:
 *
 *     RTSP/1.0 200 OK ... <blank line> body | $ channel length(16) packet | $ ...
 */
export class RtspConnection {
  /** Resolves with the reason when the connection ends. */
  readonly ended: Promise<string>
  readonly #options: RtspConnectionOptions
  readonly #socket: Socket
  #end: (reason: string) => void = () => {}
  #rest: Buffer = Buffer.alloc(0)
  #sequence = 0
  readonly #waiting = new Map<number, (answer: RtspAnswer) => void>()
  #session: string | undefined

  private constructor(options: RtspConnectionOptions, socket: Socket) {
    this.#options = options
    this.#socket = socket
    this.ended = new Promise((resolve) => {
      this.#end = resolve
    })
    socket.setNoDelay(true)
    socket.on('data', (data: Buffer) => {
      try {
        this.#take(data)
      } catch (error) {
        this.close((error as Error).message)
      }
    })
    socket.on('error', (error) => this.#end(networkReason(error)))
    socket.on('close', () => this.#end('the camera closed the connection'))
  }

  /** @throws CameraError */
  static async open(options: RtspConnectionOptions): Promise<RtspConnection> {
    const { hostname, port, protocol } = options.url
    const host = hostname.replace(/^\[|\]$/g, '')
    const address = { host, port: Number(port || DEFAULT_PORTS[protocol]) }
    const isTls = protocol === 'rtsps:'
    const socket = isTls
      ? connectTls({ ...address, servername: host, rejectUnauthorized: !options.anyCertificate })
      : connectTcp(address)
    await new Promise<void>((resolve, reject) => {
      const fail = (reason: string) => {
        socket.destroy()
        reject(new CameraError(reason))
      }
      const timer = setTimeout(() => fail(`it accepts no connection within ${ANSWER_MS / 1_000} s`), ANSWER_MS)
      socket.once(isTls ? 'secureConnect' : 'connect', () => {
        clearTimeout(timer)
        resolve()
      })
      socket.once('error', (error) => {
        clearTimeout(timer)
        fail(networkReason(error))
      })
    })
    return new RtspConnection(options, socket)
  }

  /** Where the camera really is: packets over UDP come from there. */
  get remoteAddress(): string {
    return this.#socket.remoteAddress ?? ''
  }

  get localAddress(): string {
    return this.#socket.localAddress ?? ''
  }

  /**
   * Sends a request and waits for its answer. Signs in when the camera asks for it.
   * @throws CameraError for every status but 2xx and 3xx
   */
  async request(method: string, uri: string, headers: Record<string, string> = {}): Promise<RtspAnswer> {
    for (;;) {
      const answer = await this.#ask(method, uri, headers)
      const session = answer.headers.session?.split(';')[0]?.trim()
      if (session) this.#session = session
      if (answer.status < 400) return answer
      if (answer.status !== 401) throw new CameraError(`it answers ${method} with ${answer.status} ${answer.reason}`)
      const refused = this.#options.authorization.challenged((answer.headers['www-authenticate'] ?? '').split('\n'))
      if (refused) throw new CameraError(refused, { isLogin: true })
    }
  }

  /** Sends a request whose answer does not matter. */
  tell(method: string, uri: string): void {
    this.#ask(method, uri, {}).catch(() => {})
  }

  sendPacket(channel: number, bytes: Buffer): void {
    if (this.#socket.destroyed) return
    const header = Buffer.from([0x24, channel, bytes.length >> 8, bytes.length & 0xff])
    this.#socket.write(Buffer.concat([header, bytes]))
  }

  close(reason = 'closed'): void {
    this.#end(reason)
    this.#socket.destroy()
  }

  /** Closes once what was written is sent. */
  finish(): void {
    this.#end('closed')
    this.#socket.end()
    setTimeout(() => this.#socket.destroy(), 500).unref()
  }

  async #ask(method: string, uri: string, headers: Record<string, string>): Promise<RtspAnswer> {
    const sequence = ++this.#sequence
    const authorization = this.#options.authorization.header(method, uri)
    const lines = [
      `${method} ${uri} RTSP/1.0`,
      `CSeq: ${sequence}`,
      'User-Agent: platestream',
      ...(this.#session === undefined ? [] : [`Session: ${this.#session}`]),
      ...(authorization === undefined ? [] : [`Authorization: ${authorization}`]),
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ]
    if (this.#socket.destroyed) throw new CameraError(await this.ended)
    let timer: NodeJS.Timeout | undefined
    try {
      return await new Promise<RtspAnswer>((resolve, reject) => {
        this.#waiting.set(sequence, resolve)
        void this.ended.then((reason) => reject(new CameraError(reason)))
        const late = () => reject(new CameraError(`it does not answer ${method} within ${ANSWER_MS / 1_000} s`))
        timer = setTimeout(late, ANSWER_MS)
        this.#socket.write(`${lines.join('\r\n')}\r\n\r\n`)
      })
    } finally {
      clearTimeout(timer)
      this.#waiting.delete(sequence)
    }
  }

  #take(data: Buffer): void {
    let bytes = this.#rest.length === 0 ? data : Buffer.concat([this.#rest, data])
    for (;;) {
      const used = bytes[0] === 0x24 ? this.#takePacket(bytes) : this.#takeText(bytes)
      if (used === 0) break
      bytes = bytes.subarray(used)
    }
    this.#rest = bytes
  }

  /** @returns how many bytes were used; 0 when the packet is not complete */
  #takePacket(bytes: Buffer): number {
    if (bytes.length < 4) return 0
    const end = 4 + bytes.readUInt16BE(2)
    if (bytes.length < end) return 0
    this.#options.onPacket(bytes[1]!, bytes.subarray(4, end))
    return end
  }

  #takeText(bytes: Buffer): number {
    if (bytes.length === 0) return 0
    const at = bytes.indexOf('\r\n\r\n')
    if (at < 0) {
      if (bytes.length > MOST_HEADER_BYTES) throw new CameraError('it sends something that is not RTSP')
      return 0
    }
    const [first = '', ...lines] = bytes.toString('latin1', 0, at).split('\r\n')
    const headers: Record<string, string> = {}
    for (const line of lines) {
      const colon = line.indexOf(':')
      if (colon <= 0) continue
      const name = line.slice(0, colon).trim().toLowerCase()
      const value = line.slice(colon + 1).trim()
      headers[name] = headers[name] === undefined ? value : `${headers[name]}\n${value}`
    }
    const length = Number(headers['content-length'] ?? 0)
    if (!(length >= 0 && length <= MOST_BODY_BYTES)) throw new CameraError('it sends an answer that is too long')
    const end = at + 4 + length
    if (bytes.length < end) return 0
    const answer = /^RTSP\/\d\.\d\s+(\d{3})\s*(.*)$/.exec(first)
    if (answer) {
      const body = bytes.toString('utf8', at + 4, end)
      const reason = printable(answer[2] ?? '')
      this.#waiting.get(Number(headers.cseq))?.({ status: Number(answer[1]), reason, headers, body })
    } else if (/ RTSP\/\d\.\d$/.test(first)) this.#answerRequest(headers.cseq)
    else throw new CameraError('it sends something that is not RTSP')
    return end
  }

  /** Cameras may ask too, mostly whether somebody is there. */
  #answerRequest(sequence: string | undefined): void {
    this.#socket.write(`RTSP/1.0 200 OK\r\nCSeq: ${sequence ?? 0}\r\n\r\n`)
  }
}

/** Text of a camera for a message: without control characters, and short. */
const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, ' ').slice(0, 80)

const NETWORK: Record<string, string> = {
  ECONNREFUSED: 'it refuses the connection',
  EHOSTUNREACH: 'there is no way to it (host unreachable)',
  ENETUNREACH: 'there is no way to it (network unreachable)',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name is not known (no name server answers)',
  ETIMEDOUT: 'it does not answer',
  ECONNRESET: 'it broke the connection',
  EPIPE: 'it broke the connection',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself; "--tls any" takes it',
  SELF_SIGNED_CERT_IN_CHAIN: 'nobody vouches for its certificate; "--tls any" takes it',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'nobody vouches for its certificate; "--tls any" takes it',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name; "--tls any" takes it',
  CERT_HAS_EXPIRED: 'its certificate has expired; "--tls any" takes it',
}

/** What an error of a socket means for the person who has to repair it. */
export function networkReason(error: Error): string {
  const { code } = error as NodeJS.ErrnoException
  return (code !== undefined && NETWORK[code]) || `the connection failed (${code ?? 'no code'})`
}
