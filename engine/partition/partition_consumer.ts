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
  type MsgRequest,
} from 'nats'
import type { CameraMessage } from '../model/capture.js'
import { MINUTE_MS } from '../model/time.js'
import { sleep } from '../runtime/backoff.js'
import { isApiError } from '../nats/errors.js'
import { cameraOf, partitionFilter, type Entrance } from '../nats/topology.js'

/** A message of the stream, and the handle that acknowledges it and all earlier ones. */
export interface StreamMessage extends CameraMessage {
  message: JsMsg
}

/**
 * The messages that the cameras of one partition sent to one entrance (frames or detections), in stream order, each
 * exactly once from `start` on.
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
  /** Highest stream sequence handed out. */
  private last: number
  private consumed = 0
  private consumer: Consumer | undefined
  private name: string | undefined
  private fetching: ConsumerMessages | undefined
  private broken = false
  /** Messages of this partition that wait on the stream after the last one fetched. */
  pending = 0

  /**
   * @param maxUnacknowledged most messages handed out and not yet acknowledged: a bound on what a crash makes the next
   *   owner redo
   */
  constructor(
    private readonly js: JetStreamClient,
    private readonly manager: JetStreamManager,
    private readonly entrance: Entrance,
    private readonly partition: number,
    private readonly partitions: number,
    start: number,
    private readonly maxUnacknowledged = 8_192,
  ) {
    this.last = start
  }

  /** Makes a consumer that starts after the last message handed out; earlier ones count as acknowledged. */
  private async open(): Promise<void> {
    await this.close()
    const { name } = await this.manager.consumers.add(this.entrance.stream, {
      name: `engine-${this.partition}-${nuid.next()}`,
      inactive_threshold: nanos(kInactiveMs),
      num_replicas: 1,
      mem_storage: true,
      ack_policy: AckPolicy.All,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: this.last + 1,
      replay_policy: ReplayPolicy.Instant,
      filter_subject: partitionFilter(this.entrance, this.partition, this.partitions),
      // A restart and a disconnect replace the consumer: redelivery by time is only the last resort.
      ack_wait: nanos(10 * MINUTE_MS),
      max_ack_pending: this.maxUnacknowledged,
    })
    this.consumer = await this.js.consumers.get(this.entrance.stream, name)
    this.name = name
    this.consumed = 0
    this.broken = false
  }

  /** A consumer that cannot be deleted now expires when nobody has pulled for a while. */
  private async close(): Promise<void> {
    const { name } = this
    this.consumer = this.name = undefined
    if (name !== undefined) await this.manager.consumers.delete(this.entrance.stream, name).catch(() => {})
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
        arrived += 1
        this.consumed = message.info.deliverySequence
        this.pending = message.info.pending
        if (message.seq <= this.last) continue
        this.last = message.seq
        take(toStreamMessage(message))
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
    else if (arrived === 0) {
      const info = await this.consumer!.info().catch((error) => {
        if (!isApiError(error, kConsumerNotFound)) throw error
        return undefined
      })
      this.pending = info?.num_pending ?? this.pending
      if (info?.delivered.consumer_seq !== this.consumed) this.broken = true
    }
  }

  /**
   * A stream sequence up to which this partition has no message beyond `applied`; undefined when one is in transit.
   * Asks for the end of the stream first: a message before that end is then either applied, or counted by the consumer
   * as delivered or pending.
   */
  async idleUpTo(applied: number): Promise<number | undefined> {
    if (!this.consumer || this.broken || this.last > applied) return undefined
    const { stream } = this.entrance
    const { state, cluster } = await this.manager.streams.info(stream)
    const { num_pending, delivered } = await this.consumer.info()
    const idle = num_pending === 0 && !this.broken && delivered.consumer_seq === this.consumed && this.last <= applied
    if (!idle) return undefined
    if ((cluster?.replicas ?? []).length === 0) return state.last_seq
    const next = await nextAfter(
      this.manager,
      stream,
      partitionFilter(this.entrance, this.partition, this.partitions),
      applied,
      cluster?.leader,
    )
    if (next === NONE) return state.last_seq
    // The stream had the message before the consumer was asked, but the consumer does not know it. A new consumer may
    // be led by a server that does.
    if (next !== undefined && next <= state.last_seq) this.interrupt()
    return undefined
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
const kConsumerNotFound = 10_014
/** The answer to a pull when the consumer was deleted or its server no longer leads it. */
const kConsumerGone = '409'
const kMessageNotFound = 10_037
/** An election takes at least a second: a server that leads before and after this time led all through it, ms. */
const kSameLeaderMs = 1_000

/** Not a sequence: no message follows. */
export const NONE = 0

/**
 * The first message of `filter` after sequence `seq` in the replica of a stream that `leader` keeps; NONE when there is
 * none, undefined when another server leads by now.
 *
 * A consumer's numbers are those of the replica beside it. That replica may lag behind the leader, whose end `idleUpTo`
 * asked for: the consumer would report a partition as idle whose messages it does not know yet, and the committed
 * offset would skip them. nats-server 2.9 has consumers that never learn of them. (Both were seen when one of three
 * servers had just come back.)
 */
export async function nextAfter(
  manager: JetStreamManager,
  stream: string,
  filter: string,
  seq: number,
  leader: string | undefined,
): Promise<number | undefined> {
  const asked = performance.now()
  const found = await manager.streams
    .getMessage(stream, { seq: seq + 1, next_by_subj: filter } as MsgRequest)
    .catch((error) => {
      if (!isApiError(error, kMessageNotFound)) throw error
      return undefined
    })
  if (found) return found.seq
  const { cluster } = await manager.streams.info(stream)
  return cluster?.leader === leader && performance.now() - asked < kSameLeaderMs ? NONE : undefined
}

function toStreamMessage(message: JsMsg): StreamMessage {
  return {
    seq: message.seq,
    subject: message.subject,
    camera: cameraOf(message.subject),
    arrivedAt: Math.floor(message.info.timestampNanos / 1e6),
    header: (name) => message.headers?.get(name) || undefined,
    payload: message.data,
    message,
  }
}
