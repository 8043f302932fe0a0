import type { JetStreamClient, JetStreamManager } from 'nats'
import { AlprError } from '../errors.js'
import { isWrongLastSequence } from '../nats/errors.js'
import { findMessage } from '../nats/find_message.js'
import { partitionName, stateStreamOf, stateSubjectOf, type Partition } from '../nats/topology.js'
import { Semaphore } from '../runtime/semaphore.js'

/** A record on its way to the log, in several attempts if need be. */
export interface Append {
  /** Its bytes, the same at each attempt. Asked for when it is its turn. */
  data(): Promise<Uint8Array>
  /** Called once, as soon as it is known to be on the log. */
  written?(seq: number): void
}

/**
 * Appends to the log of one partition, one record at a time. Every append names the sequence that it expects before it:
 * an owner that was replaced is refused.
 */
export class LogAppender {
  private readonly turns = new Semaphore(1)
  /** The last append failed: its record may be on the log. */
  private failed: Append | undefined
  private readonly sequences = new WeakMap<Append, number>()

  /** @param lastSeq the last record of the log */
  constructor(
    private readonly js: JetStreamClient,
    private readonly manager: JetStreamManager,
    private readonly partition: Partition,
    public lastSeq: number,
  ) {}

  /**
   * Appends a record, unless an earlier attempt did. One that failed may be on the log, and comes before any other.
   * @returns its sequence @throws ALPR_ERR_STATE_FENCED; whatever NATS says
   */
  append(record: Append): Promise<number> {
    return this.turns.run(async () => {
      if (this.failed && this.failed !== record) await this.send(this.failed)
      return this.sequences.get(record) ?? this.send(record)
    })
  }

  private async send(record: Append): Promise<number> {
    const data = await record.data()
    this.failed = record
    const seq = await this.publish(data)
    this.failed = undefined
    this.lastSeq = seq
    this.sequences.set(record, seq)
    record.written?.(seq)
    return seq
  }

  /**
   * A write whose answer was lost looks like another engine's at the next attempt; it is this one's when the log holds
   * exactly the same bytes there.
   */
  private async publish(data: Uint8Array): Promise<number> {
    const expected = this.lastSeq
    try {
      const { seq } = await this.js.publish(stateSubjectOf(this.partition), data, {
        expect: { lastSequence: expected },
        timeout: 5_000,
      })
      return seq
    } catch (error) {
      if (!isWrongLastSequence(error)) throw error
      const found = await findMessage(this.manager, stateStreamOf(this.partition), { seq: expected + 1 })
      if (found && Buffer.compare(found.data, data) === 0) return expected + 1
      throw new AlprError('ALPR_ERR_STATE_FENCED', { partition: partitionName(this.partition) }, { cause: error })
    }
  }
}
