import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { freePort, type Teardown } from '../servers/nats.js'
import { startTestStore, type TestStore } from '../servers/store.js'

const CLI = new URL('../../cli/main.js', import.meta.url).pathname

interface Service {
  image?: string
  command?: string[]
  environment?: Record<string, string | number>
  volumes?: string[]
  ports?: string[]
}

/**
 * Runs the services of deploy/compose.yml as processes on loopback instead of containers, with its commands,
 * environments, configuration and shared folder. It does not test the images. The embedded store, with the same HTTP
 * interface, replaces ClickHouse.
 */
export class ComposeSystem {
  readonly data = mkdtempSync(join(tmpdir(), 'platestream-compose-'))
  readonly secrets = Object.fromEntries(
    ['NATS_TOKEN', 'NATS_ROUTE_PASSWORD', 'CLICKHOUSE_PASSWORD'].map((name) => [name, randomBytes(16).toString('hex')]),
  ) as Record<'NATS_TOKEN' | 'NATS_ROUTE_PASSWORD' | 'CLICKHOUSE_PASSWORD', string>
  readonly #processes = new Map<string, ChildProcess>()
  /** Loopback address of each service address such as `nats-1:4222`. */
  readonly #addresses = new Map<string, string>()
  readonly log: string[] = []

  private constructor(
    readonly services: Record<string, Service>,
    readonly store: TestStore,
    /** Path of nats-server. */
    private readonly natsProgram: string,
  ) {}

  static async start(t: Teardown, natsProgram: string): Promise<ComposeSystem> {
    const { services } = parse(readFileSync('deploy/compose.yml', 'utf8'), { merge: true }) as {
      services: Record<string, Service>
    }
    const system = new ComposeSystem(services, await startTestStore(t), natsProgram)
    system.secrets.CLICKHOUSE_PASSWORD = system.store.token
    t.teardown(() => system.#end())
    for (const name of Object.keys(services)) {
      for (const port of name === 'clickhouse' ? [8123] : name.startsWith('nats-') ? [4222, 6222] : [8480])
        system.#addresses.set(
          `${name}:${port}`,
          name === 'clickhouse' ? `127.0.0.1:${system.store.port}` : `127.0.0.1:${await freePort()}`,
        )
    }
    for (const name of Object.keys(services)) if (name !== 'clickhouse') system.run(name)
    return system
  }

  /** Loopback address of a service. */
  at(name: string, port: number): string {
    return this.#addresses.get(`${name}:${port}`)!
  }

  run(name: string): void {
    const { command = [], environment = {}, volumes = [] } = this.services[name]!
    const nats = name.startsWith('nats-')
    const env = Object.fromEntries(
      Object.entries(environment).map(([key, value]) => [key, this.#localize(name, String(value), volumes)]),
    )
    const args = command.map((word) => this.#localize(name, word, volumes))
    if (nats) mkdirSync(join(this.data, name), { recursive: true })
    const overrides = {
      PLATESTREAM_DATA_FOLDER: this.#localize(name, '/var/lib/platestream', volumes),
      PLATESTREAM_GATEWAY_PORT: name.startsWith('gateway-') ? this.at(name, 8480).split(':')[1] : undefined,
      PLATESTREAM_ENGINE_WORKERS: '1',
    }
    const child = nats
      ? spawn(this.natsProgram, args, {
          env: { PATH: process.env.PATH, ...env },
          stdio: ['ignore', 'ignore', 'pipe'],
        })
      : spawn(process.execPath, [CLI, ...args], {
          env: { PATH: process.env.PATH, HOME: this.data, ...env, ...overrides },
          stdio: ['ignore', 'ignore', 'pipe'],
        })
    child.stderr!.on('data', (data: Buffer) => {
      this.log.push(`${name}: ${data.toString().trim()}`)
      this.log.splice(0, this.log.length - 200)
    })
    this.#processes.set(name, child)
  }

  async kill(name: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    const child = this.#processes.get(name)!
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
    return child.exitCode
  }

  /** Replaces secrets, addresses and folders in a text of the compose file with those of this machine. */
  #localize(name: string, text: string, volumes: string[]): string {
    let local = text.replaceAll(/\$\{(\w+):\?\}/g, (_, secret: keyof ComposeSystem['secrets']) => this.secrets[secret])
    // What may be left out is left out.
    local = local.replaceAll(/\$\{\w+:-\}/g, '')
    for (const [address, real] of this.#addresses) local = local.replaceAll(address, real)
    local = local
      .replaceAll(/0\.0\.0\.0:(\d+)/g, (_, port: string) => this.at(name, Number(port)))
      .replaceAll('0.0.0.0', '127.0.0.1')
    for (const volume of volumes) {
      const [from, to] = volume.split(':') as [string, string]
      local = local.replaceAll(to, from.startsWith('./') ? join('deploy', from) : join(this.data, from))
    }
    return local
  }

  async #end(): Promise<void> {
    await Promise.all([...this.#processes.keys()].map((name) => this.kill(name)))
    rmSync(this.data, { recursive: true, force: true, maxRetries: 5 })
  }
}
