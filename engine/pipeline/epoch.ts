import type { Hit } from '../model/hit.js'
import type { Read } from '../model/read.js'

/**
 * The effects of the messages between two checkpoints. Work still in progress (pictures, publishing) ends before the
 * epoch is written; later messages are processed in the meantime.
 */
export class Epoch {
  /** By read id: only the latest version of a read counts. */
  readonly reads = new Map<string, Read>()
  readonly hits: Hit[] = []
  /** Places in the partition's log of the decided hits among them. */
  readonly decided: number[] = []
  readonly cameras = new Set<string>()
  private readonly work: Promise<unknown>[] = []
  private failure: unknown
  private unfinished = 0

  /** An epoch with failed work is never written: its messages come again. */
  add(work: Promise<unknown>): void {
    this.unfinished += 1
    this.work.push(
      work
        .catch((error: unknown) => {
          this.failure ??= error ?? new Error('failed')
        })
        .finally(() => {
          this.unfinished -= 1
        }),
    )
  }

  /** Pieces of work that have not ended. */
  get pendingWork(): number {
    return this.unfinished
  }

  /** Resolves when all work has ended. @throws the first failure */
  async settled(): Promise<void> {
    // Work may add work (a hit after its pictures): repeat until none was added.
    for (let awaited = -1; awaited !== this.work.length; ) {
      awaited = this.work.length
      await Promise.all(this.work)
    }
    if (this.failure !== undefined) throw this.failure
  }
}
