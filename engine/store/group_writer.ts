import type { Batch, StoreWriter } from './writer.js'

interface Waiting {
  batch: Batch
  done: () => void
  failed: (error: unknown) => void
}

/**
 * Rows from which on a group does not wait for the one before it: an insert keeps one core of the store busy, and the
 * engine goes on meanwhile.
 */
const LARGE = 10_000
/** Groups that are written at once. */
const LANES = 2
/**
 * Checkpoints of all partitions begin at the same moment and are done with their pictures within about this,
 * milliseconds: the first one waits so long for the others.
 */
const GATHER_MS = 50

/**
 * One writer for all partitions of an engine: batches that arrive while an insert runs are written together in the next
 * one. ClickHouse is paid per insert much more than per row, so four partitions cost about as much as one. Only when
 * there is much to write two inserts run at a time; a partition has one batch under way, so that versions of a read
 * never overtake each other.
 */
export class GroupWriter {
  private waiting: Waiting[] = []
  private writing = 0
  private gathering: NodeJS.Timeout | undefined

  constructor(
    private readonly writer: Pick<StoreWriter, 'write'>,
    private readonly gatherMs = GATHER_MS,
  ) {}

  /** Resolves when the rows are durable; a group that fails fails all its batches, each of which may be sent again. */
  write(batch: Batch): Promise<void> {
    if (sizeOf(batch) === 0) return Promise.resolve()
    return new Promise((done, failed) => {
      this.waiting.push({ batch, done, failed })
      if (this.isLarge) this.begin()
      else if (this.writing === 0) this.gathering ??= setTimeout(() => this.begin(), this.gatherMs)
    })
  }

  private get isLarge(): boolean {
    return this.waiting.reduce((sum, { batch }) => sum + sizeOf(batch), 0) >= LARGE
  }

  private begin(): void {
    clearTimeout(this.gathering)
    this.gathering = undefined
    if (this.waiting.length === 0 || this.writing >= (this.isLarge ? LANES : 1)) return
    void this.run(this.waiting.splice(0))
  }

  private async run(group: readonly Waiting[]): Promise<void> {
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

const sizeOf = ({ reads, hits, ledger }: Batch): number => reads.length + hits.length + ledger.length
