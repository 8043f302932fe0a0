import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { headers, type NatsConnection } from 'nats'
import {
  type Camera,
  CameraRegistry,
  type EngineStatus,
  framesSubject,
  HEADER,
  type Hit,
  STREAM,
} from '../../engine/mod.js'
import { sleep } from '../../engine/runtime/mod.js'
import { startTestNats, type TestNats } from './nats.js'
import { startTestStore, type TestStore } from './store.js'

/**
 * The running system for a test: a real nats-server, a real store, and the engine as a process that can be killed.
 */
export interface TestSystem {
  nats: TestNats
  store: TestStore
  connection: NatsConnection
  dataFolder: string
  startEngine(): Promise<void>
  /** Wall time, milliseconds. */
  readonly engineStartedAt: number
  /** Sends a signal, SIGKILL by default; resolves when the process has exited. */
  stopEngine(signal?: NodeJS.Signals): Promise<void>
  /** Resolves when the engine has exited for any reason. */
  engineExited(): Promise<void>
  publish(frame: TestFrame): Promise<void>
  /** Waits until the ledger counts this many frames. */
  untilStored(frames: number, limitMs?: number): Promise<void>
  rows<T>(query: string): Promise<T[]>
  hits(): Promise<Hit[]>
  dead(): Promise<{ reason: string; camera: string; payload: Uint8Array; headers: Record<string, string> }[]>
  /** Latest status of the engine, or undefined before the first one. */
  status(): EngineStatus | undefined
}

export interface TestFrame {
  camera: string
  capturedAt: number | string | undefined
  jpeg: Uint8Array
  headers?: Record<string, string>
  /** Message id for deduplication, so that a retry after a lost acknowledgement is not stored twice. */
  id?: string
}

export interface SystemOptions {
  cameras?: Camera[]
  /** Variables of the engine; undefined removes one. */
  env?: Record<string, string | undefined>
  /** Start the engine immediately. @default true */
  engine?: boolean
  /** Existing servers with two partitions, instead of new ones. */
  servers?: { nats: TestNats; store: TestStore; dataFolder: string }
}

const CLI = new URL('../../cli/main.js', import.meta.url).pathname

/** Starts the system; everything ends with the test. */
export async function startTestSystem(
  t: { teardown(end: () => unknown): unknown },
  options: SystemOptions = {},
): Promise<TestSystem> {
  const dataFolder = options.servers?.dataFolder ?? mkdtempSync(join(tmpdir(), 'platestream-system-'))
  const [nats, store] = options.servers
    ? [options.servers.nats, options.servers.store]
    : await Promise.all([startTestNats(t, { partitions: 2, framesMaxBytes: 1_073_741_824 }), startTestStore(t)])
  const connection = await nats.connect('test')
  let engine: ChildProcess | undefined
  let status: EngineStatus | undefined
  let engineStartedAt = 0
  void (async () => {
    for await (const message of connection.subscribe('status.engine.*')) status = message.json<EngineStatus>()
  })()

  const stopEngine = async (signal: NodeJS.Signals = 'SIGKILL') => {
    if (!engine || engine.exitCode !== null || engine.signalCode !== null) return
    const gone = once(engine, 'exit')
    engine.kill(signal)
    await gone
  }
  const engineExited = async () => {
    if (engine && engine.exitCode === null && engine.signalCode === null) await once(engine, 'exit')
  }
  const startEngine = async () => {
    engineStartedAt = Date.now()
    engine = spawn(process.execPath, [CLI, 'engine'], {
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        NATS_URL: nats.url,
        PLATESTREAM_NATS_TOKEN: nats.token,
        PLATESTREAM_NATS_PARTITIONS: '2',
        CLICKHOUSE_URL: store.url,
        PLATESTREAM_CLICKHOUSE_PASSWORD: store.token,
        PLATESTREAM_DATA_FOLDER: dataFolder,
        PLATESTREAM_ENGINE_INSTANCE: 'engine-under-test',
        PLATESTREAM_LOG_LEVEL: 'warn',
        ...options.env,
      },
      stdio: ['pipe', 'inherit', 'inherit'],
    })
    await once(engine, 'spawn')
  }
  t.teardown(async () => {
    await stopEngine()
    rmSync(dataFolder, { recursive: true, force: true })
  })
  if (options.cameras) {
    const registry = await CameraRegistry.open(connection)
    for (const camera of options.cameras) await registry.put(camera)
  }
  if (options.engine ?? true) await startEngine()

  const rows = async <T>(query: string) => (await store.client.query({ query, format: 'JSONEachRow' })).json<T>()
  return {
    nats,
    store,
    connection,
    dataFolder,
    startEngine,
    stopEngine,
    engineExited,
    rows,
    status: () => status,
    get engineStartedAt() {
      return engineStartedAt
    },
    async publish({ camera, capturedAt, jpeg, headers: more = {}, id }) {
      const header = headers()
      const time = typeof capturedAt === 'number' ? new Date(capturedAt).toISOString() : capturedAt
      if (time !== undefined) header.set(HEADER.capturedAt, time)
      if (id) header.set(HEADER.msgId, id)
      for (const [name, value] of Object.entries(more)) header.set(name, value)
      for (;;) {
        try {
          await connection.jetstream().publish(framesSubject(camera), jpeg, { headers: header, timeout: 5_000 })
          return
        } catch (error) {
          if (!id) throw error
          await sleep(100)
        }
      }
    },
    async untilStored(frames, limitMs = 60_000) {
      const deadline = Date.now() + limitMs
      for (let stored = -1; stored < frames; ) {
        stored = await rows<{ n: string }>('SELECT sum(frames_in) AS n FROM platestream.ledger FINAL').then(
          ([row]) => Number(row?.n ?? 0),
          () => 0,
        )
        if (Date.now() > deadline)
          throw new Error(
            `the ledger has ${stored} of ${frames} frames after ${limitMs} ms; engine: ${JSON.stringify(status)}`,
          )
        await sleep(100)
      }
    },
    hits: async () =>
      (await allOf(connection, STREAM.hits)).map(
        (message) => JSON.parse(new TextDecoder().decode(message.payload)) as Hit,
      ),
    dead: async () =>
      (await allOf(connection, STREAM.dead)).map(({ payload, subject, headers }) => ({
        reason: headers[HEADER.deadReason]!,
        camera: subject.split('.')[1]!,
        payload,
        headers,
      })),
  }
}

/** Every message of a stream, in order. */
async function allOf(
  connection: NatsConnection,
  stream: string,
): Promise<{ subject: string; payload: Uint8Array; headers: Record<string, string> }[]> {
  const consumer = await connection.jetstream().consumers.get(stream)
  const { messages } = (await (await connection.jetstreamManager()).streams.info(stream)).state
  const all: { subject: string; payload: Uint8Array; headers: Record<string, string> }[] = []
  if (messages === 0) return all
  for await (const message of await consumer.consume()) {
    all.push({
      subject: message.subject,
      payload: message.data,
      headers: Object.fromEntries([...(message.headers ?? [])].map(([name, values]) => [name, values[0] ?? ''])),
    })
    if (message.info.pending === 0) break
  }
  return all
}
