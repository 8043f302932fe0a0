import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import { readFileSync } from 'node:fs'
import { Server as HttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { SecureContextOptions } from 'node:tls'
import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'
import { dataPaths, LogGate, openRecords, type AccessGate, type Records, type Settings } from '../engine/mod.js'
import { PushCredentials } from '../engine/runtime/mod.js'
import type { Api } from './http/api.js'
import type { Services } from './routes/services.js'
import { RegistryMirror } from './status/registry_mirror.js'
import { registerOpenApi } from './http/openapi.js'
import { Authenticator } from './access/authenticator.js'
import { guard } from './access/guard.js'
import { secureHeaders } from './http/headers.js'
import { Hub } from './live/hub.js'
import { NatsLink } from './live/nats_link.js'
import { gatewayLog } from './log.js'
import { PublicAddress, refusePlainText } from './access/public_address.js'
import { answerProblems } from './http/problem.js'
import { PushCounts } from './push/counts.js'
import { openPushDoor, type PushDoor } from './push/door.js'
import { canvassRoutes } from './routes/canvass.js'
import { cropsRoutes } from './routes/crops.js'
import { healthRoutes } from './routes/health.js'
import { hitsRoutes } from './routes/hits.js'
import { ledgerRoutes } from './routes/ledger.js'
import { metricsRoutes } from './routes/metrics.js'
import { readsRoutes } from './routes/reads.js'
import { registryRoutes } from './routes/registry.js'
import { sessionRoutes } from './routes/session.js'
import { followTls, readTls } from './access/tls.js'
import { staticPages } from './http/static_pages.js'
import { statusRoutes } from './routes/status.js'
import { MissingLists } from './status/missing_lists.js'
import { IngestBoard } from './status/ingest_board.js'
import { StatusBoard } from './status/status_board.js'
import { StreamRooms } from './status/stream_room.js'
import { summarize } from './status/status_summary.js'
import { validateStrictly } from './http/validation.js'

export interface GatewayOptions {
  nats: { url: string; token?: string }
  /** The embedded store process; `settings.clickhouse.url` names another server. */
  clickhouse: { url: string; password?: string }
  /** The access token, the only credential. */
  token: string
  log?: Logger
  /** In front of all plate data. @default records every access in the log */
  gate?: AccessGate
  /** Replaces the records of the store, for tests. */
  records?: Records
  /** Folder of the built pages of ui-lite. */
  uiFolder?: string
  /** Consoles that may be connected at the same time. */
  maxConsoles?: number
  /** Looks for renewed certificates this often, ms. */
  certificateLookMs?: number
  /** A console without progress for this long is closed, ms. */
  stallMs?: number
}

export interface Gateway {
  /** `http://127.0.0.1:8480`, with the port that it listens on. */
  readonly url: string
  /** Of the door for cameras that push; undefined when it is closed. */
  readonly pushUrl: string | undefined
  readonly app: FastifyInstance
  readonly services: Services
  /** Notifies the consoles and closes all connections. Resolves when everything has stopped. */
  close(): Promise<void>
}

/** Largest request body, bytes. Canvass routes have a limit of their own; there are no uploads. */
const BODY_LIMIT = 65_536

/** The lists of engines and registry are compared this often, ms. */
const COMPARE_MS = 1_000

/**
 * Serves the console, the API and the WebSocket. It starts at once, even while NATS or the store is unreachable:
 * /readyz reports what is missing.
 * @throws if the port is taken
 */
export async function startGateway(settings: Settings, options: GatewayOptions): Promise<Gateway> {
  const log = options.log ?? gatewayLog(settings.log.level)
  const { host, port, tls } = settings.gateway
  refusePlainText(settings.gateway)
  const address = new PublicAddress(settings.gateway)
  const secure = readTls(tls, 'gateway.tls')
  const authenticator = new Authenticator(options.token)
  const natsLink = new NatsLink(options.nats, log)
  const board = new StatusBoard()
  const registry = new RegistryMirror()
  const missing = new MissingLists(board, registry)
  const ingest = new IngestBoard(registry)
  const rooms = new StreamRooms()
  const gate = options.gate ?? accessLog(log)
  const opened = options.records
    ? undefined
    : openRecords({
        settings,
        store: { url: options.clickhouse.url, token: options.clickhouse.password },
        gate,
        nats: () => natsLink.nats,
        log,
      })
  const records = options.records ?? opened!.records
  const hub = new Hub(
    natsLink,
    authenticator,
    address,
    records,
    (live) => summarize({ natsLink, board, registry, missing, ingest }, live),
    {
      queue: settings.gateway.consoleQueue,
      maxConsoles: options.maxConsoles ?? 1_024,
      stallMs: options.stallMs ?? 30_000,
    },
    log,
  )
  natsLink.addTask(board.task)
  natsLink.addTask(ingest.task)
  natsLink.addTask(registry.camerasTask)
  natsLink.addTask(registry.listsTask)
  natsLink.addTask(rooms.task)
  const services: Services = {
    authenticator,
    address,
    natsLink,
    hub,
    board,
    ingest,
    registry,
    missing,
    rooms,
    records,
    push: new PushCounts(),
  }

  const app = await buildApp(
    services,
    log,
    options.uiFolder ?? fileURLToPath(new URL('../ui-lite/', import.meta.url)),
    secure,
  )
  app.server.on('upgrade', (request, socket, head) => hub.upgrade(request, socket, head))
  let door: PushDoor | undefined
  try {
    await app.listen({ host, port })
    door = await openPushDoor({
      settings: settings.push,
      token: options.token,
      credentials: new PushCredentials(dataPaths(settings).secrets),
      camera: (id) => registry.camera(id),
      nats: () => natsLink.nats,
      counts: services.push,
      log,
    })
  } catch (error) {
    hub.close()
    await app.close()
    await opened?.close()
    throw error
  }
  const certificates =
    app.server instanceof HttpsServer
      ? followTls(app.server, tls, 'gateway.tls', log, options.certificateLookMs)
      : undefined
  natsLink.start()
  const comparing = setInterval(() => missing.update(), COMPARE_MS)
  opened?.loadDictionary()
  return {
    url: `${secure ? 'https' : 'http'}://${inAddress(host)}:${(app.server.address() as AddressInfo).port}`,
    pushUrl: door?.url,
    app,
    services,
    close: async () => {
      clearInterval(comparing)
      await door?.close()
      certificates?.stop()
      hub.close()
      await app.close()
      await natsLink.close()
      await opened?.close()
    },
  }
}

/** IPv6 addresses stand in brackets. */
const inAddress = (host: string): string => (host.includes(':') ? `[${host}]` : host)

/** One fastify instance with all routes, not listening yet. @param tls without it, plain HTTP */
export async function buildApp(
  services: Services,
  log: FastifyBaseLogger,
  uiFolder: string,
  tls?: SecureContextOptions,
): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    requestTimeout: 30_000,
    forceCloseConnections: true,
    trustProxy: false,
    routerOptions: { maxParamLength: 200 },
    ...(tls && { https: { ...tls, requestCert: tls.ca !== undefined } }),
  }) as unknown as FastifyInstance
  secureHeaders(app, services.address.isSecure)
  guard(app, services.authenticator, services.address)
  validateStrictly(app)
  answerProblems(app)
  await registerOpenApi(app, version())
  const api = app as unknown as Api
  for (const routes of [
    healthRoutes,
    metricsRoutes,
    sessionRoutes,
    statusRoutes,
    readsRoutes,
    hitsRoutes,
    registryRoutes,
    ledgerRoutes,
    cropsRoutes,
    canvassRoutes,
  ]) {
    routes(api, services)
  }
  staticPages(api, uiFolder)
  await app.ready()
  return app
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

/** Records every access in the log, at any `log.level`: a setting must not switch the record off. */
function accessLog(log: Logger): LogGate {
  const always = log.child({}, { level: 'info' })
  return new LogGate((line) => always.info(line, 'access to plate data'))
}
