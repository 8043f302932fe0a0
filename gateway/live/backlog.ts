import { AckPolicy, DeliverPolicy, nanos } from 'nats'
import { STREAM } from '../../engine/mod.js'
import { Semaphore } from '../../engine/runtime/mod.js'
import { gapEntry, hitEntry } from './entry.js'
import type { NatsLink } from './nats_link.js'
import type { RingEntry } from './ring.js'

/** Consoles that may read from the stream at the same time. */
const READERS = 4

export interface Batch {
  entries: RingEntry[]
  /** The batch is complete up to this sequence. */
  through: number
}

/** Reads hits that are older than the ring from stream HITS, batch by batch, for a few consoles at a time. */
export class Backlog {
  readonly #readers = new Semaphore(READERS)

  constructor(private readonly natsLink: NatsLink) {}

  /** Consoles waiting for their turn. */
  get waiting(): number {
    return this.#readers.waiting
  }

  /**
   * The entries after sequence `after`, at most `limit`. If the stream no longer has the next ones, a gap entry alone.
   * @param signal of a console that leaves: it waits for its turn no longer
   * @throws when NATS is unreachable, or when the stream was recreated; the signal's reason
   */
  batch(epoch: string, after: number, limit: number, signal?: AbortSignal): Promise<Batch> {
    return this.#readers.run(() => this.#read(epoch, after, limit), { signal })
  }

  async #read(epoch: string, after: number, limit: number): Promise<Batch> {
    const nats = this.natsLink.nats
    const manager = await nats.jetstreamManager({ checkAPI: false, timeout: 3_000 })
    const { created, state } = await manager.streams.info(STREAM.hits)
    if (created !== epoch) throw new Error('the stream was recreated')
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
        // A hole in the deliveries ends the batch; the next batch starts after the last good entry.
        if (message.info.deliverySequence !== ++delivered) break
        through = message.seq
        const entry = hitOrNothing(message.seq, message.data)
        if (entry) entries.push(entry)
      }
      if (delivered === 0) throw new Error('the stream does not answer')
      return { entries, through }
    } finally {
      await manager.consumers.delete(STREAM.hits, name).catch(() => {})
    }
  }
}

/** Skips messages that are not hits, as the feed does; the feed counts them. */
function hitOrNothing(seq: number, payload: Uint8Array): RingEntry | undefined {
  try {
    return hitEntry(seq, payload)
  } catch {
    return undefined
  }
}
