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
import { reasonOf } from '../../engine/runtime/mod.js'
import type { NatsTask } from './nats_link.js'
import { parseAckSubject } from './ack_subject.js'
import { gapEntry, hitEntry } from './entry.js'
import { Ring, type HitEntry } from './ring.js'

/** A feed without a sign of life for three of these (ms) is started anew. */
const HEARTBEAT_MS = 2_000
/** Entries that are read from the stream at a start, so that consoles that open find the newest in memory. */
const WINDOW = 1_000

/**
 * `known`: seen for the first time; `new`: made anew; `set-back`: the same stream, with its newest messages lost (power
 * failure, backup).
 */
export type StreamChange = 'first-seen' | 'recreated' | 'rewound'

export interface FeedListener {
  /** A hit that was published while this feed listened (not one of before), for the numbers about delay. */
  onLiveHit(entry: HitEntry): void
  /** New entries are in the ring. */
  onEntries(): void
  /** The ring is a new one, because the numbers of the stream are not those of before. */
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
 * Order is checked, not assumed: deliveries are counted, and the server's heartbeat says how many there should have
 * been. On any doubt the consumer is thrown away and a new one starts behind the last sequence in the ring, so nothing
 * is missed and nothing comes twice.
 */
export class HitFeed {
  #ring: Ring | undefined
  #epoch = ''
  #first = 1
  #last = 0
  #state: FeedState = { live: false, reason: 'not connected yet', since: Date.now() }
  /** Messages of the stream that are no hits; they are skipped and counted. */
  malformed = 0
  resumes = 0

  constructor(private readonly listener: FeedListener) {}

  get state(): FeedState {
    return this.#state
  }
  get epoch(): string {
    return this.#epoch
  }
  /** First and last sequence of the stream as far as known. */
  get first(): number {
    return this.#first
  }
  get last(): number {
    return Math.max(this.#last, this.#ring?.last ?? 0)
  }
  /** Undefined until the stream was seen once. */
  get ring(): Ring | undefined {
    return this.#ring
  }

  readonly task: NatsTask = async (nats, signal) => {
    try {
      const manager = await nats.jetstreamManager({ checkAPI: false, timeout: 3_000 })
      this.#adopt(await manager.streams.info(STREAM.hits))
      await this.#listen(nats, manager, signal)
    } catch (error) {
      this.#change(false, signal.aborted ? 'NATS is away' : `stream ${STREAM.hits}: ${reasonOf(error)}`)
      throw error
    }
  }

  /** Takes over what the stream says of itself: the same as before, with a hole, or another one. */
  #adopt({ created, state }: StreamInfo): void {
    const first = Math.max(1, state.first_seq)
    const last = state.last_seq
    const known = this.#ring
    this.#first = first
    this.#last = last
    // A last sequence behind ours: the numbers to come will be other hits than those we know by them.
    const change: StreamChange | undefined = !known
      ? 'first-seen'
      : this.#epoch !== created
        ? 'recreated'
        : last < known.last
          ? 'rewound'
          : undefined
    if (change) {
      this.#epoch = created
      this.#ring = new Ring(Math.max(first - 1, last - WINDOW))
      this.listener.onStream(change)
    } else if (first > known!.last + 1) {
      known!.push(gapEntry(known!.last + 1, first - 1))
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
    failed.catch(() => {}) // awaited below, perhaps only after it was rejected
    let delivered = 0
    let alive = performance.now()
    const subscription = nats.subscribe(inbox, {
      callback: (error, message) => {
        if (error) return fail(error)
        alive = performance.now()
        if (message.headers?.code === 100) {
          const expected = Number(message.headers.get('Nats-Last-Consumer') || delivered)
          if (expected !== delivered) return fail(new Error('deliveries were lost'))
          // Flow control: the server waits for this answer before it sends more.
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
    const onAbort = () => fail(new Error('NATS is away'))
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
    } catch {
      this.malformed++
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
