import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { AlprError, growingPause, sleep } from '../../engine/runtime/mod.js'
import type { Caller } from '../access/authenticator.js'
import { CLOSE, type GatewayMessage, type SubscribeMessage } from './protocol.js'
import type { HitFeed, StreamChange } from './hit_feed.js'
import { Filter } from './filter.js'
import type { Backlog } from './backlog.js'
import type { Ring, RingEntry } from './ring.js'
import { parseSubscribe } from './subscribe.js'
import { textFrame } from './text_frame.js'

/** Counters of the whole gateway that a console moves. */
export interface ConsoleCounts {
  hitsSent: number
  resumed: number
  readsDropped: number
  stalled: number
}

export interface ConsoleLimits {
  /** Live reads waiting for this console; the oldest are dropped first. */
  queue: number
  /** Without progress for this long the console is closed, ms. */
  stallMs: number
}

/**
 * Messages and bytes given to the socket and not yet taken by the network; more wait where they cost nothing (the ring,
 * the stream).
 */
const FLIGHT_MESSAGES = 64
const FLIGHT_BYTES = 1_048_576
/** Entries of one look into the stream. */
const BATCH = 256
/** A console may change its mind this often in ten seconds. */
const SUBSCRIBES_PER_10_S = 20

/**
 * One console on `/ws/hits`. It pulls: hits stay in the ring (or the stream) until the socket takes them, so a slow
 * console has no queue of hits to overflow, and no hit is ever dropped. Reads have a bounded queue of their own and
 * come after hits.
 *
 * Frames are the same bytes for every console and go to the wire as they are, all that there is in one write: `ws`
 * would make and write each anew.
 *
 *     stream HITS ──► ring ──place──► pump ──window──► wire
 *          └── history (older than the ring) ──┘  ▲
 *     live reads ──► queue (bounded, oldest out) ─┘
 */
export class Console {
  /** Last sequence sent or filtered out. */
  #cursor = 0
  #filter: Filter | undefined
  #subscription: SubscribeMessage | undefined
  /** The ring this console reads, and its place in it; no ring while it waits for the stream or reads history. */
  #ring: Ring | undefined
  #position = 0
  #reads: Buffer[] = []
  /** Frames for the next write. */
  #outgoing: Buffer[] = []
  #outgoingBytes = 0
  #wantsReads = false
  #dropped = 0
  #flight = 0
  /** Monotonic clock, ms: a clock that is set must close nobody. */
  #progress = performance.now()
  #pingOpen = false
  #subscribes: number[] = []
  /** Wakes whoever waits for room in the window. */
  #room: (() => void) | undefined
  /** A new subscription or another stream ends a catch-up of before. */
  #catchUp: AbortController | undefined
  #closed = false

  constructor(
    private readonly socket: WebSocket,
    private readonly wire: Duplex,
    readonly caller: Caller,
    private readonly feed: HitFeed,
    private readonly backlog: Backlog,
    private readonly limits: ConsoleLimits,
    private readonly counts: ConsoleCounts,
  ) {
    socket.on('message', (data, binary) => this.#receive(binary ? undefined : String(data)))
    socket.on('pong', () => {
      this.#pingOpen = false
      this.#progress = performance.now()
    })
    socket.on('close', () => this.#end())
    if (feed.ring) this.#hello()
  }

  get wantsReads(): boolean {
    return this.#wantsReads && this.#filter !== undefined
  }
  /** Reads waiting. */
  get depth(): number {
    return this.#reads.length
  }
  get dropped(): number {
    return this.#dropped
  }
  /** Everything up to here was sent or filtered out. */
  get cursor(): number {
    return this.#cursor
  }

  /** The stream is known now, or its numbers are not those of before. */
  streamChanged(change: StreamChange): void {
    this.#catchUp?.abort()
    this.#ring = undefined
    this.#hello()
    const subscription = this.#subscription
    if (!subscription) return
    if (change === 'first-seen' || !this.#filter) this.#begin(subscription)
    else this.#restart(change)
  }

  offerRead(frame: Buffer, place: { camera: string; lat: number; lon: number }): void {
    if (!this.wantsReads || !this.#filter!.matchesLocation(place)) return
    if (this.#reads.length >= this.limits.queue) {
      this.#reads.shift()
      this.#dropped++
      this.counts.readsDropped++
    }
    this.#reads.push(frame)
    this.pump()
  }

  /**
   * Small messages about the state go out at once, or not at all when the console is slow: the next one says it all
   * again.
   */
  offerStatus(message: GatewayMessage): void {
    if (this.#hasRoom()) this.#send(message)
  }

  /**
   * Sends what there is while the window has room. Called for each new entry, each read, and whenever the socket took
   * something.
   */
  pump(): void {
    this.#fill()
    this.#flush()
  }

  #fill(): void {
    while (!this.#closed && this.#hasRoom()) {
      const ring = this.#ring
      if (ring) {
        if (!ring.has(this.#position)) return this.#fallBehind()
        const entry = ring.at(this.#position)
        if (entry) {
          this.#position++
          // The ring may still be filling up behind a console that starts later in the stream.
          if (entry.seq > this.#cursor) this.#pass(entry)
          continue
        }
      }
      const read = this.#reads.shift()
      if (read === undefined) return
      this.#queue(read)
    }
  }

  /** Every 15 s. Also notices what a socket does not report: a peer that is gone, a session that ended. */
  heartbeat(): void {
    if (this.caller.expiresAt <= Date.now()) return this.close(CLOSE.authRequired, 'the session ended')
    this.checkStalled()
    if (this.#closed) return
    if (!this.#pingOpen) {
      if (this.#flight === 0) this.#progress = performance.now() // nothing was owed until now
      this.#pingOpen = true
      this.socket.ping()
    }
  }

  /** Something is owed (messages in flight, a pong) and nothing moved for too long. */
  checkStalled(): void {
    if (
      this.#closed ||
      (this.#flight === 0 && !this.#pingOpen) ||
      performance.now() - this.#progress < this.limits.stallMs
    )
      return
    this.counts.stalled++
    const error = new AlprError('ALPR_ERR_CONSOLE_STALLED', { limit: this.limits.stallMs / 1_000, since: this.#cursor })
    this.close(CLOSE.stalled, `${error.code}: ${error.message}`)
  }

  /**
   * A stalled peer will not take the close frame either, so the socket is cut soon after. `reason`: 123 bytes at most.
   */
  close(code: number, reason: string): void {
    if (this.#closed) return
    this.#end()
    this.socket.close(code, reason.slice(0, 120))
    setTimeout(() => this.socket.terminate(), 2_000).unref()
  }

  #receive(text: string | undefined): void {
    const now = performance.now()
    this.#progress = now
    this.#subscribes = this.#subscribes.filter((at) => now - at < 10_000)
    if (this.#subscribes.push(now) > SUBSCRIBES_PER_10_S) return this.close(CLOSE.invalid, 'too many messages')
    try {
      this.#subscribe(parseSubscribe(text))
    } catch (error) {
      const { code, message } = error as AlprError
      this.offerStatus({ type: 'error', code, message })
      this.close(CLOSE.invalid, `${code}: ${message}`)
    }
  }

  #subscribe(message: SubscribeMessage): void {
    const first = this.#subscription === undefined
    this.#subscription = message
    this.#wantsReads = message.reads === true
    if (!this.#wantsReads) this.#reads = []
    if (!this.feed.ring) return // begun when the stream is known
    if (!first && message.since === undefined && this.#filter) {
      this.#filter = new Filter(message) // only the filter changes; the place stays
      return
    }
    this.#begin(message)
  }

  #begin(message: SubscribeMessage): void {
    const { feed } = this
    this.#filter = new Filter(message)
    this.#catchUp?.abort()
    this.#ring = undefined
    if (message.since === undefined) return this.#goLive(feed.last)
    this.counts.resumed++
    // Another life of the stream, or numbers that it never gave out: what the console knows is worth nothing here.
    if ((message.epoch !== undefined && message.epoch !== feed.epoch) || message.since > feed.last)
      return void this.#verify(message)
    this.#cursor = message.since
    this.#continue()
  }

  /**
   * `since` does not fit what this gateway has seen. Perhaps another gateway was a moment ahead: a short wait tells.
   */
  async #verify(message: SubscribeMessage): Promise<void> {
    const run = (this.#catchUp = new AbortController())
    const sameEpoch = message.epoch === undefined || message.epoch === this.feed.epoch
    if (sameEpoch) await sleep(1_000, run.signal)
    if (run.signal.aborted) return
    if (sameEpoch && message.since! <= this.feed.last) {
      this.#cursor = message.since!
      this.#continue()
    } else this.#restart(sameEpoch ? 'rewound' : 'recreated')
  }

  /**
   * A new stream is shown from its beginning: all of it is news. One that was set back is shown from the newest window
   * on.
   */
  #restart(change: Exclude<StreamChange, 'first-seen'>): void {
    const since = change === 'recreated' ? this.feed.first - 1 : this.feed.ring!.baseSeq
    this.#send({ type: 'restarted', epoch: this.feed.epoch, since })
    this.#cursor = since
    this.#continue()
  }

  /** From the cursor on: out of the ring if it reaches back that far, else out of the stream first. */
  #continue(): void {
    if (this.#cursor >= this.feed.ring!.baseSeq) this.#goLive(this.#cursor)
    else this.#fallBehind()
  }

  #goLive(cursor: number): void {
    this.#cursor = cursor
    this.#ring = this.feed.ring!
    this.#position = this.#ring.positionAfter(cursor)
    this.pump()
  }

  #fallBehind(): void {
    this.#ring = undefined
    this.#catchUp?.abort()
    const run = (this.#catchUp = new AbortController())
    void this.#readBacklog(run.signal)
  }

  async #readBacklog(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted; ) {
      if (this.#cursor >= this.feed.ring!.baseSeq) return this.#goLive(this.#cursor)
      try {
        const { entries, through } = await this.backlog.batch(this.feed.epoch, this.#cursor, BATCH)
        for (const entry of entries) {
          while (!signal.aborted && !this.#hasRoom()) await this.#waitForRoom()
          if (signal.aborted) return
          this.#pass(entry)
          this.#flush()
        }
        if (signal.aborted) return
        this.#cursor = through
        attempt = 0
      } catch {
        // NATS is away or the stream changes under us: the status says so, and this goes on when it is back.
        await sleep(growingPause(attempt++), signal)
      }
    }
  }

  #pass(entry: RingEntry): void {
    this.#cursor = entry.seq
    if (entry.kind === 'hit') {
      if (!this.#filter!.matchesHit(entry.facts)) return
      this.counts.hitsSent++
    }
    this.#queue(entry.frame)
  }

  #hello(): void {
    const { epoch, first, last } = this.feed
    this.#send({ type: 'hello', epoch, first, last })
  }

  #hasRoom(): boolean {
    return this.#flight < FLIGHT_MESSAGES && this.socket.bufferedAmount + this.#outgoingBytes < FLIGHT_BYTES
  }

  #waitForRoom(): Promise<void> {
    return new Promise((resolve) => {
      this.#room = resolve
    })
  }

  #send(message: GatewayMessage): void {
    this.#queue(textFrame(JSON.stringify(message)))
    this.#flush()
  }

  #queue(frame: Buffer): void {
    if (this.#closed) return
    // the clock of a stall starts with the debt
    if (this.#flight === 0 && !this.#pingOpen) this.#progress = performance.now()
    this.#flight++
    this.#outgoing.push(frame)
    this.#outgoingBytes += frame.length
  }

  /** One write for all that is queued. */
  #flush(): void {
    const frames = this.#outgoing
    if (frames.length === 0) return
    this.#outgoing = []
    this.#outgoingBytes = 0
    if (this.#closed || this.socket.readyState !== this.socket.OPEN) return // its close is on the way
    const taken = () => {
      this.#flight -= frames.length
      this.#progress = performance.now()
      this.#room?.()
      this.#room = undefined
      this.pump()
    }
    this.wire.cork()
    for (let i = 0; i < frames.length - 1; i++) this.wire.write(frames[i]!)
    this.wire.write(frames.at(-1)!, taken)
    this.wire.uncork()
  }

  #end(): void {
    this.#closed = true
    this.#catchUp?.abort()
    this.#reads = []
    this.#outgoing = []
    this.#ring = undefined
    this.#room?.()
  }
}
