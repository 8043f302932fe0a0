import {
  ClickHouseError,
  ClickHouseLogLevel,
  createClient as create,
  type ClickHouseClient,
  type ClickHouseSettings,
} from '@clickhouse/client'
import { AlprError, logReasonOf, reasonOf } from '../errors.js'
import { backoffMs, sleep } from '../runtime/backoff.js'
import type { Settings } from '../settings.js'
import { formOf, formSettings } from './ddl.js'

export type { ClickHouseClient } from '@clickhouse/client'

/** Settings of every query, so that an embedded store, a server and a cluster answer alike. */
const DEFAULT_SETTINGS: ClickHouseSettings = {
  // UInt64 as text: a JSON number loses digits beyond 2^53.
  output_format_json_quote_64bit_integers: 1,
  async_insert: 0,
  date_time_output_format: 'iso',
  date_time_input_format: 'best_effort',
  // On a cluster a subquery runs once and its result goes to every shard; by default ClickHouse refuses it.
  distributed_product_mode: 'global',
}

/**
 * For `clickhouse_settings` of a query whose result may be large: the embedded store then streams the result instead of
 * bounding and buffering it. Works for one SELECT without subqueries in a line or binary format; a ClickHouse server
 * always streams.
 */
export const STREAMED: ClickHouseSettings = { wait_end_of_query: 0 }

/** Address and token of the embedded store; not needed when the settings name a server. */
export interface StoreAddress {
  url?: string
  token?: string
}

export interface ClientOptions {
  /** How long one query may take, in milliseconds; the store kills a query that the client gives up. */
  requestTimeoutMs?: number
  maxConnections?: number
}

/**
 * A client of the store: of the server that the settings name, else of the embedded one. It is not bound to a database,
 * because such a client could not create that database: names are always qualified.
 * @throws ALPR_ERR_SETTINGS_INVALID when there is neither, or a cluster without a server
 */
export function createClient(
  settings: Pick<Settings, 'clickhouse'>,
  store: StoreAddress = {},
  options: ClientOptions = {},
): ClickHouseClient {
  const { clickhouse } = settings
  const embedded = clickhouse.url === ''
  const url = embedded ? store.url : clickhouse.url
  if (!url)
    throw new AlprError('ALPR_ERR_SETTINGS_INVALID', {
      key: 'clickhouse.url',
      reason: 'is empty, and there is no embedded store',
    })
  const form = formOf(settings)
  if (embedded && form.kind === 'cluster')
    throw new AlprError('ALPR_ERR_SETTINGS_INVALID', {
      key: 'clickhouse.cluster',
      reason: 'needs clickhouse.url: the embedded store is one node',
    })
  return create({
    url,
    username: embedded ? 'default' : clickhouse.username,
    password: embedded ? (store.token ?? '') : clickhouse.password,
    application: 'platestream',
    request_timeout: options.requestTimeoutMs ?? 60_000,
    max_open_connections: options.maxConnections ?? 16,
    // A socket that the server has just closed gives ECONNRESET: the client closes idle ones long before the server
    // does (embedded store: 30 s; servers: 3 s or more).
    keep_alive: { enabled: true, idle_socket_ttl: 2_000, eagerly_destroy_stale_sockets: true },
    // On loopback compression costs more than it saves; over a network it pays.
    compression: { request: !embedded, response: !embedded },
    clickhouse_settings: {
      ...DEFAULT_SETTINGS,
      ...formSettings(form),
      max_memory_usage: String(clickhouse.maxMemoryBytes),
    },
    // Errors reach the caller; the client's own log would repeat them, with the query in it.
    log: { level: ClickHouseLogLevel.OFF },
  })
}

const BACKOFF = { firstMs: 50, maxMs: 2_000 }

/**
 * Waits until the store answers a query.
 * @throws the signal's reason; the store's error when waiting cannot help (a wrong password)
 */
export async function waitForStore(
  client: ClickHouseClient,
  options: { signal?: AbortSignal; onRetry?: (error: Error) => void } = {},
): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    options.signal?.throwIfAborted()
    const result = await client.ping({ select: true, abort_signal: options.signal })
    if (result.success) return
    options.signal?.throwIfAborted()
    if (!isRetryable(result.error)) throw result.error
    options.onRetry?.(result.error)
    await sleep(backoffMs(attempt, BACKOFF), options.signal)
  }
}

/** Transient errors of ClickHouse: overload, memory, space, network and quorum inside a cluster, a killed query. */
const TRANSIENT = new Set([
  'UNEXPECTED_END_OF_FILE',
  'CANNOT_READ_FROM_FILE_DESCRIPTOR',
  'CANNOT_WRITE_TO_FILE_DESCRIPTOR',
  'CANNOT_FSYNC',
  'CANNOT_ALLOCATE_MEMORY',
  'CANNOT_READ_FROM_SOCKET',
  'CANNOT_WRITE_TO_SOCKET',
  'SOCKET_TIMEOUT',
  'NETWORK_ERROR',
  'DNS_ERROR',
  'ALL_CONNECTION_TRIES_FAILED',
  'NO_FREE_CONNECTION',
  'TIMEOUT_EXCEEDED',
  'QUOTA_EXCEEDED',
  'TOO_MANY_SIMULTANEOUS_QUERIES',
  'SERVER_OVERLOADED',
  'CANNOT_SCHEDULE_TASK',
  'SYSTEM_ERROR',
  'ABORTED',
  'QUERY_WAS_CANCELLED',
  'MEMORY_LIMIT_EXCEEDED',
  'NOT_ENOUGH_SPACE',
  'TOO_MANY_PARTS',
  'DEADLOCK_AVOIDED',
  'ASYNC_LOAD_WAIT_FAILED',
  'NO_ZOOKEEPER',
  'KEEPER_EXCEPTION',
  'TABLE_IS_READ_ONLY',
  'TOO_FEW_LIVE_REPLICAS',
  'UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE',
  'UNKNOWN_STATUS_OF_INSERT',
  'ALL_REPLICAS_LOST',
  'REPLICA_STATUS_CHANGED',
  'DISTRIBUTED_TOO_MANY_PENDING_BYTES',
  'S3_ERROR',
  'POCO_EXCEPTION',
  'STD_EXCEPTION',
])

/** Error codes of Node.js for a failed connection, or their common beginning. */
const NETWORK_CODES = [
  'ECONN',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'EAI_AGAIN',
  'ENOTFOUND',
  'UND_ERR_SOCKET',
  'ERR_STREAM_PREMATURE_CLOSE',
  'EADDRNOTAVAIL',
]

/** Whether the same request may succeed later, because the error is not its fault. */
export function isRetryable(error: unknown): boolean {
  if (error instanceof ClickHouseError) return TRANSIENT.has(error.type ?? '')
  if (error instanceof AlprError) return error.status === 503
  const { code, message } = (error ?? {}) as NodeJS.ErrnoException
  if (typeof code === 'string' && NETWORK_CODES.some((prefix) => code.startsWith(prefix))) return true
  return /^(Timeout error\.|socket hang up|aborted|The socket was closed)/i.test(String(message ?? ''))
}

/**
 * The client's error as an AlprError. ClickHouse's message remains in `cause` only: it may quote the query and so the
 * plate that somebody searched for, which must not reach a log or another person.
 */
export function storeError(error: unknown, url: string): AlprError {
  if (error instanceof AlprError) return error
  const reason =
    error instanceof ClickHouseError
      ? `${error.type ?? 'ClickHouse error'} (${error.code})`
      : // Words of the connection; any other text may be a page of the server that quotes the query.
        (isRetryable(error) ? reasonOf : logReasonOf)(error)
  return new AlprError(
    isRetryable(error) ? 'ALPR_ERR_STORE_UNAVAILABLE' : 'ALPR_ERR_INTERNAL',
    { url, reason },
    { cause: error },
  )
}
