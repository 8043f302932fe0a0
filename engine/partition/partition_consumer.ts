import {
  AckPolicy,
  DeliverPolicy,
  nanos,
  nuid,
  ReplayPolicy,
  type Consumer,
  type ConsumerMessages,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
  type MsgHdrs,
  type StoredMsg,
} from 'nats'
import type { CameraMessage } from '../model/capture.js'
import { MINUTE_MS } from '../model/time.js'
import { sleep } from '../runtime/backoff.js'
import { isApiError, kConsumerNotFound } from '../nats/errors.js'
import { findNext } from '../nats/find_message.js'
import { readHeaders } from '../nats/read_headers.js'
import { cameraOf, partitionName, streamOf, type Partition } from '../nats/topology.js'
import { AlprError } from '../errors.js'
import { isOther } from './message_time.js'

/** A message of the stream. */
export interface StreamMessage extends CameraMessage {
  headers: MsgHdrs | undefined
  /** Where to acknowledge it and all earlier ones; missing when no consumer delivered it. */
  reply?: string
}

/**
 * The messages of one partition's stream, in order, each exactly once from `start` on.
 *
 * A pull consumer with AckPolicy.All. JetStream alone does not keep the order over a disconnect (messages in transit
 * come again only after `ack_wait`, behind newer ones), so the order is checked by the consumer's own sequence. On a
 * gap or a reconnect the consumer is replaced by a new one that starts after the last message received. The caller
 * keeps the committed offset (checkpoint), so nothing is lost by that.
 *
 * Each consumer has its own name and one replica, in memory. In a cluster, a consumer that reuses the name of one just
 * deleted may inherit its deliveries and acknowledgements, and skip messages.
 */
export class PartitionConsumer {
  /** Highest stream sequence handed out, and when that message arrived, ms; undefined when that is not known. */
  private last: number
  private lastAt: number | undefined
  private consumed = 0
  private consumer: Consumer | undefined
  private name: string | undefined
  private fetching: ConsumerMessages | undefined
  private broken = false
  /** Messages of this partition that wait on the stream after the last one fetched. */
  pending = 0

  /**
   * @param created when the stream was created: sequences of another stream mean nothing
   * @param start the last message that is done, and when it arrived, ms
   * @param maxUnacknowledged most messages handed out and not yet acknowledged: a bound on what a crash makes the next
   *   owner redo
   */
  constructor(
    private readonly js: JetStreamClient,
    private readonly manager: JetStreamManager,
    private readonly partition: Partition,
    private readonly created: string,
    start: { committed: number; committedAt?: number },
    private readonly maxUnacknowledged = 8_192,
  ) {
    this.last = start.committed
    this.lastAt = start.committedAt
  }

  /** Makes a consumer that starts after the last message handed out; earlier ones count as acknowledged. */
  private async open(): Promise<void> {
    await this.close()
    const stream = streamOf(this.partition)
    await this.checkStream(stream)
    const { name } = await this.manager.consumers.add(stream, {
      name: `engine-${partitionName(this.partition)}-${nuid.next()}`,
      inactive_threshold: nanos(kInactiveMs),
      num_replicas: 1,
      mem_storage: true,
      ack_policy: AckPolicy.All,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: this.last + 1,
      replay_policy: ReplayPolicy.Instant,
      // A restart and a disconnect replace the consumer: redelivery by time is only the last resort.
      ack_wait: nanos(10 * MINUTE_MS),
      max_ack_pending: this.maxUnacknowledged,
    })
    this.consumer = await this.js.consumers.get(stream, name)
    this.name = name
    this.consumed = 0
    this.broken = false
  }

  /** @throws ALPR_ERR_STREAM_CHANGED when the last sequence handed out is not one of this stream */
  private async checkStream(stream: string): Promise<void> {
    const { created, state } = await this.manager.streams.info(stream)
    if (created !== this.created) throw new AlprError('ALPR_ERR_STREAM_CHANGED', { stream, reason: 'was recreated' })
    // Set back, it may have grown beyond this sequence again: then another message has it.
    if (state.last_seq < this.last || (await isOther(this.manager, stream, this.last, this.lastAt)))
      throw new AlprError('ALPR_ERR_STREAM_CHANGED', { stream, reason: 'was set back' })
  }

  /**
   * Whether the stream was found to be the one whose sequences are known, and no connection broke since: only then may
   * messages be deleted from it.
   */
  get isSure(): boolean {
    return this.consumer !== undefined && !this.broken
  }

  /** A consumer that cannot be deleted now expires when nobody has pulled for a while. */
  private async close(): Promise<void> {
    const { name } = this
    this.consumer = this.name = undefined
    if (name !== undefined) await this.manager.consumers.delete(streamOf(this.partition), name).catch(() => {})
  }

  /**
   * Pulls messages as `room` allows and hands each to `take`, in order. Returns when `signal` aborts.
   * @param room waits until at least one message may come, and returns how many may
   * @throws when NATS refuses; a second call continues after the last message handed out
   */
  async run(room: () => Promise<number>, take: (message: StreamMessage) => void, signal: AbortSignal): Promise<void> {
    const stop = () => this.fetching?.stop()
    signal.addEventListener('abort', stop)
    try {
      await this.open()
      while (!signal.aborted) {
        if (this.broken) await this.open()
        await this.pull(await room(), take, signal)
      }
    } finally {
      signal.removeEventListener('abort', stop)
      void this.close()
    }
  }

  private async pull(count: number, take: (message: StreamMessage) => void, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    this.fetching = await this.consumer!.fetch({ max_messages: count, expires: 2_000 })
    if (signal.aborted) this.fetching.stop()
    let arrived = 0
    try {
      for await (const message of this.fetching) {
        if (this.broken) break
        if (message.info.deliverySequence !== this.consumed + 1) {
          // An earlier message was lost in transit: restart after the last one that arrived.
          this.broken = true
          break
        }
        // Nothing is deleted that was not handed out: a missing sequence was skipped, or an operator deleted it.
        if (message.seq > this.last + 1 && (await this.hasBetween(message.seq))) {
          this.broken = true
          break
        }
        arrived += 1
        this.consumed = message.info.deliverySequence
        this.pending = message.info.pending
        if (message.seq <= this.last) continue
        const taken = toStreamMessage(message)
        this.last = taken.seq
        this.lastAt = taken.arrivedAt
        take(taken)
      }
    } catch (error) {
      if ((error as { code?: string }).code !== kConsumerGone) throw error
      this.broken = true
    }
    this.fetching = undefined
    if (this.broken) await sleep(50, signal)
    // Silence may mean that there is nothing, that the consumer is gone, or that messages came when the pull had just
    // run out (a busy event loop runs its timers before it reads its sockets): then no later one shows the gap. The
    // server knows.
    else if (arrived === 0) await this.checkSilence()
  }

  private async checkSilence(): Promise<void> {
    // Asked before the consumer: a message before the stream's end is then either delivered or known to be pending.
    const { state } = await this.manager.streams.info(streamOf(this.partition))
    const info = await this.consumer!.info().catch((error) => {
      if (!isApiError(error, kConsumerNotFound)) throw error
      return undefined
    })
    this.pending = info?.num_pending ?? this.pending
    if (info?.delivered.consumer_seq !== this.consumed) this.broken = true
    else if (state.last_seq < this.last) this.broken = true
    else if (info.num_pending === 0 && state.last_seq > this.last) this.broken ||= await this.hasBetween(Infinity)
  }

  /**
   * Whether the stream's leader has a message after the last one and before `seq`. A consumer's numbers are those of
   * the replica beside it, which may lag; nats-server 2.9 has consumers that never learn of a message that the leader
   * has (seen when one of three servers had just come back).
   */
  private async hasBetween(seq: number): Promise<boolean> {
    const next = await findNext(this.manager, streamOf(this.partition), this.last + 1)
    return next !== undefined && next.seq < seq
  }

  /** The connection broke or came back: messages in transit are lost to this consumer. */
  interrupt(): void {
    this.broken = true
    this.fetching?.stop()
  }
}

/**
 * The server deletes a consumer that nobody pulls from for this long, ms. Pulls last 2 s; a pipeline that waits for the
 * store pulls nothing.
 */
const kInactiveMs = 10 * MINUTE_MS
/** The answer to a pull when the consumer was deleted or its server no longer leads it. */
const kConsumerGone = '409'

const toStreamMessage = (message: JsMsg): StreamMessage => ({
  ...streamMessage(message.seq, message.subject, message.data, () => message.headers),
  arrivedAt: Math.floor(message.info.timestampNanos / 1e6),
  // The client's type lacks it.
  reply: (message as JsMsg & { reply: string }).reply,
})

/** A message that was read from the stream by its sequence or subject. */
export const fromStored = (message: StoredMsg): StreamMessage => ({
  ...streamMessage(message.seq, message.subject, message.data, () => message.header),
  arrivedAt: message.time.getTime(),
})

function streamMessage(seq: number, subject: string, payload: Uint8Array, read: () => MsgHdrs | undefined) {
  const { headers, fault } = readHeaders(read)
  const header = (name: string) => headers?.get(name) || undefined
  return { seq, subject, camera: cameraOf(subject), headers, headerFault: fault, header, payload }
}
