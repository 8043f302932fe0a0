import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NatsConnection } from 'nats'
import { type ClickHouseClient, connectNats, createClient, dataPaths, loadSettings } from '../../engine/mod.js'
import { loadSecrets } from '../../engine/runtime/mod.js'
import { processesBelow, usageBelow, type Usage } from './usage.js'

/** The whole product, started as a user starts it. */
export interface BenchSystem {
  connection: NatsConnection
  store: ClickHouseClient
  /** URL and token of NATS and of the gateway, for clients in separate processes. */
  nats: { url: string; token: string }
  gateway: { url: string; token: string }
  /** CPU seconds used so far and memory now, by part. */
  usage(): Record<string, Usage>
  /** The process of this part. @throws when it does not run */
  pidOf(part: string): number
  /** kill -9 of the process of this part. @throws when it does not run */
  kill(part: string): void
  /** Runs a command of the product on this system, e.g. `['hotlist', 'import', ...]`. */
  run(args: string[]): Promise<void>
  close(): Promise<void>
}

const CLI = new URL('../../cli/main.js', import.meta.url).pathname

/**
 * Runs `work` with the product on a new folder, then stops it and removes the folder.
 * @param variables added to the environment of its processes
 */
export async function withSystem<T>(
  work: (system: BenchSystem) => Promise<T>,
  variables: Readonly<Record<string, string>> = {},
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'platestream-bench-'))
  try {
    const system = await startSystem(folder, variables)
    try {
      return await work(system)
    } finally {
      await system.close()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Starts `platestream up` on `folder`, without the demo, and waits until the engine runs. */
async function startSystem(folder: string, variables: Readonly<Record<string, string>>): Promise<BenchSystem> {
  const env = { ...process.env, ...variables, PLATESTREAM_GATEWAY_PORT: '0', PLATESTREAM_LOG_LEVEL: 'warn' }
  const up = spawn(process.execPath, [CLI, 'up', '--no-demo', '--data', folder], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise<void>((resolve, reject) => {
    let text = ''
    up.stdout.on('data', (chunk: Buffer) => {
      if ((text += chunk.toString()).includes('Console:')) resolve()
    })
    up.once('exit', (code) => reject(new Error(`platestream up exited with ${code}: ${text}`)))
  })
  const settings = loadSettings({ overrides: { dataFolder: folder } })
  const paths = dataPaths(settings)
  const addresses = JSON.parse(readFileSync(join(paths.run, 'up.json'), 'utf8')) as {
    nats: { url: string }
    store: { url: string }
    console: { url: string }
  }
  const secrets = loadSecrets(paths.secrets)
  const connection = await connectNats({ url: addresses.nats.url, token: secrets.nats, name: 'bench' })
  const store = createClient(settings, { url: addresses.store.url, token: secrets.store })
  return {
    connection,
    store,
    nats: { url: addresses.nats.url, token: secrets.nats },
    gateway: { url: new URL(addresses.console.url).origin, token: secrets.console },
    usage: () => usageBelow(up.pid!),
    pidOf: (part) => pidBelow(up.pid!, part),
    kill(part) {
      process.kill(pidBelow(up.pid!, part), 'SIGKILL')
    },
    async run(args) {
      const child = spawn(process.execPath, [CLI, ...args, '--data', folder], {
        env,
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      const [code] = (await once(child, 'exit')) as [number]
      if (code !== 0) throw new Error(`platestream ${args.join(' ')} exited with ${code}`)
    },
    async close() {
      await connection.close()
      await store.close()
      const exited = once(up, 'exit')
      up.kill('SIGTERM')
      await exited
    },
  }
}

function pidBelow(root: number, part: string): number {
  const found = processesBelow(root).find((one) => one.part === part)
  if (!found) throw new Error(`${part} does not run`)
  return found.pid
}
