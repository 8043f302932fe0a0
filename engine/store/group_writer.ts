import type { Batch, StoreWriter } from './writer.js'

interface Waiting {
  batch: Batch
  done: () => void
  failed: (error: unknown) => void
}

/**
 * One writer for all partitions of an engine: batches that arrive while an insert runs are written together in the next one. ClickHouse is paid
 * per insert much more than per row, so four partitions cost about as much as one.
 */
export class GroupWriter {
  private waiting: Waiting[] = []
  private writing = false

  constructor(private readonly writer: Pick<StoreWriter, 'write'>) {}

  /** Resolves when the rows are durable; a group that fails fails all its batches, each of which may be sent again. */
  write(batch: Batch): Promise<void> {
    if (batch.reads.length + batch.hits.length + batch.ledger.length === 0) return Promise.resolve()
    return new Promise((done, failed) => {
      this.waiting.push({ batch, done, failed })
      if (!this.writing) void this.run()
    })
  }

  private async run(): Promise<void> {
    this.writing = true
    while (this.waiting.length > 0) {
      const group = this.waiting.splice(0)
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
    }
    this.writing = false
  }
}
