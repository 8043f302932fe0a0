import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NatsConnection } from 'nats'
import type { PrivateServer } from '../../engine/internal_mod.js'
import { connectNats, setupNats, startPrivateServer } from '../../engine/mod.js'

/** The part of tap's `t` that registers cleanup functions. */
export interface Teardown {
  teardown(end: () => Promise<void> | void): unknown
}

export interface TestNatsOptions {
  partitions?: number
  /** Loopback port, the same after every `restart()`. @default a free port */
  port?: number
  /** @default a temporary folder that is removed at the end */
  dataFolder?: string
  /** Size of the stream FRAMES at which publishers are refused, bytes. @default 64 MiB */
  framesMaxBytes?: number
  deadMaxBytes?: number
  /** `false`: a server without streams and buckets. @default true */
  setup?: boolean
}

export interface TestNats {
  url: string
  token: string
  port: number
  partitions: number
  /** Opens a connection that is closed at the end of the test. */
  connect(name?: string): Promise<NatsConnection>
  /** Maps publishers to another number of partitions. */
  remap(partitions: number): void
  /** Kills only the server process; resolves when it has exited. Connections start to reconnect. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Restarts the server on the same port and folder, killing it first if it is running. */
  restart(): Promise<void>
}

/** A real nats-server for one test: on loopback, JetStream in a temporary folder, streams and buckets set up. */
export async function startTestNats(t: Teardown, options: TestNatsOptions = {}): Promise<TestNats> {
  const folder = options.dataFolder ?? mkdtempSync(join(tmpdir(), 'platestream-nats-'))
  const token = 'test-token'
  const partitions = options.partitions ?? 4
  const port = options.port ?? (await freePort())
  const start = () => startPrivateServer({ folder, token, partitions, port })
  let server: PrivateServer = await start()
  const connections: NatsConnection[] = []

  const connect = async (name = 'test') => {
    const connection = await connectNats({ url: server.url, token, name })
    connections.push(connection)
    return connection
  }
  t.teardown(async () => {
    await Promise.all(connections.map((c) => c.close().catch(() => {})))
    server.kill('SIGKILL')
    await server.exited
    if (options.dataFolder === undefined) rmSync(folder, { recursive: true, force: true })
  })
  if (options.setup !== false) {
    const connection = await connectNats({ url: server.url, token, name: 'test setup' })
    await setupNats(connection, {
      framesMaxBytes: options.framesMaxBytes ?? 67_108_864,
      deadMaxBytes: options.deadMaxBytes ?? 67_108_864,
    })
    await connection.close()
  }
  const kill = async (signal: NodeJS.Signals = 'SIGKILL') => {
    server.kill(signal)
    await server.exited
  }
  return {
    url: server.url,
    token,
    port,
    partitions,
    connect,
    remap: (count) => server.remap(count),
    kill,
    restart: async () => {
      await kill()
      server = await start()
    },
  }
}

/** A loopback port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => resolve(port))
    })
  })
}
