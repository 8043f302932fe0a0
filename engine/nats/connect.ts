import { connect, DebugEvents, Events, type ConnectionOptions, type NatsConnection } from 'nats'
import { AlprError } from '../errors.js'
import { backoffMs, sleep } from '../runtime/backoff.js'
import { isAuthorization, natsLogReason, natsReason } from './errors.js'

/** The logger of a connection; pino's loggers fit. */
export interface ConnectionLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

export interface ConnectNatsOptions {
  /**
   * One address, or several separated by commas: `nats://host:4222`, `tls://...`; `user:password@` or `token@` may
   * precede the host.
   */
  url: string
  token?: string
  /** Shown in the server's connection list, e.g. `engine a1`. */
  name: string
  log?: ConnectionLog
  /** Wait for an absent server forever instead of failing after `firstConnectMs`. */
  waitOnFirstConnect?: boolean
  /** How long a first connection is tried, in ms. */
  firstConnectMs?: number
  /** Ends the wait for the first connection. */
  signal?: AbortSignal
}

const kQuiet: ConnectionLog = { info: () => {}, warn: () => {} }

/**
 * A connection that reconnects forever, with growing, jittered pauses (0.1 s to 5 s) between attempts, even after
 * refused credentials (a server may restart with another secrets file). A connection that answers no ping for 20 s
 * counts as broken.
 * @throws ALPR_ERR_NATS_UNAVAILABLE when the first connection fails and `waitOnFirstConnect` is not set
 */
export async function connectNats(options: ConnectNatsOptions): Promise<NatsConnection> {
  const { log = kQuiet, name } = options
  const address = parseAddress(options)
  // The client asks for the pause again after each wake-up, so asking must not lengthen it: its events count the
  // attempts.
  let attempt = 0
  const connectionOptions: ConnectionOptions = {
    ...address.options,
    name,
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
    reconnectDelayHandler: () => backoffMs(attempt),
    pingInterval: 10_000,
    maxPingOut: 2,
    timeout: 5_000,
    // The client makes an Error with its stack for each request, in case it fails: 2 % of the engine's main thread.
    noAsyncTraces: true,
  }
  const connection = await firstConnection(connectionOptions, address.shown, options)
  void (async () => {
    for await (const status of connection.status()) {
      if (status.type === DebugEvents.Reconnecting) attempt++
      else if (status.type === Events.Disconnect) log.warn({ url: address.shown }, 'NATS is unreachable, reconnecting')
      else if (status.type === Events.Reconnect) {
        log.info({ url: address.shown, attempts: attempt }, 'NATS is back')
        attempt = 0
      } else if (status.type === Events.Error)
        log.warn({ url: address.shown, reason: String(status.data) }, 'NATS reports an error')
    }
  })()
  return connection
}

async function firstConnection(
  connectionOptions: ConnectionOptions,
  url: string,
  options: ConnectNatsOptions,
): Promise<NatsConnection> {
  const deadline = performance.now() + (options.firstConnectMs ?? 5_000)
  for (let attempt = 0; ; attempt++) {
    try {
      return await connect(connectionOptions)
    } catch (error) {
      const reason = natsReason(error)
      const pause = backoffMs(attempt)
      const enough = !options.waitOnFirstConnect && (performance.now() + pause > deadline || isAuthorization(error))
      if (enough || options.signal?.aborted)
        throw new AlprError('ALPR_ERR_NATS_UNAVAILABLE', { url, reason }, { cause: error })
      if (attempt === 0 || attempt % 10 === 0)
        options.log?.warn({ url, reason: natsLogReason(error) }, 'NATS is not reachable yet, waiting')
      await sleep(pause, options.signal)
    }
  }
}

/** Separates credentials from the addresses; `shown`, for logs and errors, never contains them. */
function parseAddress({ url, token }: ConnectNatsOptions): { options: ConnectionOptions; shown: string } {
  const servers: string[] = []
  const options: ConnectionOptions = token ? { token } : {}
  for (const part of url
    .split(',')
    .map((p) => p.trim())
    .filter(Boolean)) {
    let parsed: URL
    try {
      parsed = new URL(part.includes('://') ? part : `nats://${part}`)
    } catch {
      throw new AlprError('ALPR_ERR_SETTINGS_INVALID', {
        key: 'nats.url',
        reason: 'not an address like nats://host:4222',
      })
    }
    if (parsed.username && parsed.password)
      Object.assign(options, { user: decodeURIComponent(parsed.username), pass: decodeURIComponent(parsed.password) })
    else if (parsed.username) options.token = decodeURIComponent(parsed.username)
    if (parsed.protocol === 'tls:') options.tls ??= {}
    servers.push(`${parsed.hostname}:${parsed.port || 4222}`)
  }
  if (servers.length === 0) throw new AlprError('ALPR_ERR_SETTINGS_INVALID', { key: 'nats.url', reason: 'no address' })
  return { options: { ...options, servers }, shown: servers.map((s) => `nats://${s}`).join(',') }
}
