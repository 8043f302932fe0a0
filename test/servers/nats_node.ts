import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { connectNats } from '../../engine/mod.js'
import { sleep } from '../../engine/runtime/mod.js'
import type { RunningPart } from '../../cli/supervise/child.js'

export interface NodeOptions {
  /** Path of the nats-server program. */
  program: string
  name: string
  folder: string
  token: string
  port: number
  clusterPort: number
  /** Cluster ports of all three servers. */
  routes: readonly number[]
}

/** Number of partitions in deploy/nats/nats-server.conf. */
export const NODE_PARTITIONS = 4

/**
 * Starts one server of a cluster of three on loopback with the configuration in deploy/. Resolves when it listens; the
 * cluster may still be electing a leader.
 */
export async function startNatsNode({
  program,
  name,
  folder,
  token,
  port,
  clusterPort,
  routes,
}: NodeOptions): Promise<RunningPart> {
  mkdirSync(folder, { recursive: true })
  const [one, two, three] = routes.map((at) => `nats-route://route:secret@127.0.0.1:${at}`)
  // Quoted, because nats-server parses a variable as its own syntax and would read an address as a number.
  const env = Object.fromEntries(
    Object.entries({
      NATS_NAME: name,
      NATS_LISTEN: `127.0.0.1:${port}`,
      NATS_CLUSTER_LISTEN: `127.0.0.1:${clusterPort}`,
      NATS_FOLDER: folder,
      NATS_TOKEN: token,
      NATS_ROUTE_PASSWORD: 'secret',
      NATS_ROUTE_1: one,
      NATS_ROUTE_2: two,
      NATS_ROUTE_3: three,
    }).map(([key, value]) => [key, JSON.stringify(value)]),
  )
  const child = spawn(program, ['-c', 'deploy/nats/nats-server.conf'], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let errorOutput = ''
  child.stderr.on('data', (data: Buffer) => {
    errorOutput = (errorOutput + data.toString()).slice(-4_000)
  })
  let hasExited = false
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.once('exit', (code, signal) => {
      hasExited = true
      resolve({ code, signal })
    }),
  )
  const stop = async () => {
    child.kill('SIGKILL')
    await exited
  }
  for (let tries = 0; tries < 100; tries++) {
    if (hasExited) throw new Error(`nats-server exited: ${errorOutput}`)
    const connection = await connectNats({
      url: `nats://127.0.0.1:${port}`,
      token,
      name: 'readiness',
      firstConnectMs: 0,
    }).catch(() => undefined)
    if (connection) {
      await connection.close()
      return { pid: child.pid!, facts: { url: `nats://127.0.0.1:${port}`, port }, exited, stop }
    }
    await sleep(100)
  }
  await stop()
  throw new Error(`nats-server does not listen: ${errorOutput}`)
}
