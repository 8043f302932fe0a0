import { AckPolicy, DeliverPolicy, nanos } from 'nats'
import { STREAM } from '../../engine/mod.js'
import type { NatsLink } from './nats_link.js'
import { gapEntry, hitEntry } from './entry.js'
import type { RingEntry } from './ring.js'

/** Consoles that read from the stream at the same time; more wait for their turn. */
const READERS = 4

export interface Batch {
  entries: RingEntry[]
  through: number
}

/** Reads hits that are older than the ring from the stream, for one console at a time, batch by batch. */
export class Backlog {
  #running = 0
  readonly #queue: (() => void)[] = []

  constructor(private readonly natsLink: NatsLink) {}

  /** Consoles waiting for their turn. */
  get waiting(): number {
    return this.#queue.length
  }

  /**
   * The entries after sequence `after`, at most `limit`, or a gap entry alone if the stream no longer has the next
   * ones. `through` is the sequence up to which this answer is complete.
   * @throws when NATS is away, or when the stream is not the one of `epoch` any more
   */
  async batch(epoch: string, after: number, limit: number): Promise<Batch> {
    await this.#turn()
    try {
      return await this.#read(epoch, after, limit)
    } finally {
      this.#running--
      this.#queue.shift()?.()
    }
  }

  async #read(epoch: string, after: number, limit: number): Promise<Batch> {
    const nats = this.natsLink.nats
    const manager = await nats.jetstreamManager({ checkAPI: false, timeout: 3_000 })
    const { created, state } = await manager.streams.info(STREAM.hits)
    if (created !== epoch) throw new Error('the stream was made anew')
    if (state.first_seq > after + 1)
      return { entries: [gapEntry(after + 1, state.first_seq - 1)], through: state.first_seq - 1 }
    const { name, num_pending } = await manager.consumers.add(STREAM.hits, {
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: after + 1,
      ack_policy: AckPolicy.None,
      inactive_threshold: nanos(10_000),
      mem_storage: true,
      num_replicas: 1,
    })
    const entries: RingEntry[] = []
    const count = Math.min(limit, num_pending)
    try {
      if (count === 0) return { entries, through: Math.max(after, state.last_seq) }
      const consumer = await nats.jetstream({ timeout: 3_000 }).consumers.get(STREAM.hits, name)
      let delivered = 0
      let through = after
      for await (const message of await consumer.fetch({ max_messages: count, expires: 5_000 })) {
        // A hole in the deliveries ends the batch; the next one starts behind the last good entry.
        if (message.info.deliverySequence !== ++delivered) break
        through = message.seq
        const entry = tolerant(message.seq, message.data)
        if (entry) entries.push(entry)
      }
      if (delivered === 0) throw new Error('the stream does not answer')
      return { entries, through }
    } finally {
      await manager.consumers.delete(STREAM.hits, name).catch(() => {})
    }
  }

  async #turn(): Promise<void> {
    if (this.#running >= READERS) await new Promise<void>((resolve) => this.#queue.push(resolve))
    this.#running++
  }
}

/** Messages that are no hits are skipped here as in the feed, which counts them. */
function tolerant(seq: number, payload: Uint8Array): RingEntry | undefined {
  try {
    return hitEntry(seq, payload)
  } catch {
    return undefined
  }
}
