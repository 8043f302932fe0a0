import { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'
import type { Process, VirtualClock } from '../clock.js'
import type { Random } from '../random.js'
import type { Trace } from '../trace.js'
import type { ServerConnection, SimulatedServer } from './server.js'

/** The usual delay of a network, ms. */
export interface NetworkConditions {
  delayMs: number
}

/**
 * The network between the simulated processes and the simulated NATS server. Each connection is a pair of ordered
 * pipes with random delays, as TCP is; a broken connection loses what is under way, from some point on.
 */
export class Network {
  private readonly sockets = new Set<SimulatedSocket>()
  /** Processes that cannot reach the server. */
  readonly cutOff = new Set<Process>()

  constructor(
    readonly clock: VirtualClock,
    readonly random: Random,
    readonly trace: Trace,
    readonly server: SimulatedServer,
    readonly conditions: NetworkConditions,
  ) {}

  /** Opens a connection for the current process. @throws ECONNREFUSED */
  dial(): Promise<SimulatedSocket> {
    const owner = this.clock.current!
    return new Promise((resolve, reject) => {
      this.clock.schedule(
        this.delay() * 3,
        () => {
          if (!this.server.isUp || this.cutOff.has(owner))
            return reject(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }))
          const socket = new SimulatedSocket(this, owner)
          this.sockets.add(socket)
          resolve(socket)
        },
        owner,
      )
    })
  }

  /** Breaks the connections of a process: it learns of it after a while. */
  break(owner: Process): void {
    for (const socket of [...this.sockets]) if (socket.owner === owner) socket.break()
  }

  forget(socket: SimulatedSocket): void {
    this.sockets.delete(socket)
  }

  delay(): number {
    return this.random.delay(this.conditions.delayMs)
  }
}

/** The client's end, in place of a socket of Node.js. */
export class SimulatedSocket extends EventEmitter {
  destroyed = false
  private readonly connection: ServerConnection
  /** When the last bytes arrive at either end: later ones arrive after them. */
  private atServer = 0
  private atClient = 0
  /** Bytes sent after it never arrive. */
  private brokenAt = Infinity
  private outgoing: Buffer[] = []

  constructor(
    private readonly network: Network,
    readonly owner: Process,
  ) {
    super()
    this.connection = network.server.connect({
      name: owner.name,
      send: (bytes) => this.toClient(bytes),
      close: () => this.break(),
    })
    this.toClient(network.server.greeting())
  }

  setNoDelay(): void {}

  write(frame: Uint8Array, done?: (error?: Error) => void): boolean {
    const { clock } = this.network
    // The client reuses its buffers.
    const bytes = Buffer.from(frame)
    this.atServer = Math.max(this.atServer, clock.now + this.network.delay())
    const at = this.atServer
    clock.schedule(at - clock.now, () => {
      if (at < this.brokenAt && this.network.server.isUp) this.connection.receive(bytes)
    })
    done?.()
    return true
  }

  end(): void {
    this.destroy()
  }

  destroy(): void {
    if (this.destroyed) return
    this.destroyed = true
    this.leave()
  }

  /** What is under way arrives up to a random instant; then the connection is gone for both ends. */
  break(): void {
    if (this.brokenAt < Infinity) return
    const { clock, random } = this.network
    this.brokenAt = clock.now + random.next() * this.network.delay() * 2
    this.network.trace.note('network', `breaks the connection of ${this.owner.name}`)
    this.leave()
    clock.schedule(
      this.brokenAt - clock.now + this.network.delay(),
      () => {
        if (!this.destroyed) this.emit('close')
      },
      this.owner,
    )
  }

  private leave(): void {
    const { clock } = this.network
    this.network.forget(this)
    clock.schedule(Math.max(this.atServer - clock.now, 0), () => this.connection.closed())
  }

  /** What one event of the server sends arrives together. */
  private toClient(bytes: Buffer): void {
    const { clock } = this.network
    this.outgoing.push(bytes)
    if (this.outgoing.length > 1) return
    this.atClient = Math.max(this.atClient, clock.now + this.network.delay())
    const at = this.atClient
    clock.schedule(
      at - clock.now,
      () => {
        const chunk = this.outgoing.length === 1 ? this.outgoing[0]! : Buffer.concat(this.outgoing)
        this.outgoing = []
        if (at < this.brokenAt && !this.destroyed) this.emit('data', chunk)
      },
      this.owner,
    )
  }
}

/** Lets the connections of the `nats` client go through the network that `network` returns. */
export function useNetwork(network: () => Network): void {
  const require = createRequire(import.meta.url)
  const { NodeTransport } = require('nats/lib/src/node_transport.js') as {
    NodeTransport: { prototype: { dial: () => unknown } }
  }
  NodeTransport.prototype.dial = () => network().dial()
}
