import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Logger } from 'pino'
import { WebSocketServer } from 'ws'
import type { Records } from '../../engine/mod.js'
import { AlprError, codeOf } from '../../engine/runtime/mod.js'
import type { Authenticator } from '../access/authenticator.js'
import type { PublicAddress } from '../access/public_address.js'
import type { NatsLink } from './nats_link.js'
import { CLOSE, type StatusMessage, type StatusSummary } from './protocol.js'
import { Console, type BeginLive, type ConsoleLimits } from './console.js'
import { DelayMeter } from './delay.js'
import { HitFeed, type FeedState } from './hit_feed.js'
import { Backlog } from './backlog.js'
import { LiveReads } from './live_reads.js'

export const HITS_PATH = '/ws/hits'
/** A subscription with at most a few thousand ids fits, bytes. */
const MAX_MESSAGE_BYTES = 65_536
const STATUS_MS = 1_000
const HEARTBEAT_MS = 15_000
/** New hits wake the consoles at most this often, ms. */
const WAKE_EVERY_MS = 20

export interface HubOptions extends ConsoleLimits {
  /** Consoles that may be connected at the same time; more are refused with 503. */
  maxConsoles: number
}

export interface HubCounts {
  hits: number
  hitsSent: number
  /** Consoles that reconnected with `since`. */
  resumed: number
  reads: number
  readsDropped: number
  stalled: number
  refused: number
}

/** What the hub itself contributes to the status. */
export interface LiveFigures {
  feed: FeedState
  /** Median from capture to this gateway over recent hits; undefined without hits. */
  delayMs: number | undefined
  consoles: number
}

/**
 * All consoles: accepts them, feeds them from one feed, sends them the state once a second and closes those that stall.
 */
export class Hub {
  readonly feed: HitFeed
  readonly backlog: Backlog
  readonly counts: HubCounts = { hits: 0, hitsSent: 0, resumed: 0, reads: 0, readsDropped: 0, stalled: 0, refused: 0 }
  readonly #consoles = new Set<Console>()
  readonly #delay = new DelayMeter()
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    clientTracking: false,
  })
  readonly #timers: NodeJS.Timeout[]
  #waking = false
  #wokenAt = 0
  #closed = false

  constructor(
    natsLink: NatsLink,
    private readonly authenticator: Authenticator,
    private readonly address: PublicAddress,
    private readonly records: Records,
    private readonly summarize: (live: LiveFigures) => StatusSummary,
    private readonly options: HubOptions,
    private readonly log: Pick<Logger, 'warn'>,
  ) {
    this.backlog = new Backlog(natsLink)
    this.feed = new HitFeed({
      onLiveHit: ({ facts }) => {
        this.counts.hits++
        this.#delay.add(Date.parse(facts.tsLast))
      },
      onMalformed: (seq, malformed, reason) =>
        this.log.warn({ seq, malformed, reason }, 'passed over a message of stream HITS that is not a hit'),
      onEntries: () => this.#wake(),
      onStream: (change) => {
        for (const console of this.#consoles) console.streamChanged(change)
      },
    })
    const reads = new LiveReads({
      wanted: () => this.#someWantReads(),
      onRead: (frame, read) => {
        this.counts.reads++
        for (const console of this.#consoles) console.offerRead(frame, read)
      },
    })
    natsLink.addTask(this.feed.task)
    natsLink.addTask(reads.task)
    this.#timers = [setInterval(() => this.#tick(), STATUS_MS), setInterval(() => this.#heartbeat(), HEARTBEAT_MS)]
  }

  get consoles(): number {
    return this.#consoles.size
  }
  /** Reads waiting for all consoles together. */
  get depth(): number {
    let depth = 0
    for (const console of this.#consoles) depth += console.depth
    return depth
  }

  /** Answers an HTTP upgrade. A refusal is the same error as on any route, written to the raw socket. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    try {
      if (this.#closed) throw new AlprError('ALPR_ERR_INTERNAL')
      if (request.url?.split('?', 1)[0] !== HITS_PATH)
        throw new AlprError('ALPR_ERR_NOT_FOUND', { what: 'this WebSocket address' })
      this.address.checkOrigin(request.headers)
      const caller = this.authenticator.authenticate(request.headers, !this.address.needsSecureCookie(request))
      if (this.#consoles.size >= this.options.maxConsoles)
        throw new AlprError('ALPR_ERR_CONSOLES_FULL', { limit: this.options.maxConsoles })
      this.#server.handleUpgrade(request, socket, head, (webSocket) => {
        const begin: BeginLive = (access, message) =>
          this.records.begin(access, { kind: 'live', input: message, form: 'live' })
        const parts = { feed: this.feed, backlog: this.backlog, counts: this.counts, begin }
        const console = new Console(webSocket, socket, caller, parts, this.options)
        this.#consoles.add(console)
        webSocket.on('error', () => {}) // a close event follows
        webSocket.on('close', () => this.#consoles.delete(console))
        console.offerStatus(this.#status(console))
      })
    } catch (error) {
      this.counts.refused++
      refuse(socket, error)
    }
  }

  /** The state of the system, the same for every console. */
  summary(): StatusSummary {
    return this.summarize({
      feed: this.feed.state,
      delayMs: this.#delay.median(),
      consoles: this.#consoles.size,
    })
  }

  #status(console: Console, summary = this.summary()): StatusMessage {
    return { ...summary, seq: console.cursor, readsDropped: console.dropped }
  }

  close(): void {
    this.#closed = true
    this.#timers.forEach(clearInterval)
    for (const console of this.#consoles) console.close(CLOSE.goingAway, 'the gateway is stopping')
    this.#server.close()
  }

  /**
   * Wakes the consoles once for all hits of one or several turns of the event loop. A hit after a pause goes out at
   * once; in a burst each waits up to `WAKE_EVERY_MS`, because a write to a socket costs the same for one hit or ten.
   */
  #wake(): void {
    if (this.#waking) return
    this.#waking = true
    const pause = this.#wokenAt + WAKE_EVERY_MS - performance.now()
    const later = (work: () => void) => (pause > 0 ? setTimeout(work, pause) : setImmediate(work))
    later(() => {
      this.#waking = false
      this.#wokenAt = performance.now()
      for (const console of this.#consoles) console.pump()
    })
  }

  #someWantReads(): boolean {
    for (const console of this.#consoles) if (console.wantsReads) return true
    return false
  }

  #tick(): void {
    const summary = this.summary()
    for (const console of this.#consoles) {
      console.checkStalled()
      console.offerStatus(this.#status(console, summary))
    }
  }

  #heartbeat(): void {
    for (const console of this.#consoles) console.heartbeat()
  }
}

function refuse(socket: Duplex, error: unknown): void {
  const problem = error instanceof AlprError ? error : new AlprError('ALPR_ERR_INTERNAL')
  const body = JSON.stringify(problem)
  const phrase: Record<number, string> = { 401: 'Unauthorized', 404: 'Not Found', 503: 'Service Unavailable' }
  socket.on('error', () => {})
  socket.end(
    [
      `HTTP/1.1 ${problem.status} ${phrase[problem.status] ?? codeOf(problem)}`,
      'Connection: close',
      'Content-Type: application/json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  )
}
