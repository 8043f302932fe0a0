import type { StoreBatch, StoreWriter } from './writer.js'

interface QueuedBatch {
  batch: StoreBatch
  done: () => void
  failed: (error: unknown) => void
}

/** A group of this many rows does not wait for the previous one: an insert keeps only one core of the store busy. */
const LARGE_ROWS = 10_000
/** Concurrent inserts of large groups. */
const MAX_INSERTS = 2
/**
 * Checkpoints of all partitions begin together and have written their pictures within about this time, milliseconds:
 * the first batch waits this long for the others.
 */
const GATHER_MS = 50

/**
 * One writer for all partitions of an engine: batches that arrive during an insert are written together in the next
 * one. ClickHouse costs much more per insert than per row, so four partitions cost about as much as one. Two inserts
 * run concurrently only under load; each partition has one batch in flight, so that versions of a read never overtake
 * each other.
 */
export class GroupWriter {
  private queue: QueuedBatch[] = []
  private writing = 0
  private gathering: NodeJS.Timeout | undefined

  constructor(
    private readonly writer: Pick<StoreWriter, 'write'>,
    private readonly gatherMs = GATHER_MS,
  ) {}

  /** Resolves when the rows are durable. A failed group fails all its batches, each of which may be written again. */
  write(batch: StoreBatch): Promise<void> {
    if (sizeOf(batch) === 0) return Promise.resolve()
    return new Promise((done, failed) => {
      this.queue.push({ batch, done, failed })
      if (this.isLarge) this.begin()
      else if (this.writing === 0) this.gathering ??= setTimeout(() => this.begin(), this.gatherMs)
    })
  }

  private get isLarge(): boolean {
    return this.queue.reduce((sum, { batch }) => sum + sizeOf(batch), 0) >= LARGE_ROWS
  }

  private begin(): void {
    clearTimeout(this.gathering)
    this.gathering = undefined
    if (this.queue.length === 0 || this.writing >= (this.isLarge ? MAX_INSERTS : 1)) return
    void this.run(this.queue.splice(0))
  }

  private async run(group: readonly QueuedBatch[]): Promise<void> {
    this.writing += 1
    try {
      await this.writer.write({
        reads: group.flatMap(({ batch }) => batch.reads),
        hits: group.flatMap(({ batch }) => batch.hits),
        ledger: group.flatMap(({ batch }) => batch.ledger),
      })
      for (const { done } of group) done()
    } catch (error) {
      for (const { failed } of group) failed(error)
    }
    this.writing -= 1
    this.begin()
  }
}

const sizeOf = ({ reads, hits, ledger }: StoreBatch): number => reads.length + hits.length + ledger.length
