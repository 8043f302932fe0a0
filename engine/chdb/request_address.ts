import type { IncomingMessage } from 'node:http'
import { randomUUID } from 'node:crypto'
import { isSettingAllowed, type Fence } from './fence.js'
import { badRequest, notImplemented, StoreException } from './exception.js'

/** The parsed URL of a request. */
export interface RequestAddress {
  queryId: string
  /** SQL in the URL; the body then carries data. */
  query: string
  database: string
  defaultFormat?: string
  settings: Map<string, string>
  params: Map<string, string>
  /** The client requests a compressed result and accepts gzip. */
  gzip: boolean
  /**
   * An explicit `wait_end_of_query=0`, or a buffer for the response: send the result while the engine produces it.
   */
  stream: boolean
  /** With `send_progress_in_http_headers=1`: interval of the progress, milliseconds. */
  progressMs?: number
}

/** Parameters of the HTTP interface that are not settings of the engine. */
const INTERFACE_PARAMETERS = new Set([
  'query',
  'query_id',
  'database',
  'default_format',
  'enable_http_compression',
  'wait_end_of_query',
  'buffer_size',
  'http_response_buffer_size',
  'user',
  'password',
  'quota_key',
  'stacktrace',
  'session_check',
  'session_timeout',
  'close_session',
  'log_comment',
  'async_insert',
  'wait_for_async_insert',
  'send_progress_in_http_headers',
  'http_headers_progress_interval_ms',
  'http_zlib_compression_level',
  'cancel_http_readonly_queries_on_client_close',
])

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/

/** What a statement may name; of its settings, 0 means unlimited, so in an address it becomes the ceiling too. */
export interface SettingLimits extends Fence {
  /** Settings that the engine has. */
  known: ReadonlySet<string>
}

/** @throws UNKNOWN_SETTING (115), BAD_ARGUMENTS, NOT_IMPLEMENTED */
export function parseAddress(request: IncomingMessage, limits: SettingLimits): RequestAddress {
  let search: URLSearchParams
  try {
    search = new URL(request.url ?? '/', 'http://store').searchParams
  } catch {
    throw badRequest('The URL is not valid')
  }
  const settings = new Map<string, string>()
  const params = new Map<string, string>()
  for (const [name, value] of search) {
    if (name.startsWith('param_')) setParam(params, name.slice('param_'.length), value)
    else if (name === 'session_id' || name === 'role') throw notImplemented(`The parameter ${name}`)
    else if ((name === 'compress' || name === 'decompress') && value !== '0')
      throw notImplemented(`The parameter ${name}`)
    else if (!INTERFACE_PARAMETERS.has(name) && name !== 'compress' && name !== 'decompress')
      settings.set(name, limitedSetting(name, value, limits))
  }
  const database = search.get('database') ?? header(request, 'x-clickhouse-database') ?? 'default'
  if (database.length === 0 || database.length > 200) throw badRequest('The name of the database is not valid')
  return {
    queryId: (search.get('query_id') ?? '').replace(/[^\x21-\x7e]/g, '').slice(0, 200) || randomUUID(),
    query: search.get('query') ?? '',
    database,
    defaultFormat: search.get('default_format') ?? header(request, 'x-clickhouse-format'),
    settings,
    params,
    gzip: search.get('enable_http_compression') === '1' && /\bgzip\b/.test(header(request, 'accept-encoding') ?? ''),
    stream: isStream(search),
    progressMs: search.get('send_progress_in_http_headers') === '1' ? progressInterval(search) : undefined,
  }
}

function isStream(search: URLSearchParams): boolean {
  const wait = search.get('wait_end_of_query')
  return wait === null ? ['buffer_size', 'http_response_buffer_size'].some((name) => search.has(name)) : wait === '0'
}

/** At least 10 ms, because each one is a query. */
const progressInterval = (search: URLSearchParams): number =>
  Math.max(10, Number(search.get('http_headers_progress_interval_ms') ?? 100) || 100)

/** @throws BAD_ARGUMENTS for a name that is not an identifier */
export function setParam(params: Map<string, string>, name: string, value: string): void {
  if (!NAME.test(name)) throw badRequest(`The name of parameter ${JSON.stringify(name.slice(0, 50))} is not valid`)
  params.set(name, value)
}

/** The value, or the setting's ceiling. @throws UNKNOWN_SETTING */
function limitedSetting(name: string, value: string, limits: SettingLimits): string {
  if (!limits.known.has(name))
    throw new StoreException(115, 'UNKNOWN_SETTING', `Unknown setting '${name.slice(0, 100)}'`)
  if (!isSettingAllowed(name)) throw notImplemented(`The setting ${name}`)
  const ceiling = limits.ceilings.get(name)
  if (ceiling === undefined) return value
  const number = Number(value)
  return Number.isFinite(number) && number > 0 && number <= ceiling ? value : String(ceiling)
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}
