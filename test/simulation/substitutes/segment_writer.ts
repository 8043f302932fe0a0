import type { CropRef } from '../../../engine/model/read.js'
import type { Process } from '../clock.js'
import { world } from '../current.js'

/** The disk with the pictures of one engine, simulated. */
export class SegmentWriter {
  private constructor(
    private readonly owner: Process,
    private readonly segment: string,
  ) {}

  static open(_folder: string, instance: string): Promise<SegmentWriter> {
    const owner = world().clock.current!
    return Promise.resolve(new SegmentWriter(owner, `${instance}-${owner.name}`))
  }

  async append(ts: number, jpeg: Uint8Array): Promise<CropRef> {
    return (await this.appendAll(ts, [jpeg]))[0]!
  }

  /** @throws when the disk is full */
  appendAll(_ts: number, jpegs: readonly Uint8Array[]): Promise<CropRef[]> {
    return world().disks.append(this.owner, this.segment, jpegs)
  }

  /** Resolves when everything appended so far survives a crash of the machine. */
  sync(): Promise<void> {
    return world().disks.sync(this.owner)
  }

  close(): Promise<void> {
    return this.sync()
  }
}
