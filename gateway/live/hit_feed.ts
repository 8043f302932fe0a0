import {
  AckPolicy,
  createInbox,
  DeliverPolicy,
  nanos,
  type JetStreamManager,
  type Msg,
  type NatsConnection,
  type StreamInfo,
} from 'nats'
import { STREAM } from '../../engine/mod.js'
import { logReasonOf, reasonOf } from '../../engine/runtime/mod.js'
import type { NatsTask } from './nats_link.js'
import { parseAckSubject } from './ack_subject.js'
import { gapEntry, hitEntry } from './entry.js'
import { Ring, type HitEntry } from './ring.js'

/** The server's heartbeat, ms. After three of them without a message the consumer is replaced. */
const HEARTBEAT_MS = 2_000
/** Entries read from the stream at a start, so that new consoles find the latest hits in memory. */
const WINDOW = 1_000
const MALFORMED_A_LINE = 1_000

/**
 * `first-seen`: this gateway had not seen the stream before; `recreated`: another stream under the same name;
 * `rewound`: the same stream without its newest messages (power failure, backup).
 */
export type StreamChange = 'first-seen' | 'recreated' | 'rewound'

export interface FeedListener {
  /** A hit published while this feed was listening, which tells the delay. Older hits do not. */
  onLiveHit(entry: HitEntry): void
  /** Messages of the stream are passed over, because they are not hits. @param reason for the log */
  onMalformed(seq: number, malformed: number, reason: string): void
  /** New entries are in the ring. */
  onEntries(): void
  /** The ring was replaced, because the sequences of the stream do not continue the previous ones. */
  onStream(change: StreamChange): void
}

export interface FeedState {
  live: boolean
  reason: string
  /** Wall clock of the last change, milliseconds. */
  since: number
}

/**
 * Follows stream HITS with one ordered consumer for all consoles and fills the ring.
 *
 * Order is verified, not assumed: the feed counts deliveries, and the server's heartbeat says how many there should be.
 * On any mismatch a new consumer starts after the last sequence in the ring, so no hit is lost and none is repeated.
 */
export class HitFeed {
  #ring: Ring | undefined
  #epoch = ''
  #first = 1
  #last = 0
  #state: FeedState = { live: false, reason: 'not connected yet', since: Date.now() }
  /** Messages of the stream that were skipped because they are not hits. */
  malformed = 0
  /** Consumers started. */
  resumes = 0

  constructor(private readonly listener: FeedListener) {}

  get state(): FeedState {
    return this.#state
  }
  get epoch(): string {
    return this.#epoch
  }
  /** First sequence of the stream when the feed last started. */
  get first(): number {
    return this.#first
  }
  /** Last known sequence of the stream. */
  get last(): number {
    return Math.max(this.#last, this.#ring?.last ?? 0)
  }
  /** Undefined until the stream has been seen. */
  get ring(): Ring | undefined {
    return this.#ring
  }

  readonly task: NatsTask = async (nats, signal) => {
    try {
      const manager = await nats.jetstreamManager({ checkAPI: false, timeout: 3_000 })
      this.#adopt(await manager.streams.info(STREAM.hits))
      await this.#listen(nats, manager, signal)
    } catch (error) {
      this.#change(false, signal.aborted ? 'NATS is unreachable' : `stream ${STREAM.hits}: ${reasonOf(error)}`)
      throw error
    }
  }

  /** Compares the stream with the ring: it continues, it continues after a gap, or it is another stream. */
  #adopt({ created, state }: StreamInfo): void {
    const first = Math.max(1, state.first_seq)
    const last = state.last_seq
    const ring = this.#ring
    this.#first = first
    this.#last = last
    // The stream ends before the ring does: sequences to come will name other hits than those in the ring.
    const change: StreamChange | undefined = !ring
      ? 'first-seen'
      : this.#epoch !== created
        ? 'recreated'
        : last < ring.last
          ? 'rewound'
          : undefined
    if (change) {
      this.#epoch = created
      this.#ring = new Ring(Math.max(first - 1, last - WINDOW))
      this.listener.onStream(change)
    } else if (first > ring!.last + 1) {
      ring!.push(gapEntry(ring!.last + 1, first - 1))
      this.listener.onEntries()
    }
  }

  async #listen(nats: NatsConnection, manager: JetStreamManager, signal: AbortSignal): Promise<never> {
    const ring = this.#ring!
    const inbox = createInbox()
    let fail!: (error: Error) => void
    const failed = new Promise<never>((_, reject) => {
      fail = reject
    })
    failed.catch(() => {}) // it may reject before it is awaited below
    let delivered = 0
    let alive = performance.now()
    const subscription = nats.subscribe(inbox, {
      callback: (error, message) => {
        if (error) return fail(error)
        alive = performance.now()
        if (message.headers?.code === 100) {
          const expected = Number(message.headers.get('Nats-Last-Consumer') || delivered)
          if (expected !== delivered) return fail(new Error('deliveries were lost'))
          // Flow control: the server sends no more until it has this reply.
          const stalled = message.headers.get('Nats-Consumer-Stalled')
          if (message.reply) message.respond()
          else if (stalled) nats.publish(stalled)
          return
        }
        try {
          const { streamSeq, consumerSeq } = parseAckSubject(message.reply)
          if (consumerSeq !== ++delivered) throw new Error('deliveries were lost')
          this.#take(ring, streamSeq, message)
        } catch (error) {
          fail(error as Error)
        }
      },
    })
    const onAbort = () => fail(new Error('NATS is unreachable'))
    signal.addEventListener('abort', onAbort, { once: true })
    const watch = setInterval(() => {
      if (performance.now() - alive > 3 * HEARTBEAT_MS) fail(new Error('no heartbeat'))
    }, HEARTBEAT_MS)
    let consumer = ''
    try {
      const info = await manager.consumers.add(STREAM.hits, {
        deliver_subject: inbox,
        deliver_policy: DeliverPolicy.StartSequence,
        opt_start_seq: ring.last + 1,
        ack_policy: AckPolicy.None,
        max_deliver: 1,
        flow_control: true,
        idle_heartbeat: nanos(HEARTBEAT_MS),
        inactive_threshold: nanos(30_000),
        mem_storage: true,
        num_replicas: 1,
      })
      consumer = info.name
      this.resumes++
      this.#change(true, '')
      return await failed
    } finally {
      clearInterval(watch)
      signal.removeEventListener('abort', onAbort)
      subscription.unsubscribe()
      if (consumer && !signal.aborted) await manager.consumers.delete(STREAM.hits, consumer).catch(() => {})
    }
  }

  #take(ring: Ring, seq: number, message: Msg): void {
    let entry: HitEntry
    try {
      entry = hitEntry(seq, message.data)
    } catch (error) {
      // One line when it begins and one for each thousand: who sends one such message may send many.
      if (this.malformed++ % MALFORMED_A_LINE === 0) this.listener.onMalformed(seq, this.malformed, logReasonOf(error))
      return
    }
    ring.push(entry)
    if (seq > this.#last) this.listener.onLiveHit(entry)
    this.listener.onEntries()
  }

  #change(live: boolean, reason: string): void {
    this.#state = { live, reason, since: live === this.#state.live ? this.#state.since : Date.now() }
  }
}
