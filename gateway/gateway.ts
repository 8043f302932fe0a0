import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'
import { dataPaths, type Desk, type Gate, type Settings } from '../engine/mod.js'
import { StoreCanvass } from './records/store_canvass.js'
import type { Api, Services } from './http/api.js'
import type { Archive } from './records/archive.js'
import { RegistryMirror } from './status/registry_mirror.js'
import { registerOpenApi } from './http/openapi.js'
import { Authenticator } from './access/authenticator.js'
import { guard } from './access/guard.js'
import { secureHeaders } from './http/headers.js'
import { Hub } from './live/hub.js'
import { NatsLink } from './live/nats_link.js'
import { gatewayLog } from './log.js'
import { isLoopbackAddress } from './access/loopback.js'
import { answerProblems } from './http/problem.js'
import { canvassRoutes } from './routes/canvass.js'
import { cropsRoutes } from './routes/crops.js'
import { healthRoutes } from './routes/health.js'
import { hitsRoutes } from './routes/hits.js'
import { ledgerRoutes } from './routes/ledger.js'
import { metricsRoutes } from './routes/metrics.js'
import { readsRoutes } from './routes/reads.js'
import { registryRoutes } from './routes/registry.js'
import { sessionRoutes } from './routes/session.js'
import { staticPages } from './http/static_pages.js'
import { statusRoutes } from './routes/status.js'
import { StatusBoard } from './status/status_board.js'
import { StoreArchive } from './records/store_archive.js'
import { validateStrictly } from './http/validation.js'

export interface GatewayOptions {
  nats: { url: string; token?: string }
  /** The embedded store process; `settings.clickhouse.url` names another server. */
  clickhouse: { url: string; password?: string }
  /** The access token: the only key to the door. */
  token: string
  log?: Logger
  /** Another source of stored reads than the store, for tests. */
  archive?: Archive
  /** Purpose and audit, in front of every question about stored reads. */
  gate?: Gate
  /** Another desk than the store's, for tests. */
  canvass?: Desk
  /** Built pages of ui-lite. */
  uiFolder?: string
  /** Consoles at the same time. */
  maxConsoles?: number
  /** A console without progress for this long is closed, ms. */
  stallMs?: number
}

export interface Gateway {
  /** `http://127.0.0.1:8480`, with the port that was really taken. */
  readonly url: string
  readonly app: FastifyInstance
  readonly services: Services
  /** Consoles are told, connections closed. Resolves when everything is down. */
  close(): Promise<void>
}

/** What a request may carry besides pictures; we take no uploads here. Bytes. */
const BODY_LIMIT = 65_536

/**
 * Serves the console, the API and the WebSocket. Starts at once, also while NATS or the store are away: /readyz says
 * what is missing.
 * @throws when the port is taken
 */
export async function startGateway(settings: Settings, options: GatewayOptions): Promise<Gateway> {
  const log = options.log ?? gatewayLog(settings.log.level)
  const authenticator = new Authenticator(options.token)
  const natsLink = new NatsLink(options.nats, log)
  const board = new StatusBoard()
  const registry = new RegistryMirror()
  const hub = new Hub(natsLink, authenticator, board, registry, {
    queue: settings.gateway.consoleQueue,
    maxConsoles: options.maxConsoles ?? 1_024,
    stallMs: options.stallMs ?? 30_000,
  })
  natsLink.addTask(board.task)
  natsLink.addTask(registry.camerasTask)
  natsLink.addTask(registry.listsTask)
  const archive = options.archive ?? new StoreArchive(settings, options.clickhouse, dataPaths(settings).crops)
  const questions = options.canvass
    ? undefined
    : new StoreCanvass(settings, options.clickhouse, { ...(options.gate && { gate: options.gate }), natsLink, log })
  const services: Services = {
    authenticator,
    natsLink,
    hub,
    board,
    registry,
    archive,
    canvass: options.canvass ?? questions!.canvass,
  }

  const app = await buildApp(services, log, options.uiFolder ?? fileURLToPath(new URL('../ui-lite/', import.meta.url)))
  app.server.on('upgrade', (request, socket, head) => hub.upgrade(request, socket, head))
  const { host, port } = settings.gateway
  if (!isLoopbackAddress(host))
    log.warn({ host }, 'listening beyond this machine without TLS: put a proxy with TLS in front')
  try {
    await app.listen({ host, port })
  } catch (error) {
    hub.close()
    await questions?.close()
    await archive.close()
    throw error
  }
  natsLink.start()
  questions?.start()
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${(app.server.address() as AddressInfo).port}`,
    app,
    services,
    close: async () => {
      hub.close()
      await app.close()
      await natsLink.close()
      await questions?.close()
      await archive.close()
    },
  }
}

/** All routes on one fastify instance, not listening yet. */
export async function buildApp(services: Services, log: FastifyBaseLogger, uiFolder: string): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    requestTimeout: 30_000,
    forceCloseConnections: true,
    trustProxy: false,
    routerOptions: { maxParamLength: 200 },
  }) as unknown as FastifyInstance
  secureHeaders(app)
  guard(app, services.authenticator)
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
