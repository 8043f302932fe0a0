import type { Hit } from '../../engine/model/hit.js'
import type { LedgerRow } from '../../engine/model/ledger.js'
import type { StoreBatch } from '../../engine/store/writer.js'
import type { StoredRead } from '../../engine/store/tables.js'
import type { Process, VirtualClock } from './clock.js'
import type { Random } from './random.js'
import type { Trace } from './trace.js'

export interface StoreConditions {
  delayMs: number
  /** Share of the inserts that fail before, during or after they are carried out. */
  failures: number
}

/**
 * ClickHouse, simulated: each table keeps the highest version of a row. An insert may be carried out for one table and
 * not for another, and its answer may be lost or come late.
 */
export class SimulatedStore {
  isUp = true
  readonly reads = new Map<string, StoredRead>()
  /** By `<hit id> <revision>`. */
  readonly hits = new Map<string, Hit>()
  /** By camera, hour and part. */
  readonly ledger = new Map<string, LedgerRow>()

  /** @param onReads sees the rows of each insert that is carried out */
  constructor(
    private readonly clock: VirtualClock,
    private readonly random: Random,
    private readonly trace: Trace,
    readonly conditions: StoreConditions,
    private readonly onReads: (reads: readonly StoredRead[]) => void,
  ) {}

  /** Resolves after the store answered, or did not in time. @returns whether it did */
  ping(owner: Process): Promise<boolean> {
    return this.call(owner, 50, () => this.isUp)
  }

  /** @throws when the store does not answer */
  async write(owner: Process, batch: StoreBatch): Promise<void> {
    await Promise.all([
      this.insert(owner, 'reads', batch.reads.length, () => this.addReads(batch.reads)),
      this.insert(owner, 'hits', batch.hits.length, () => this.addHits(batch.hits)),
    ])
    await this.insert(owner, 'ledger', batch.ledger.length, () => this.addLedger(batch.ledger))
  }

  private async insert(owner: Process, table: string, rows: number, apply: () => void): Promise<void> {
    if (rows === 0) return
    const fault = this.random.chance(this.conditions.failures) ? this.random.pick(['before', 'after']) : 'none'
    const isDone = await this.call(owner, this.random.delay(this.conditions.delayMs), () => {
      if (!this.isUp || fault === 'before') return false
      apply()
      this.trace.note(
        'store',
        `${owner.name} inserts ${rows} rows into ${table}${fault === 'after' ? ', unheard' : ''}`,
      )
      return fault !== 'after'
    })
    if (!isDone) throw new Error(`Timeout error. (simulated insert into ${table})`)
  }

  private call<T>(owner: Process, delayMs: number, work: () => T): Promise<T> {
    return new Promise((resolve) => {
      this.clock.schedule(delayMs / 2, () => {
        const result = work()
        this.clock.schedule(delayMs / 2, () => resolve(result), owner)
      })
    })
  }

  private addReads(reads: readonly StoredRead[]): void {
    this.onReads(reads)
    for (const read of reads)
      if ((this.reads.get(read.readId)?.version ?? 0) <= read.version) this.reads.set(read.readId, read)
  }

  private addHits(hits: readonly Hit[]): void {
    for (const hit of hits) this.hits.set(`${hit.hitId} ${hit.revision}`, hit)
  }

  private addLedger(rows: readonly LedgerRow[]): void {
    for (const row of rows) {
      const key = `${row.camera} ${row.hour} ${row.part}`
      if ((this.ledger.get(key)?.version ?? -1) <= row.version) this.ledger.set(key, row)
    }
  }
}
