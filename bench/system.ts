import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { NatsConnection } from 'nats'
import { connectNats } from '../engine/nats/connect.js'
import { loadSecrets } from '../engine/secrets.js'
import { dataPaths, loadSettings } from '../engine/settings.js'
import { createClient, type ClickHouseClient } from '../engine/store/client.js'

/** The whole product as a user starts it, for a benchmark. */
export interface BenchSystem {
  connection: NatsConnection
  store: ClickHouseClient
  /** CPU seconds used so far, by part. */
  cpuSeconds(): Promise<Record<string, number>>
  /** Runs a command of the product on this system, e.g. `['hotlist', 'import', ...]`. */
  run(args: string[]): Promise<void>
  close(): Promise<void>
}

const CLI = new URL('../cli/main.js', import.meta.url).pathname
/** Clock ticks a second in /proc/<pid>/stat: 100 on every Linux that Node runs on. */
const TICKS = 100

/** Starts `platestream up` on `folder` and waits until the engine runs. The demo stays off. */
export async function startSystem(folder: string): Promise<BenchSystem> {
  const env = { ...process.env, PLATESTREAM_GATEWAY_PORT: '0', PLATESTREAM_LOG_LEVEL: 'warn' }
  const up = spawn(process.execPath, [CLI, 'up', '--no-demo', '--data', folder], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise<void>((resolve, reject) => {
    let text = ''
    up.stdout.on('data', (chunk: Buffer) => { if ((text += chunk.toString()).includes('Console:')) resolve() })
    up.once('exit', (code) => reject(new Error(`platestream up ended with ${code}: ${text}`)))
  })
  const settings = loadSettings({ overrides: { dataFolder: folder } })
  const paths = dataPaths(settings)
  const addresses = JSON.parse(readFileSync(join(paths.run, 'up.json'), 'utf8')) as { nats: { url: string }; store: { url: string } }
  const secrets = loadSecrets(paths.secrets)
  const connection = await connectNats({ url: addresses.nats.url, token: secrets.nats, name: 'bench' })
  const store = createClient(settings, { url: addresses.store.url, token: secrets.store })
  return {
    connection, store,
    cpuSeconds: async () => cpuOf(up.pid!),
    async run(args) {
      const child = spawn(process.execPath, [CLI, ...args, '--data', folder], { env, stdio: ['ignore', 'ignore', 'inherit'] })
      const [code] = (await once(child, 'exit')) as [number]
      if (code !== 0) throw new Error(`platestream ${args.join(' ')} ended with ${code}`)
    },
    async close() {
      await connection.close()
      await store.close()
      const gone = once(up, 'exit')
      up.kill('SIGTERM')
      await gone
    },
  }
}

/** CPU of every process below `root`, by the part it is: nats, store, engine, gateway. */
function cpuOf(root: number): Record<string, number> {
  const parents = new Map<number, number>()
  const seconds = new Map<number, { part: string; seconds: number }>()
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid)) continue
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      parents.set(pid, Number(fields[1]))
      seconds.set(pid, { part: partOf(readFileSync(`/proc/${pid}/cmdline`, 'utf8')), seconds: (Number(fields[11]) + Number(fields[12])) / TICKS })
    } catch {
      // It ended while we looked.
    }
  }
  const below = (pid: number): boolean => { const parent = parents.get(pid); return parent === root || (parent !== undefined && parent > 1 && below(parent)) }
  const sums: Record<string, number> = {}
  for (const [pid, { part, seconds: used }] of seconds) if (below(pid)) sums[part] = (sums[part] ?? 0) + used
  return sums
}

function partOf(command: string): string {
  return ['nats-server', 'store', 'engine', 'gateway'].find((part) => command.split('\0').some((word) => word === part || word.endsWith(`/${part}`) || word.includes(`engine/${part}/`))) ?? 'other'
}
