import { mkdtemp, rm } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClientOptions, LaunchedStore, LaunchOptions } from '../../engine/internal_mod.js'
import { type ClickHouseClient, createClient, loadSettings } from '../../engine/mod.js'
import { launchStore } from '../../engine/chdb/mod.js'

export interface TestStore {
  url: string
  token: string
  /** Data folder of the store; removed after the test. */
  path: string
  port: number
  pid: number
  /** Client of this store that survives a restart. `migrate(client, database)` creates the tables. */
  client: ClickHouseClient
  /** Creates another client, closed after the test. */
  connect(options?: ClientOptions): ClickHouseClient
  /** Sends SIGKILL; resolves when the process has exited. */
  kill(): Promise<void>
  /** Sends SIGTERM; resolves when the process has exited. */
  stop(): Promise<void>
  /** Restarts on the same folder, port and token. */
  restart(): Promise<void>
}

/**
 * A real store process on a free loopback port and in its own folder; it ends with the test `t`.
 */
export async function startTestStore(
  t: { teardown(end: () => unknown): unknown },
  options: Partial<LaunchOptions> = {},
): Promise<TestStore> {
  const path = options.path ?? (await mkdtemp(join(tmpdir(), 'platestream-store-')))
  const token = options.token ?? randomBytes(24).toString('hex')
  const launch = (port: number) => launchStore({ poolSize: 4, ...options, path, token, port })
  let process: LaunchedStore = await launch(0)
  const clients: ClickHouseClient[] = []
  const connect = (clientOptions: ClientOptions = {}) => {
    const client = createClient(loadSettings({ env: {} }), { url: process.url, token }, clientOptions)
    clients.push(client)
    return client
  }
  t.teardown(async () => {
    await Promise.all(clients.map((client) => client.close()))
    await process.stop()
    if (options.path === undefined) await rm(path, { recursive: true, force: true })
  })
  return {
    token,
    path,
    client: connect(),
    connect,
    get url() {
      return process.url
    },
    get port() {
      return process.port
    },
    get pid() {
      return process.pid
    },
    kill: () => process.kill(),
    stop: () => process.stop(),
    restart: async () => {
      process = await launch(process.port)
    },
  }
}
