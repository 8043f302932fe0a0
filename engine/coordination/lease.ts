import type { KV } from 'nats'
import { isWrongLastSequence } from '../nats/errors.js'
import { LEASE_MS } from '../nats/setup.js'

/**
 * One engine at a time for a partition of an entrance: a key that expires 6 s after its last renewal (bucket LEASES).
 * The name of the engine is its value, so an engine that restarts under the same name takes its partition back at once.
 * A lease only keeps engines from doing the same work; what keeps a paused former owner from harm is the
 * compare-and-set of the checkpoint.
 */
export class Lease {
  private revision = 0
  /**
   * When the last renewal was sent, milliseconds of the monotonic clock: the holder gives up before the server does.
   */
  private renewedAt = -Infinity

  constructor(
    private readonly kv: KV,
    private readonly key: string,
    private readonly holder: string,
  ) {}

  /** True when this engine holds the partition now. */
  async acquire(): Promise<boolean> {
    const { key } = this
    const now = performance.now()
    const entry = await this.kv.get(key)
    const value = new TextEncoder().encode(this.holder)
    try {
      const held = entry && entry.operation === 'PUT'
      if (held && entry.string() !== this.holder) return false
      this.revision = held ? await this.kv.update(key, value, entry.revision) : await this.kv.create(key, value)
      this.renewedAt = now
      return true
    } catch (error) {
      if (isWrongLastSequence(error)) return false
      throw error
    }
  }

  /**
   * True while it is held; false when another engine has it. A lease that could not be renewed in 4.5 s counts as lost.
   */
  async renew(): Promise<boolean> {
    const now = performance.now()
    try {
      this.revision = await this.kv.update(this.key, new TextEncoder().encode(this.holder), this.revision)
      this.renewedAt = now
      return true
    } catch (error) {
      if (isWrongLastSequence(error)) return this.acquire()
      return now - this.renewedAt < Lease.GIVE_UP_MS
    }
  }

  async release(): Promise<void> {
    await this.kv.delete(this.key, { previousSeq: this.revision }).catch(() => {})
  }

  /**
   * Without a renewal for this long a lease is over, and so is the engine: its cameras are taken over within 10 s of
   * its death.
   */
  static readonly EXPIRES_MS = LEASE_MS
  static readonly RENEW_MS = 1_500
  static readonly GIVE_UP_MS = 4_500
  /** How often a partition that is somebody else's is looked at. */
  static readonly LOOK_MS = 500
}
