import { readFileSync, existsSync } from 'node:fs'
import { cpus, hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { Type, type Static, type TObject, type TSchema } from '@sinclair/typebox'
import { AlprError } from './errors.js'
import { isZone, machineZone } from './runtime/local_time.js'
import { parserOf } from './runtime/validate.js'

const strict = { additionalProperties: false }
/** Most partitions of an entrance: each has two streams. */
const MOST_PARTITIONS = 64

/**
 * The schema of all settings. Values come from `platestream.config.json`; `PLATESTREAM_*` variables override the file
 * (`PLATESTREAM_ENGINE_WORKERS=4` sets `engine.workers`; `PLATESTREAM_ENGINE_FRAME_TIMEOUT_MS` sets
 * `engine.frameTimeoutMs`). `NATS_URL` and `CLICKHOUSE_URL` are accepted too: they are the usual names for servers that
 * run already.
 */
const SCHEMA = Type.Object(
  {
    dataFolder: Type.String({ minLength: 1, default: 'data', description: 'folder of all persistent data' }),
    nats: Type.Object(
      {
        url: Type.String({ default: '', description: 'empty: a private nats-server in the data folder' }),
        port: Type.Integer({
          minimum: 0,
          maximum: 65535,
          default: 0,
          description: 'loopback port of the private server; 0: any free port',
        }),
        partitions: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: MOST_PARTITIONS,
            description:
              'how many partitions a new installation has; later it must be the stored number or be left out ' +
              '("platestream partitions set" changes it). Left out: 4 on a private server, else what NATS maps to',
          }),
        ),
        framesMaxBytes: Type.Integer({
          minimum: 16_777_216,
          default: 8_589_934_592,
          description: 'frames that wait to be processed, in bytes; publishers are refused when they reach this bound',
        }),
        detectionsMaxBytes: Type.Integer({
          minimum: 16_777_216,
          default: 2_147_483_648,
          description: 'the same bound for detections from cameras that read plates themselves',
        }),
        replicas: Type.Integer({
          minimum: 1,
          maximum: 5,
          default: 1,
          description: 'copies of each stream in a JetStream cluster',
        }),
        token: Type.String({ default: '', description: 'token of the server, if it needs one' }),
      },
      strict,
    ),
    clickhouse: Type.Object(
      {
        url: Type.String({ default: '', description: 'empty: the embedded store process in the data folder' }),
        port: Type.Integer({
          minimum: 0,
          maximum: 65535,
          default: 0,
          description: 'loopback port of the embedded store; 0: any free port',
        }),
        database: Type.String({
          pattern: '^[a-z][a-z0-9_]{0,62}$',
          default: 'platestream',
          description: 'database of all tables',
        }),
        cluster: Type.String({
          pattern: '^([A-Za-z_][A-Za-z0-9_]{0,62})?$',
          default: '',
          description:
            'name of the cluster, as the server knows it, that the tables are spread over; empty: one server',
        }),
        username: Type.String({ default: 'default', description: 'account at a server of your own' }),
        password: Type.String({ default: '', description: 'its password' }),
        maxMemoryBytes: Type.Integer({
          minimum: 268_435_456,
          default: 2_147_483_648,
          description: 'memory limit of one query or insert, in bytes',
        }),
      },
      strict,
    ),
    engine: Type.Object(
      {
        instance: Type.String({
          pattern: '^[a-zA-Z0-9._-]{1,64}$',
          default:
            hostname()
              .replace(/[^a-zA-Z0-9._-]/g, '-')
              .slice(0, 64) || 'engine',
          description:
            'name of this engine in leases; an engine that restarts under its name takes its partitions back at once',
        }),
        workers: Type.Integer({
          minimum: 1,
          maximum: 256,
          default: Math.max(1, cpus().length),
          description: 'recognition threads',
        }),
        frameTimeoutMs: Type.Integer({
          minimum: 100,
          maximum: 60_000,
          default: 10_000,
          description:
            'wall time that recognition of one frame may take; generous, so that a busy machine does not lose frames',
        }),
        batchMs: Type.Integer({
          minimum: 50,
          maximum: 10_000,
          default: 1_000,
          description: 'time between checkpoints',
        }),
        passGapMs: Type.Integer({
          minimum: 500,
          maximum: 60_000,
          default: 3_000,
          description:
            'event time without a detection after which a pass closes; with fewer than 3 frames in it, 3.5 frames',
        }),
        futureToleranceMs: Type.Integer({
          minimum: 0,
          maximum: 86_400_000,
          default: 120_000,
          description: 'how far Captured-At may be ahead of the arrival time',
        }),
      },
      strict,
    ),
    agency: Type.Object(
      {
        zone: Type.String({
          default: machineZone(),
          description: 'time zone of the agency, such as America/Los_Angeles: days in its files begin and end there',
        }),
      },
      strict,
    ),
    hotlists: Type.Object(
      {
        maxShrink: Type.Number({
          minimum: 0,
          maximum: 1,
          default: 0.2,
          description: 'share by which an import may shrink a hot list without --accept; 0.2 is a fifth',
        }),
      },
      strict,
    ),
    ingest: Type.Object(
      {
        instance: Type.String({
          pattern: '^[a-zA-Z0-9._-]{1,64}$',
          default:
            hostname()
              .replace(/[^a-zA-Z0-9._-]/g, '-')
              .slice(0, 64) || 'ingest',
          description: 'name of this ingest process; one that restarts under its name takes its cameras back at once',
        }),
        spoolMaxBytes: Type.Integer({
          minimum: 0,
          default: 2_147_483_648,
          description:
            'frames of live cameras that wait on disk while NATS takes none, in bytes; a full spool refuses new ' +
            'frames and keeps what it holds',
        }),
      },
      strict,
    ),
    gateway: Type.Object(
      {
        host: Type.String({ default: '127.0.0.1', description: 'address to listen on' }),
        port: Type.Integer({ minimum: 0, maximum: 65535, default: 8480, description: 'port to listen on; 0: any' }),
        publicUrl: Type.String({
          default: '',
          description: 'address that browsers use, such as https://alpr.example.org, where a proxy is in front',
        }),
        tls: Type.Object(
          {
            key: Type.String({ default: '', description: 'file of the private key, PEM' }),
            cert: Type.String({
              default: '',
              description: 'file of the certificate with its chain, PEM; a renewed one is used within a minute',
            }),
            clientCa: Type.String({
              default: '',
              description: 'file of certificates, PEM; only clients with a certificate that they signed can connect',
            }),
          },
          strict,
        ),
        insecure: Type.Boolean({
          default: false,
          description: 'allows to listen beyond this machine without TLS, as in a container behind a proxy',
        }),
        consoleQueue: Type.Integer({
          minimum: 16,
          maximum: 100_000,
          default: 1_000,
          description: 'messages that may wait for one console',
        }),
        searchBudgetMs: Type.Integer({
          minimum: 10,
          maximum: 600_000,
          default: 2_000,
          description:
            'work of one pattern search over all plates, in milliseconds of one core; a search that needs more is ' +
            'answered in part',
        }),
      },
      strict,
    ),
    push: Type.Object(
      {
        port: Type.Optional(
          Type.Integer({
            minimum: 0,
            maximum: 65535,
            description: 'port of the door for cameras that push; left out: closed; 0: any free port',
          }),
        ),
        host: Type.String({ default: '127.0.0.1', description: 'address that the door for cameras listens on' }),
        key: Type.String({ default: '', description: 'file of its private key, PEM' }),
        cert: Type.String({ default: '', description: 'file of its certificate with its chain, PEM' }),
        clientCa: Type.String({
          default: '',
          description: 'file of the certificates that sign those of cameras, PEM; needed for client certificates',
        }),
        proxies: Type.String({
          default: '',
          description: 'addresses of proxies in front whose X-Forwarded-For counts, separated by commas',
        }),
        insecure: Type.Boolean({
          default: false,
          description: 'allows the door to listen beyond this machine without TLS, for cameras that can only that',
        }),
      },
      strict,
    ),
    log: Type.Object(
      {
        level: Type.Union(
          ['fatal', 'error', 'warn', 'info', 'debug', 'silent'].map((v) => Type.Literal(v)),
          { default: 'info', description: 'least level of log lines; records of access are always written' },
        ),
      },
      strict,
    ),
  },
  strict,
)

export type Settings = Readonly<Static<typeof SCHEMA>>

/**
 * Reads the settings, fills in the defaults, validates and freezes them.
 * @param options.file settings file; it must exist. Without it the default file is read if it exists
 * @param options.overrides values by dotted key; they win over file and environment
 * @throws ALPR_ERR_SETTINGS_INVALID with the name of the key
 */
export function loadSettings(
  options: { file?: string; env?: NodeJS.ProcessEnv; overrides?: Record<string, unknown> } = {},
): Settings {
  const env = options.env ?? process.env
  const raw: Record<string, unknown> = {}
  const file = options.file ?? env.PLATESTREAM_CONFIG ?? 'platestream.config.json'
  if (existsSync(file)) merge(raw, parseFile(file))
  else if (options.file !== undefined)
    throw new AlprError('ALPR_ERR_SETTINGS_INVALID', { key: file, reason: 'the file does not exist' })
  for (const [name, value] of Object.entries(env)) {
    if (name.startsWith('PLATESTREAM_') && !OUTSIDE.has(name) && value !== undefined) setPath(raw, keyOf(name), value)
  }
  if (env.NATS_URL) setPath(raw, 'nats.url', env.NATS_URL)
  if (env.CLICKHOUSE_URL) setPath(raw, 'clickhouse.url', env.CLICKHOUSE_URL)
  for (const [key, value] of Object.entries(options.overrides ?? {})) if (value !== undefined) setPath(raw, key, value)

  const settings = parse(fill(SCHEMA, raw))
  checkMeaning(settings)
  settings.dataFolder = resolve(settings.dataFolder)
  return deepFreeze(settings)
}

/** What the schema cannot say. @throws ALPR_ERR_SETTINGS_INVALID */
function checkMeaning({ agency }: Static<typeof SCHEMA>): void {
  if (!isZone(agency.zone))
    throw new AlprError('ALPR_ERR_SETTINGS_INVALID', {
      key: 'agency.zone',
      reason: `"${agency.zone}" is not a time zone such as America/Los_Angeles`,
    })
}

/** The paths inside the data folder. */
export function dataPaths(settings: Settings) {
  const inFolder = (name: string) => join(settings.dataFolder, name)
  return {
    nats: inFolder('nats'),
    store: inFolder('store'),
    crops: inFolder('crops'),
    run: inFolder('run'),
    ingest: inFolder('ingest'),
    secrets: inFolder('secrets.json'),
  }
}

const parse = parserOf<Static<typeof SCHEMA>>(
  SCHEMA,
  ({ field, unknown, limit }) =>
    new AlprError('ALPR_ERR_SETTINGS_INVALID', { key: field, reason: unknown ? unknownReason(field) : limit }),
)

/** Settings of earlier versions, and what to do instead. */
const RETIRED: Record<string, string> = {
  'engine.hitThreshold':
    'each hot list has its own threshold: remove this setting, and use `platestream hotlist set <list> --threshold`',
}

const unknownReason = (key: string): string => RETIRED[key] ?? 'there is no such setting'

/** Variables with the same prefix that are not settings. */
const OUTSIDE = new Set(['PLATESTREAM_CONFIG', 'PLATESTREAM_DATA', 'PLATESTREAM_CACHE'])

function parseFile(file: string): Record<string, unknown> {
  const invalid = (reason: string) => new AlprError('ALPR_ERR_SETTINGS_INVALID', { key: file, reason })
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw invalid(`not valid JSON: ${(error as Error).message}`)
  }
  if (!isSection(value)) throw invalid('must be an object')
  return value
}

const isSection = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value)

/**
 * The key that a variable sets: PLATESTREAM_ENGINE_FRAME_TIMEOUT_MS -> engine.frameTimeoutMs. The schema decides where
 * a section ends.
 */
function keyOf(variable: string): string {
  const flat = variable.slice('PLATESTREAM_'.length).toLowerCase().replaceAll('_', '')
  const key = [...keysOf(SCHEMA), ...Object.keys(RETIRED)].find(
    (name) => name.toLowerCase().replaceAll('.', '') === flat,
  )
  if (!key) throw new AlprError('ALPR_ERR_SETTINGS_INVALID', { key: variable, reason: 'there is no such setting' })
  return key
}

function keysOf(schema: TObject, prefix = ''): string[] {
  return Object.entries(schema.properties).flatMap(([name, child]) =>
    child.type === 'object' ? keysOf(child as TObject, `${prefix}${name}.`) : [`${prefix}${name}`],
  )
}

/** A setting, for its documentation. */
export interface SettingDoc {
  key: string
  variable: string
  /** Type and range. */
  type: string
  byDefault: string
  description: string
}

/** All settings, in the order of the schema. */
export const settingsTable = (): SettingDoc[] =>
  keysOf(SCHEMA).map((key) => {
    const { type, minimum, maximum, pattern, anyOf, description = '' } = schemaOf(key)!
    const choices = (anyOf as { const: string }[] | undefined)?.map((one) => one.const).join(', ')
    const range = minimum === undefined ? '' : `, ${minimum} to ${maximum ?? 'any'}`
    return {
      key,
      variable: `PLATESTREAM_${key
        .replace(/([a-z])([A-Z])/g, '$1_$2')
        .replaceAll('.', '_')
        .toUpperCase()}`,
      type: choices ?? `${type}${range}${pattern ? `, \`${String(pattern).replaceAll('|', '\\|')}\`` : ''}`,
      byDefault: defaultText(key),
      description: String(description),
    }
  })

/** Defaults that depend on the machine are named, not printed. */
const BY_MACHINE: Record<string, string> = {
  'engine.instance': 'name of the machine',
  'engine.workers': 'number of cores',
  'ingest.instance': 'name of the machine',
  'agency.zone': "zone of the machine's clock",
}

function defaultText(key: string): string {
  const value: unknown = schemaOf(key)!.default
  return BY_MACHINE[key] ?? (value === undefined || value === '' ? '' : `\`${String(value)}\``)
}

function schemaOf(key: string): TSchema | undefined {
  let schema: TSchema | undefined = SCHEMA
  for (const name of key.split('.')) schema = (schema as TObject | undefined)?.properties?.[name]
  return schema
}

function typeOf(key: string): string {
  return String(schemaOf(key)?.type ?? 'string')
}

/**
 * Sets a value by its dotted key. Text becomes a number or a boolean only where the schema expects one and the text is
 * one.
 */
function setPath(target: Record<string, unknown>, key: string, value: unknown): void {
  const names = key.split('.')
  const last = names.pop()!
  let at = target
  for (const name of names) {
    const section = (at[name] ??= {})
    // The validation refuses a section that is not an object.
    if (!isSection(section)) return
    at = section
  }
  const type = typeOf(key)
  if (type === 'boolean' && (value === 'true' || value === 'false')) value = value === 'true'
  const isNumber = typeof value === 'string' && /^(number|integer)$/.test(type) && /^-?\d+(\.\d+)?$/.test(value)
  at[last] = isNumber ? Number(value) : value
}

function merge(target: Record<string, unknown>, from: Record<string, unknown>): void {
  for (const [key, value] of Object.entries(from)) {
    if (isSection(value)) merge((target[key] ??= {}) as Record<string, unknown>, value)
    else target[key] = value
  }
}

/** A copy with the defaults of the schema, also those of sections that are missing. */
function fill(schema: TObject, raw: Record<string, unknown>): Record<string, unknown> {
  const out: Record<string, unknown> = { ...raw }
  for (const [name, child] of Object.entries(schema.properties)) {
    if (child.type === 'object') {
      const section = raw[name] ?? {}
      out[name] = isSection(section) ? fill(child as TObject, section) : section
    } else if (out[name] === undefined && child.default !== undefined) out[name] = child.default
  }
  return out
}

function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === 'object') Object.values(value).forEach(deepFreeze)
  return Object.freeze(value)
}
