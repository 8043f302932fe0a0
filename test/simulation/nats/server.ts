import type { VirtualClock } from '../clock.js'
import type { Trace } from '../trace.js'
import { answerApi, answerDirectGet, type ApiServer } from './api.js'
import { ApiError } from './errors.js'
import { Stream, type Removal, type StoredMessage, type StreamConfig } from './stream.js'
import { isPattern, mapSubject, matches, type Mapping } from './subjects.js'
import { headerBlock, messageBytes, parseCommands, type Command } from './wire.js'

/** The server's end of a connection. */
export interface Peer {
  readonly name: string
  send(bytes: Buffer): void
  /** The server closes the connection. */
  close(): void
}

interface Subscription {
  peer: ServerConnection
  subject: string
  queue: string | undefined
  sid: string
  left: number
}

/** What may go wrong inside the server, decided for each answer by itself. */
export interface ServerFaults {
  /** Time until an answer of JetStream leaves the server, ms. */
  answerDelay(subject: string): number
  /** The request is carried out, but nobody hears of it. */
  losesAnswer(subject: string): boolean
}

/** What the simulation wants to know of streams. */
export interface ServerEvents {
  stored(stream: Stream, message: StoredMessage): void
  removed(stream: Stream, messages: readonly StoredMessage[], why: Removal, by: string): void
}

export interface ServerOptions {
  /** Changed by an operator who restarts or reloads the server. */
  mappings: readonly Mapping[]
  maxPayload: number
  version: string
}

/**
 * A nats-server with JetStream, as clients see it: core subjects, subject mapping, streams, consumers. It knows no
 * accounts, clusters, mirrors or flow control. `test/simulation/nats_servers.test.ts` compares it with real servers.
 */
export class SimulatedServer implements ApiServer {
  readonly streams = new Map<string, Stream>()
  /** Added to its wall clock, ms. */
  clockOffsetMs = 0
  isUp = true
  private readonly bySubject = new Map<string, Stream>()
  private readonly connections = new Set<ServerConnection>()
  /** Subscriptions without wildcards by subject, those whose last token is the only wildcard by its head, others. */
  private readonly literal = new Map<string, Set<Subscription>>()
  private readonly lastToken = new Map<string, Set<Subscription>>()
  private readonly patterns = new Set<Subscription>()
  private names = 0
  /** Who asked for what is being done. */
  private acting = ''

  constructor(
    readonly clock: VirtualClock,
    readonly options: ServerOptions,
    private readonly trace: Trace,
    private readonly faults: ServerFaults,
    private readonly events: ServerEvents,
  ) {}

  /** 2.10 or newer. */
  get isNewer(): boolean {
    return this.minorVersion >= 10
  }

  /** Newer than 2.10. */
  get isNewest(): boolean {
    return this.minorVersion > 10
  }

  private get minorVersion(): number {
    return Number(this.options.version.split('.')[1])
  }

  wallClock(): number {
    return this.clock.wall(undefined) + this.clockOffsetMs
  }

  /** A name for a consumer that has none. */
  newName(): string {
    return `C${String(++this.names).padStart(7, '0')}`
  }

  connect(peer: Peer): ServerConnection {
    const connection = new ServerConnection(this, peer)
    this.connections.add(connection)
    return connection
  }

  /** @returns the first bytes that a client receives */
  greeting(): Buffer {
    const info = {
      server_id: 'SIMULATED',
      server_name: 'simulated',
      version: this.options.version,
      proto: 1,
      headers: true,
      max_payload: this.options.maxPayload,
      jetstream: true,
      host: '127.0.0.1',
      port: 4222,
      client_id: this.connections.size,
    }
    return Buffer.from(`INFO ${JSON.stringify(info)}\r\n`)
  }

  /** The process ends; streams stay as they are, except what lives in memory. */
  stop(): void {
    this.isUp = false
    for (const connection of [...this.connections]) connection.peer.close()
    for (const stream of this.streams.values()) stream.forgetVolatile()
  }

  start(): void {
    this.isUp = true
  }

  /** What an operator does, with the name that purges are blamed on. */
  as<T>(who: string, work: () => T): T {
    this.acting = who
    try {
      return work()
    } finally {
      this.acting = ''
    }
  }

  addStream(config: StreamConfig): Stream {
    const events = {
      stored: (into: Stream, message: StoredMessage) => this.events.stored(into, message),
      removed: (from: Stream, messages: readonly StoredMessage[], why: Removal) =>
        this.events.removed(from, messages, why, this.acting),
    }
    const stream = new Stream(config, this.wallClock(), events, this.isNewer)
    this.streams.set(config.name, stream)
    this.bySubject.clear()
    return stream
  }

  deleteStream(name: string): boolean {
    const stream = this.streams.get(name)
    if (!stream) return false
    for (const consumer of stream.consumers.values()) consumer.end()
    stream.purge({})
    this.bySubject.clear()
    return this.streams.delete(name)
  }

  updateStream(stream: Stream, config: StreamConfig): void {
    stream.update(config)
    this.bySubject.clear()
  }

  private streamOf(subject: string): Stream | undefined {
    if (this.bySubject.has(subject)) return this.bySubject.get(subject)
    let found: Stream | undefined
    for (const stream of this.streams.values()) if (stream.accepts(subject)) found = stream
    // Subjects of requests are all different.
    if (found) this.bySubject.set(subject, found)
    return found
  }

  hasInterest(subject: string): boolean {
    return this.receivers(subject).length > 0
  }

  send(to: string, message: { subject?: string; reply?: string; header?: Buffer; data?: Uint8Array }): void {
    for (const subscription of this.receivers(to)) this.sendTo(subscription, message.subject ?? to, message)
  }

  handle(from: ServerConnection, command: Command): void {
    switch (command.kind) {
      case 'connect':
      case 'pong':
        return
      case 'ping':
        return from.peer.send(Buffer.from('PONG\r\n'))
      case 'sub':
        return this.subscribe(from, command)
      case 'unsub':
        return this.unsubscribe(from, command)
      case 'pub':
        return this.as(from.peer.name, () => this.publish(from, command))
    }
  }

  closed(connection: ServerConnection): void {
    if (!this.connections.delete(connection)) return
    for (const subscription of connection.subscriptions.values()) this.drop(subscription)
    connection.subscriptions.clear()
  }

  private publish(from: ServerConnection, command: Command & { kind: 'pub' }): void {
    const { reply, header, data } = command
    const subject = mapSubject(this.options.mappings, command.subject)
    if (subject.startsWith('$JS.API.DIRECT.GET.'))
      return this.answer(reply, subject, answerDirectGet(this, subject, data))
    if (subject.startsWith('$JS.API.')) {
      const answer = answerApi(this, subject, data, reply)
      if (answer !== undefined) this.answer(reply, subject, { data: Buffer.from(JSON.stringify(answer)) })
      return
    }
    if (subject.startsWith('$JS.ACK.')) return this.acknowledge(from, subject, data, reply)
    const stream = this.streamOf(subject)
    const listeners = this.receivers(subject)
    for (const subscription of listeners) this.sendTo(subscription, subject, { reply, header, data })
    if (stream) this.store(stream, subject, command)
    else if (listeners.length === 0 && reply) this.send(reply, { header: headerBlock('503') })
  }

  private store(stream: Stream, subject: string, { header, data, reply }: Command & { kind: 'pub' }): void {
    let answer: object
    try {
      // The chunk of the socket is large and short-lived: the stream keeps its own bytes.
      const stored = stream.publish({
        subject,
        header: header && Buffer.from(header),
        data: Buffer.from(data),
        time: this.wallClock(),
      })
      answer = { stream: stream.name, seq: stored.seq, ...(stored.duplicate && { duplicate: true }) }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      answer = { error, stream: stream.name, seq: 0 }
    }
    this.answer(reply, subject, { data: Buffer.from(JSON.stringify(answer)) })
  }

  private acknowledge(from: ServerConnection, subject: string, data: Buffer, reply: string | undefined): void {
    const [, , streamName, name, , sseq, dseq] = subject.split('.')
    const consumer = this.streams.get(streamName!)?.consumers.get(name!)
    if (!consumer) {
      if (reply) this.send(reply, { header: headerBlock('503') })
      return
    }
    consumer.acknowledge(Number(sseq), Number(dseq), data.toString())
    this.answer(reply, subject, { data: Buffer.alloc(0) })
    void from
  }

  private answer(
    reply: string | undefined,
    subject: string,
    message: { header?: Buffer; data?: Uint8Array } | undefined,
  ): void {
    if (!reply) return
    // nats-server 2.9 has a subscription for all requests, so nobody hears that there is no answer.
    if (!message) return this.isNewer ? this.send(reply, { header: headerBlock('503') }) : undefined
    if (this.faults.losesAnswer(subject)) return this.trace.note('nats', `loses the answer to ${subject}`)
    const delay = this.faults.answerDelay(subject)
    if (delay <= 0) return this.send(reply, message)
    this.clock.schedule(delay, () => {
      if (this.isUp) this.send(reply, message)
    })
  }

  private subscribe(peer: ServerConnection, { subject, queue, sid }: Command & { kind: 'sub' }): void {
    const subscription: Subscription = { peer, subject, queue, sid, left: Infinity }
    peer.subscriptions.set(sid, subscription)
    const [index, key] = this.indexOf(subject)
    if (!index) this.patterns.add(subscription)
    else if (index.has(key)) index.get(key)!.add(subscription)
    else index.set(key, new Set([subscription]))
    for (const stream of this.streams.values())
      for (const consumer of stream.consumers.values()) if (consumer.isPush) consumer.interestIn(subject)
  }

  private unsubscribe(peer: ServerConnection, { sid, max }: Command & { kind: 'unsub' }): void {
    const subscription = peer.subscriptions.get(sid)
    if (!subscription) return
    if (max !== undefined) subscription.left = max
    else this.drop(subscription)
  }

  private drop(subscription: Subscription): void {
    const { peer, subject, sid } = subscription
    peer.subscriptions.delete(sid)
    const [index, key] = this.indexOf(subject)
    if (!index) return void this.patterns.delete(subscription)
    const known = index.get(key)
    known?.delete(subscription)
    if (known?.size === 0) index.delete(key)
  }

  private indexOf(subject: string): [index: Map<string, Set<Subscription>> | undefined, key: string] {
    if (!isPattern(subject)) return [this.literal, subject]
    const head = headOf(subject)
    return subject.endsWith('.*') && !isPattern(head) ? [this.lastToken, head] : [undefined, '']
  }

  /** One subscription of each queue group, and all others. */
  private receivers(subject: string): Subscription[] {
    const found = [...(this.literal.get(subject) ?? []), ...(this.lastToken.get(headOf(subject)) ?? [])]
    for (const subscription of this.patterns) if (matches(subscription.subject, subject)) found.push(subscription)
    if (!found.some(({ queue }) => queue !== undefined)) return found
    const queues = new Set<string>()
    return found.filter(({ queue }) => {
      if (queue === undefined) return true
      const isFirst = !queues.has(queue)
      queues.add(queue)
      return isFirst
    })
  }

  private sendTo(
    subscription: Subscription,
    subject: string,
    { reply, header, data = EMPTY }: { reply?: string | undefined; header?: Buffer | undefined; data?: Uint8Array },
  ): void {
    subscription.peer.peer.send(messageBytes(subject, subscription.sid, reply, header, data))
    if (--subscription.left <= 0) this.drop(subscription)
  }
}

const EMPTY = new Uint8Array(0)

/** All tokens but the last. */
const headOf = (subject: string): string => subject.slice(0, Math.max(0, subject.lastIndexOf('.')))

export class ServerConnection {
  readonly subscriptions = new Map<string, Subscription>()

  constructor(
    private readonly server: SimulatedServer,
    readonly peer: Peer,
  ) {}

  receive(bytes: Buffer): void {
    for (const command of parseCommands(bytes)) this.server.handle(this, command)
  }

  /** The connection is gone. */
  closed(): void {
    this.server.closed(this)
  }
}
