import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Teardown } from './nats.js'

export interface HttpCameraOptions {
  jpegs: readonly Buffer[]
  /** Between two pictures of the stream, ms. @default 100 */
  everyMs?: number
  login?: { user: string; password: string; scheme: 'Basic' | 'Digest' }
  /** More headers of each picture. */
  headersOf?: (index: number) => Record<string, string>
  withLength?: boolean
}

export interface HttpCamera {
  port: number
  /** Requests, by path. */
  asked: string[]
  /** Breaks all connections. */
  cut(): void
}

/** A camera with `/stream` (MJPEG), `/snapshot` and `/page` (no picture), on loopback. */
export async function startHttpCamera(t: Teardown, options: HttpCameraOptions): Promise<HttpCamera> {
  const { jpegs, everyMs = 100, login, headersOf = () => ({}), withLength = true } = options
  const asked: string[] = []
  const sockets = new Set<Socket>()
  let shots = 0
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    if (login && !isSignedIn(request, login)) {
      const digest = 'Digest realm="camera", nonce="abc123", qop="auth", algorithm=MD5'
      response.writeHead(401, { 'WWW-Authenticate': login.scheme === 'Digest' ? digest : 'Basic realm="camera"' }).end()
    } else if (request.url?.startsWith('/stream')) stream(response)
    else if (request.url?.startsWith('/snapshot'))
      response.writeHead(200, { 'Content-Type': 'image/jpeg', ...headersOf(shots) }).end(jpegs[shots++ % jpegs.length])
    else response.writeHead(200, { 'Content-Type': 'text/html' }).end('<html>')
  })
  const stream = (response: ServerResponse) => {
    response.writeHead(200, { 'Content-Type': 'multipart/x-mixed-replace; boundary=--picture' })
    let index = 0
    const timer = setInterval(() => {
      const jpeg = jpegs[index % jpegs.length]!
      const length = withLength ? { 'Content-Length': String(jpeg.length) } : {}
      const headers = { 'Content-Type': 'image/jpeg', ...length, ...headersOf(index++) }
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
      response.write(`--picture\r\n${lines.join('')}\r\n`)
      response.write(jpeg)
      response.write('\r\n')
    }, everyMs)
    response.on('close', () => clearInterval(timer))
  }
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = () => sockets.forEach((socket) => socket.destroy())
  t.teardown(async () => {
    cut()
    await new Promise((resolve) => server.close(resolve))
  })
  return { port: (server.address() as AddressInfo).port, asked, cut }
}

function isSignedIn({ headers, method }: IncomingMessage, login: NonNullable<HttpCameraOptions['login']>): boolean {
  const { authorization = '' } = headers
  if (login.scheme === 'Basic')
    return authorization === `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`
  const value = (name: string) => new RegExp(`[ ,]${name}="?([^",]*)"?`).exec(authorization)?.[1] ?? ''
  const md5 = (text: string) => createHash('md5').update(text).digest('hex')
  const first = md5(`${login.user}:camera:${login.password}`)
  const second = md5(`${method}:${value('uri')}`)
  return value('response') === md5(`${first}:abc123:${value('nc')}:${value('cnonce')}:auth:${second}`)
}
