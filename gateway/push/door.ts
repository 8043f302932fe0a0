import type { Server as HttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { SecureContextOptions } from 'node:tls'
import Fastify, { LogController, type FastifyError, type FastifyInstance, type FastifyRequest } from 'fastify'
import type { NatsConnection } from 'nats'
import type { Logger } from 'pino'
import type { Camera, Settings } from '../../engine/mod.js'
import { AlprError, type PushCredentials, logReasonOf, reasonOf } from '../../engine/runtime/mod.js'
import { ADAPTERS } from './adapters.js'
import { Addresses, plainAddress } from './addresses.js'
import { CameraAuthenticator, type PushingCamera } from './camera_authenticator.js'
import type { PushCounts } from './counts.js'
import { PushPublisher } from './publisher.js'
import { isLoopbackAddress } from '../access/loopback.js'
import { followTls, readTls } from '../access/tls.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** The camera that pushes; null before it has proved who it is. */
    pushing: { camera: PushingCamera; path: string } | null
  }
}

export interface PushDoorOptions {
  settings: Settings['push']
  /** The console's token: all gateways of the installation have it. */
  token: string
  credentials: Pick<PushCredentials, 'of'>
  camera: (id: string) => Camera | undefined
  /** Throws while there is no connection. */
  nats: () => NatsConnection
  counts: PushCounts
  log: Logger
}

export interface PushDoor {
  /** `https://192.0.2.1:8481` */
  readonly url: string
  close(): Promise<void>
}

/** Largest request, bytes: two pictures of the largest size. */
export const MAX_REQUEST_BYTES = 16_777_216
/** Bytes of requests in work at the same time. */
const MAX_IN_WORK_BYTES = 134_217_728
/** A camera that takes longer to send a request is cut off, ms. */
const kRequestMs = 60_000
/** A refusal of one camera for one reason is logged this often, ms. */
const kLogMs = 60_000

/**
 * The door for cameras that push. It listens for itself, apart from console and API: a firewall can let the network of
 * the cameras reach this port and nothing else, client certificates can be asked for here without a question in every
 * dispatcher's browser, and nothing that a camera sends meets a session or a page. It answers 200 only when the stream
 * has what the camera sent.
 * @returns undefined when `push.port` is not set
 * @throws ALPR_ERR_SETTINGS_INVALID
 */
export async function openPushDoor(options: PushDoorOptions): Promise<PushDoor | undefined> {
  const { settings, log } = options
  const { host, port } = settings
  if (port === undefined) return undefined
  const tls = readTls(settings, 'push')
  if (!tls && !settings.insecure && !isLoopbackAddress(host))
    throw invalid(
      'host',
      `the door for cameras does not listen on ${host} without TLS: set push.key and push.cert, or set push.insecure ` +
        'to true where cameras can only send plain HTTP and nobody can listen to their network',
    )
  const app = buildPushDoor(options, tls)
  await app.listen({ host, port })
  const certificates = tls && followTls(app.server as unknown as HttpsServer, settings, 'push', log)
  const name = host.includes(':') ? `[${host}]` : host
  return {
    url: `${tls ? 'https' : 'http'}://${name}:${(app.server.address() as AddressInfo).port}`,
    close: async () => {
      certificates?.stop()
      await app.close()
    },
  }
}

function buildPushDoor(options: PushDoorOptions, tls: SecureContextOptions | undefined): FastifyInstance {
  const { token, credentials, camera: find, counts, nats, log, settings } = options
  const authenticator = new CameraAuthenticator(token, find, credentials)
  const publisher = new PushPublisher(nats, counts)
  const refusals = new Refusals(counts, log)
  const proxies = new Addresses(
    settings.proxies
      .split(',')
      .map((text) => text.trim())
      .filter(Boolean),
  )
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: MAX_REQUEST_BYTES,
    requestTimeout: kRequestMs,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 1_000 },
    ...(tls && { https: { ...tls, requestCert: true, rejectUnauthorized: false } }),
  }) as unknown as FastifyInstance
  app.decorateRequest('pushing', null)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_, body, done) => done(null, body))

  let inWork = 0
  app.addHook('onRequest', async (request, reply) => {
    const verdict = authenticator.authenticate(request.raw, addressOf(request, proxies))
    if (!verdict.camera) {
      refusals.note(verdict.claimed, 'ALPR_ERR_PUSH_REFUSED')
      reply.header('www-authenticate', verdict.challenge)
      throw new AlprError('ALPR_ERR_PUSH_REFUSED')
    }
    request.pushing = verdict
    counts.add('requests', verdict.camera.id)
    const bytes = Math.min(Number(request.headers['content-length'] ?? MAX_REQUEST_BYTES), MAX_REQUEST_BYTES)
    const needed = request.method === 'GET' ? 0 : bytes
    if (inWork + needed > MAX_IN_WORK_BYTES) throw new AlprError('ALPR_ERR_PUSH_BUSY', { limit: MAX_IN_WORK_BYTES })
    inWork += needed
    reply.raw.once('close', () => {
      inWork -= needed
    })
  })
  app.setErrorHandler((error: FastifyError | AlprError, request, reply) => {
    const problem = problemOf(error, request)
    // Without a camera it was counted.
    if (request.pushing) refusals.note(request.pushing.camera.id, problem.code, logReasonOf(problem))
    if (problem.code === 'ALPR_ERR_INTERNAL') log.error({ reason: logReasonOf(error) }, 'a request of a camera failed')
    if (problem.status === 503) reply.header('retry-after', '5')
    return reply.code(problem.status).type('application/json; charset=utf-8').send(JSON.stringify(problem))
  })
  app.route({
    // Cameras test an address with GET.
    method: ['GET', 'POST', 'PUT'],
    url: '/*',
    handler: async (request, reply) => {
      const { camera, path } = request.pushing!
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
      if (body.length === 0) return reply.send({ stored: 0 })
      const { 'content-encoding': encoding = 'identity' } = request.headers
      if (encoding !== 'identity')
        throw new AlprError('ALPR_ERR_PUSH_INVALID', {
          kind: camera.push.kind,
          reason: `its Content-Encoding is ${encoding.slice(0, 20)}: turn compression off in the camera`,
        })
      const arrivedAt = Date.now()
      const pushed = ADAPTERS[camera.push.kind].parse({
        path,
        query: new URL(request.url, 'http://door').searchParams,
        headers: request.headers,
        body,
        push: camera.push,
        arrivedAt,
      })
      for (const field of pushed.leftOut) counts.add('leftOut', camera.id, field)
      return reply.send({ stored: await publisher.publish(camera.id, pushed, arrivedAt), leftOut: pushed.leftOut })
    },
  })
  return app
}

/** The address a request came from: that of the socket, or what a trusted proxy says. */
function addressOf({ raw }: FastifyRequest, proxies: Addresses): string {
  let address = raw.socket.remoteAddress ?? ''
  // Each proxy adds the address that it saw to the end.
  const seen = String(raw.headers['x-forwarded-for'] ?? '').split(',')
  for (let before = seen.pop()?.trim(); before && proxies.has(address); before = seen.pop()?.trim()) address = before
  return plainAddress(address)
}

function problemOf(error: FastifyError | AlprError, request: FastifyRequest): AlprError {
  if (error instanceof AlprError) return error
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new AlprError('ALPR_ERR_PUSH_TOO_LARGE', {
      what: 'the request',
      value: request.headers['content-length'] ?? 'more',
      limit: MAX_REQUEST_BYTES,
    })
  const { statusCode = 500 } = error
  if (statusCode >= 400 && statusCode < 500)
    return new AlprError(
      'ALPR_ERR_PUSH_INVALID',
      { kind: request.pushing?.camera.push.kind ?? 'camera', reason: reasonOf(error) },
      { cause: error },
    )
  return new AlprError('ALPR_ERR_INTERNAL')
}

/** Counts refusals, and says each camera and reason now and then: nobody sees the answers that cameras get. */
class Refusals {
  private readonly said = new Map<string, number>()

  constructor(
    private readonly counts: PushCounts,
    private readonly log: Logger,
  ) {}

  note(camera: string, code: string, message?: string): void {
    this.counts.add('refused', camera, code)
    const key = `${camera} ${code}`
    const now = performance.now()
    if (now - (this.said.get(key) ?? -Infinity) < kLogMs) return
    this.said.set(key, now)
    this.log.warn({ camera: camera || 'unknown', code, message }, 'refused what a camera pushed')
  }
}

const invalid = (name: string, reason: string): AlprError =>
  new AlprError('ALPR_ERR_SETTINGS_INVALID', { key: `push.${name}`, reason })
