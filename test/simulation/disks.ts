import type { CropRef } from '../../engine/model/read.js'
import type { Process, VirtualClock } from './clock.js'
import type { Random } from './random.js'

export interface DiskConditions {
  delayMs: number
  isFull: boolean
}

/** The disks with the pictures: a record survives the crash of its machine only after a sync. */
export class SimulatedDisks {
  /** By `<segment>:<offset>`, the bytes of each record. */
  readonly synced = new Map<string, Buffer>()
  private readonly written = new Map<Process, Map<string, Buffer>>()
  private offset = 0

  constructor(
    private readonly clock: VirtualClock,
    private readonly random: Random,
    readonly conditions: DiskConditions,
  ) {}

  /** @throws when the disk is full */
  async append(owner: Process, segment: string, pictures: readonly Uint8Array[]): Promise<CropRef[]> {
    await this.wait(owner)
    if (this.conditions.isFull) throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' })
    const records = this.written.get(owner) ?? new Map<string, Buffer>()
    this.written.set(owner, records)
    return pictures.map((bytes) => {
      const ref = { segment, offset: this.offset, length: bytes.length }
      this.offset += bytes.length
      records.set(keyOf(ref), Buffer.from(bytes))
      return ref
    })
  }

  async sync(owner: Process): Promise<void> {
    const records = this.written.get(owner)
    if (!records?.size) return
    const now = [...records]
    await this.wait(owner)
    if (this.conditions.isFull) throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' })
    for (const [key, bytes] of now) {
      this.synced.set(key, bytes)
      records.delete(key)
    }
  }

  has(ref: CropRef): boolean {
    return this.synced.has(keyOf(ref))
  }

  private wait(owner: Process): Promise<void> {
    return new Promise((resolve) => {
      this.clock.schedule(this.random.delay(this.conditions.delayMs), resolve, owner)
    })
  }
}

const keyOf = ({ segment, offset }: CropRef): string => `${segment}:${offset}`
