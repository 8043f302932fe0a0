import type { Hit } from '../model/hit.js'
import type { Read } from '../model/read.js'

/**
 * What the frames between two checkpoints brought about. Work that is still going on (pictures, publishing) is waited
 * for before the epoch is written; the frames after it go on meanwhile.
 */
export class Epoch {
  /** By read id: the latest version of a read is the one that counts. */
  readonly reads = new Map<string, Read>()
  readonly hits: Hit[] = []
  readonly cameras = new Set<string>()
  private readonly work: Promise<unknown>[] = []
  private failure: unknown
  private unfinished = 0

  /** An epoch with failed work is never written: its frames come again. */
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

  get pendingWork(): number {
    return this.unfinished
  }

  /** @throws the first failure */
  async settled(): Promise<void> {
    // Work may add work (a hit after its pictures), so until nothing new has come.
    for (let seen = -1; seen !== this.work.length; ) {
      seen = this.work.length
      await Promise.all(this.work)
    }
    if (this.failure !== undefined) throw this.failure
  }
}
