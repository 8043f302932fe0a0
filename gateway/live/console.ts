import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { Access, Ticket } from '../../engine/mod.js'
import { AlprError, codeOf, sleep, within } from '../../engine/runtime/mod.js'
import { accessOf } from '../access/access.js'
import type { Caller } from '../access/authenticator.js'
import type { Backlog } from './backlog.js'
import { catchUp, type CatchUpTarget } from './catch_up.js'
import { Filter } from './filter.js'
import type { HitFeed, StreamChange } from './hit_feed.js'
import { CLOSE, type GatewayMessage, type SubscribeMessage } from './protocol.js'
import { ReadQueue } from './read_queue.js'
import type { Ring, RingEntry } from './ring.js'
import { SendWindow } from './send_window.js'
import { parseSubscribe } from './subscribe.js'
import { textFrame } from './text_frame.js'

/** Counters of the whole gateway that a console increments. */
export interface ConsoleCounts {
  hitsSent: number
  resumed: number
  readsDropped: number
  stalled: number
}

export interface ConsoleLimits {
  /** Live reads that may wait for this console; the oldest are dropped first. */
  queue: number
  /** A console without progress for this long is closed, ms. */
  stallMs: number
}

/** Begins the access of a subscription. @throws what the gate throws */
export type BeginLive = (access: Access, message: SubscribeMessage) => Promise<Ticket>

/** What a console uses of the gateway. */
export interface ConsoleParts {
  feed: HitFeed
  backlog: Backlog
  counts: ConsoleCounts
  begin: BeginLive
}

/** How long the gate may take to admit a subscription, ms. */
const GATE_MS = 10_000

/** Messages that a console may send in ten seconds. */
const SUBSCRIBES_PER_10_S = 20

/**
 * The protocol of one console on `/ws/hits`. It pulls: hits stay in the ring (or the stream) until the socket takes
 * them, so a slow console has no queue of hits that could overflow, and no hit is ever dropped. Reads have a bounded
 * queue of their own and come after hits.
 *
 * A subscription is an access to plate data: nothing is sent before the gate has let it pass, and its scope is part of
 * the filter. A new subscription ends the access of the previous one.
 *
 *     stream HITS ──► ring ──position──► pump ──► send window ──► wire
 *          └── backlog (older than the ring) ──┘     ▲
 *     live reads ──► read queue (bounded) ───────────┘
 */
export class Console {
  /** Last sequence sent or filtered out. */
  #cursor = 0
  #filter: Filter | undefined
  #subscription: SubscribeMessage | undefined
  /** The ring this console reads and its position there; undefined while it waits for the stream or catches up. */
  #ring: Ring | undefined
  #position = 0
  readonly #reads: ReadQueue
  readonly #window: SendWindow
  /** Monotonic clock of the latest messages from the console, ms. */
  #received: number[] = []
  /** The access of the present subscription, and what was sent under it. */
  #ticket: Ticket | undefined
  #sent = 0
  /** Subscriptions are admitted one after the other, in the order in which they came. */
  #admitting: Promise<void> = Promise.resolve()
  /** Ends a catch-up when a new subscription or another stream replaces it. */
  #catchUp: AbortController | undefined
  #closed = false
  private readonly feed: HitFeed
  private readonly backlog: Backlog
  private readonly counts: ConsoleCounts
  private readonly beginAccess: BeginLive

  constructor(
    private readonly socket: WebSocket,
    wire: Duplex,
    readonly caller: Caller,
    { feed, backlog, counts, begin }: ConsoleParts,
    private readonly limits: ConsoleLimits,
  ) {
    this.feed = feed
    this.backlog = backlog
    this.counts = counts
    this.beginAccess = begin
    this.#reads = new ReadQueue(limits.queue)
    this.#window = new SendWindow(socket, wire, () => this.pump())
    socket.on('message', (data, binary) => this.#receive(binary ? undefined : String(data)))
    socket.on('close', () => this.#end())
    if (feed.ring) this.#hello()
  }

  get wantsReads(): boolean {
    return this.#subscription?.reads === true && this.#filter !== undefined
  }
  /** Reads waiting. */
  get depth(): number {
    return this.#reads.length
  }
  /** Reads dropped because this console was slow. */
  get dropped(): number {
    return this.#reads.dropped
  }
  /** Everything up to this sequence has been sent or filtered out. */
  get cursor(): number {
    return this.#cursor
  }

  /** The stream has been seen for the first time, or its sequences no longer continue the previous ones. */
  streamChanged(change: StreamChange): void {
    this.#catchUp?.abort()
    this.#ring = undefined
    this.#hello()
    const subscription = this.#subscription
    if (!subscription) return
    if (change === 'first-seen' || !this.#filter) this.#begin(subscription)
    else this.#restart(change)
  }

  offerRead(frame: Buffer, location: { camera: string; lat: number; lon: number }): void {
    if (!this.wantsReads || !this.#filter!.matchesLocation(location)) return
    if (this.#reads.push(frame)) this.counts.readsDropped++
    this.pump()
  }

  /** Sends a message about the state, or skips it when the console is slow: the next one replaces it. */
  offerStatus(message: GatewayMessage): void {
    if (this.#window.hasRoom) this.#send(message)
  }

  /** Sends what is available while the window has room. Called for new entries and reads, and when room appears. */
  pump(): void {
    this.#fill()
    this.#window.flush()
  }

  #fill(): void {
    while (!this.#closed && this.#window.hasRoom) {
      const ring = this.#ring
      if (ring) {
        if (!ring.has(this.#position)) return this.#fallBehind()
        const entry = ring.at(this.#position)
        if (entry) {
          this.#position++
          // The ring may still be filling up with entries before the cursor of this console.
          if (entry.seq > this.#cursor) this.#deliver(entry)
          continue
        }
      }
      const read = this.#reads.shift()
      if (read === undefined) return
      this.#sent++
      this.#window.queue(read)
    }
  }

  /** Every 15 s. Detects what a socket does not report: a vanished peer, an expired session. */
  heartbeat(): void {
    if (this.caller.expiresAt <= Date.now()) return this.close(CLOSE.authRequired, 'the session ended')
    this.checkStalled()
    this.#window.ping()
  }

  /** Closes the console when it has made no progress for too long. */
  checkStalled(): void {
    if (this.#closed || !this.#window.isStalled(this.limits.stallMs)) return
    this.counts.stalled++
    const error = new AlprError('ALPR_ERR_CONSOLE_STALLED', { limit: this.limits.stallMs / 1_000, since: this.#cursor })
    this.close(CLOSE.stalled, `${error.code}: ${error.message}`)
  }

  /**
   * Closes with a reason, of which 120 characters are sent (the protocol allows 123 bytes). A stalled peer does not
   * take the close frame either, so the socket is cut after 2 s.
   */
  close(code: number, reason: string): void {
    if (this.#closed) return
    this.#end()
    this.socket.close(code, reason.slice(0, 120))
    setTimeout(() => this.socket.terminate(), 2_000).unref()
  }

  #receive(text: string | undefined): void {
    this.#window.noteProgress()
    const now = performance.now()
    this.#received = this.#received.filter((at) => now - at < 10_000)
    if (this.#received.push(now) > SUBSCRIBES_PER_10_S) return this.close(CLOSE.invalid, 'too many messages')
    try {
      const message = parseSubscribe(text)
      this.#admitting = this.#admitting.then(() => this.#admit(message))
    } catch (error) {
      this.#refuse(error, CLOSE.invalid)
    }
  }

  /** Never throws: what goes wrong refuses the console. */
  async #admit(message: SubscribeMessage): Promise<void> {
    if (this.#closed) return
    try {
      const begun = this.beginAccess(accessOf(this.caller, message.purpose), message)
      const ticket = await within(GATE_MS, begun).catch((error: unknown) => {
        begun.then((late) => endAccess(late, 0)).catch(() => {})
        throw error
      })
      if (this.#closed) return endAccess(ticket, 0)
      this.#endAccess()
      this.#ticket = ticket
      // What waits was let through by the previous access.
      this.#reads.clear()
      this.#subscribe(message)
    } catch (error) {
      this.#refuse(error, CLOSE.authRequired)
    }
  }

  #refuse(error: unknown, close: number): void {
    const code = codeOf(error)
    const { message } = error instanceof AlprError ? error : new AlprError(code)
    this.offerStatus({ type: 'error', code, message })
    this.close(close, `${code}: ${message}`)
  }

  #endAccess(): void {
    if (this.#ticket) endAccess(this.#ticket, this.#sent)
    this.#ticket = undefined
    this.#sent = 0
  }

  #subscribe(message: SubscribeMessage): void {
    const first = this.#subscription === undefined
    this.#subscription = message
    if (!this.feed.ring) return // begins when the stream is known
    if (!first && message.since === undefined && this.#filter) {
      this.#filter = new Filter(message, this.#ticket!.scope) // only the filter changes; the position stays
      return
    }
    this.#begin(message)
  }

  #begin(message: SubscribeMessage): void {
    const { feed } = this
    this.#filter = new Filter(message, this.#ticket!.scope)
    this.#catchUp?.abort()
    this.#ring = undefined
    if (message.since === undefined) return this.#goLive(feed.last)
    this.counts.resumed++
    // `since` belongs to another life of the stream, or the stream has not reached it: verify before trusting it.
    if ((message.epoch !== undefined && message.epoch !== feed.epoch) || message.since > feed.last)
      return void this.#verify(message)
    this.#cursor = message.since
    this.#continue()
  }

  /** Another gateway may have been a moment ahead of this one: waits 1 s for the feed to reach `since`. */
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

  /** A recreated stream is sent from its beginning, because all of it is news; a rewound one from the ring on. */
  #restart(change: Exclude<StreamChange, 'first-seen'>): void {
    const since = change === 'recreated' ? this.feed.first - 1 : this.feed.ring!.baseSeq
    this.#send({ type: 'restarted', epoch: this.feed.epoch, since })
    this.#cursor = since
    this.#continue()
  }

  /** Continues after the cursor: from the ring if it reaches back that far, else from the stream first. */
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
    const target: CatchUpTarget = {
      cursor: () => this.#cursor,
      deliver: (entry) => this.#deliver(entry),
      advanceTo: (seq) => {
        this.#cursor = seq
      },
      goLive: () => this.#goLive(this.#cursor),
    }
    void catchUp(target, { feed: this.feed, backlog: this.backlog, window: this.#window }, run.signal)
  }

  #deliver(entry: RingEntry): void {
    this.#cursor = entry.seq
    if (entry.kind === 'hit') {
      if (!this.#filter!.matchesHit(entry.facts)) return
      this.counts.hitsSent++
      this.#sent++
    }
    this.#window.queue(entry.frame)
  }

  #hello(): void {
    const { epoch, first, last } = this.feed
    this.#send({ type: 'hello', epoch, first, last })
  }

  #send(message: GatewayMessage): void {
    this.#window.queue(textFrame(JSON.stringify(message)))
    this.#window.flush()
  }

  #end(): void {
    if (this.#closed) return
    this.#closed = true
    this.#endAccess()
    this.#catchUp?.abort()
    this.#reads.clear()
    this.#ring = undefined
    this.#window.close()
  }
}

/** Never throws: what was sent has left already, and a gate that cannot record the end can only say so itself. */
function endAccess(ticket: Ticket, rows: number): void {
  void (async () => ticket.end({ rows }))().catch(() => {})
}
