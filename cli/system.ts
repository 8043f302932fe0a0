import type { Command } from 'commander'
import type { NatsConnection } from 'nats'
import type { ClickHouseClient, Settings } from '../engine/mod.js'
import { AlprError, loadSecrets } from '../engine/runtime/mod.js'
import { readRunFile } from './run_file.js'

/** Options of every command that uses the running system. */
export interface SystemOptions {
  data?: string
  config?: string
}

export function withSystemOptions(command: Command): Command {
  return command
    .option('--data <folder>', 'data folder (setting dataFolder)')
    .option('--config <file>', 'settings file (default: platestream.config.json, if it exists)')
}

/** Loads the engine when a command runs: its clients and codecs take half a second, which --help does not need. */
export const loadEngine = () => import('../engine/mod.js')

export async function settingsFor(options: SystemOptions, overrides: Record<string, unknown> = {}): Promise<Settings> {
  const { loadSettings } = await loadEngine()
  return loadSettings({ file: options.config, overrides: { dataFolder: options.data, ...overrides } })
}

/**
 * Address of NATS: the server of the settings, or else the private server of the `up` that runs on the data folder.
 * @throws ALPR_ERR_NATS_UNAVAILABLE
 */
export async function findNats(settings: Settings): Promise<{ url: string; token: string }> {
  if (settings.nats.url) return { url: settings.nats.url, token: settings.nats.token }
  const paths = (await loadEngine()).dataPaths(settings)
  const nats = readRunFile(paths.run)?.nats
  if (!nats) throw notRunning('ALPR_ERR_NATS_UNAVAILABLE', settings, 'NATS_URL')
  return { url: nats.url, token: nats.private ? loadSecrets(paths.secrets).nats : settings.nats.token }
}

/** Address of the store, found in the same way. @throws ALPR_ERR_STORE_UNAVAILABLE */
export async function findStore(settings: Settings): Promise<{ url: string; token: string }> {
  if (settings.clickhouse.url) return { url: settings.clickhouse.url, token: settings.clickhouse.password }
  const paths = (await loadEngine()).dataPaths(settings)
  const store = readRunFile(paths.run)?.store
  if (!store) throw notRunning('ALPR_ERR_STORE_UNAVAILABLE', settings, 'CLICKHOUSE_URL')
  return { url: store.url, token: loadSecrets(paths.secrets).store }
}

const notRunning = (
  code: 'ALPR_ERR_NATS_UNAVAILABLE' | 'ALPR_ERR_STORE_UNAVAILABLE',
  settings: Settings,
  variable: string,
) =>
  new AlprError(code, {
    url: settings.dataFolder,
    reason: `no system runs on this data folder; start one with "platestream up", or set ${variable}`,
  })

/** Runs `work` with a connection to NATS of the running system, then closes the connection. */
export async function withNats<T>(
  options: SystemOptions,
  name: string,
  work: (connection: NatsConnection, settings: Settings) => Promise<T>,
): Promise<T> {
  const settings = await settingsFor(options)
  const { connectNats } = await loadEngine()
  const connection = await connectNats({ ...(await findNats(settings)), name: `cli ${name}` })
  try {
    return await work(connection, settings)
  } finally {
    await connection.close()
  }
}

/** Runs `work` with a client of the running system's store, then closes the client. */
export async function withStore<T>(
  options: SystemOptions,
  work: (client: ClickHouseClient, settings: Settings) => Promise<T>,
): Promise<T> {
  const settings = await settingsFor(options)
  const { createClient } = await loadEngine()
  const client = createClient(settings, await findStore(settings), { requestTimeoutMs: 3_600_000 })
  try {
    return await work(client, settings)
  } finally {
    await client.close()
  }
}
