import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AddressInfo } from 'node:net'

/**
 * Condition of a connection.
 *
 *     open     passes everything immediately
 *     slow     delays each piece of data by `latencyMs` plus its time at `bytesPerS`
 *     silent   keeps connections open and passes nothing in either direction (an unplugged cable)
 *     refused  resets every connection (no process listens)
 */
export type Line =
  | { kind: 'open' }
  | { kind: 'slow'; latencyMs: number; bytesPerS: number }
  | { kind: 'silent' }
  | { kind: 'refused' }

/** A TCP proxy on loopback between two parts of the system whose condition can change while it is used. */
export class TcpProxy {
  #line: Line = { kind: 'open' }
  readonly #pairs = new Set<Socket>()
  #changed: (() => void)[] = []

  private constructor(
    private readonly server: Server,
    private readonly target: () => number,
  ) {
    server.on('connection', (client) => this.#connect(client))
  }

  /** @param target loopback port of the real server, evaluated at each connection: a restart may change it */
  static async open(target: () => number): Promise<TcpProxy> {
    const server = createServer({ pauseOnConnect: true })
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
    return new TcpProxy(server, target)
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  /** Changes the condition of open and of new connections. */
  become(line: Line): void {
    this.#line = line
    for (const wake of this.#changed.splice(0)) wake()
    if (line.kind === 'refused') this.cut()
  }

  /** Resets every open connection. New connections get the current condition. */
  cut(): void {
    for (const socket of this.#pairs) socket.resetAndDestroy()
    this.#pairs.clear()
  }

  async close(): Promise<void> {
    this.cut()
    await new Promise((resolve) => this.server.close(resolve))
  }

  #connect(client: Socket): void {
    if (this.#line.kind === 'refused') return void client.resetAndDestroy()
    const upstream = createConnection(this.target(), '127.0.0.1')
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#pairs.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => {})
      socket.on('close', () => {
        this.#pairs.delete(socket)
        other.destroy()
      })
      void this.#pass(socket, other)
    }
  }

  /** Passes one direction. It reads the next piece only after the last one was written: backpressure to the sender. */
  async #pass(from: Socket, to: Socket): Promise<void> {
    try {
      for await (const piece of from) {
        const bytes = piece as Buffer
        while (this.#line.kind === 'silent' && !from.destroyed)
          await new Promise<void>((resolve) => this.#changed.push(resolve))
        const line = this.#line
        if (line.kind === 'slow') await sleep(line.latencyMs + (bytes.length / line.bytesPerS) * 1_000)
        if (to.destroyed) return
        if (!to.write(bytes)) await new Promise<void>((resolve) => to.once('drain', resolve).once('close', resolve))
      }
      to.end()
    } catch {
      to.destroy()
    }
  }
}
