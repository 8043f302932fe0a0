import type { KV } from 'nats'
import { isWrongLastSequence } from '../nats/errors.js'
import { LEASE_MS } from '../nats/setup.js'

/**
 * Lets one engine at a time own a partition of an entrance: a key that expires 6 s after its last renewal (bucket
 * LEASES). Its value is the name of the engine, so an engine that restarts under the same name takes its partition back
 * at once. A lease only keeps engines from doing the same work; the compare-and-set of the checkpoint is what fences
 * off a paused previous owner.
 *
 * The server expires it by its own clock, which may have been ahead when it was written. So a lease that another engine
 * sees unchanged for as long is over too.
 */
export class Lease {
  private revision = 0
  /** When the last renewal was sent, ms of the monotonic clock: the holder gives up before the server does. */
  private renewedAt = -Infinity
  /** Another holder's lease: its revision when it was last looked at, and since when it is unchanged, monotonic. */
  private other: { revision: number; since: number } | undefined

  constructor(
    private readonly kv: KV,
    private readonly key: string,
    private readonly holder: string,
  ) {}

  /** @returns whether this engine holds the lease now */
  async acquire(): Promise<boolean> {
    const { key } = this
    const now = performance.now()
    const entry = await this.kv.get(key)
    const value = new TextEncoder().encode(this.holder)
    try {
      const held = entry && entry.operation === 'PUT'
      if (held && entry.string() !== this.holder && !this.isOver(entry.revision, now)) return false
      this.revision = held ? await this.kv.update(key, value, entry.revision) : await this.kv.create(key, value)
      this.renewedAt = now
      this.other = undefined
      return true
    } catch (error) {
      if (isWrongLastSequence(error)) return false
      throw error
    }
  }

  /** Whether another holder's lease was not renewed for as long as it lasts. @param now monotonic, ms */
  private isOver(revision: number, now: number): boolean {
    if (this.other?.revision !== revision) this.other = { revision, since: now }
    return now - this.other.since > Lease.EXPIRES_MS
  }

  /** @returns whether it is still held. A lease that could not be renewed for 4.5 s counts as lost. */
  async renew(): Promise<boolean> {
    const now = performance.now()
    try {
      this.revision = await this.kv.update(this.key, new TextEncoder().encode(this.holder), this.revision)
      this.renewedAt = now
      return true
    } catch (error) {
      const isHeld = () => now - this.renewedAt < Lease.GIVE_UP_MS
      return isWrongLastSequence(error) ? this.acquire().catch(isHeld) : isHeld()
    }
  }

  async release(): Promise<void> {
    await this.kv.delete(this.key, { previousSeq: this.revision }).catch(() => {})
  }

  /** A lease expires this long after its last renewal: the cameras of a dead engine are taken over within 10 s. */
  static readonly EXPIRES_MS = LEASE_MS
  static readonly RENEW_MS = 1_500
  static readonly GIVE_UP_MS = 4_500
  /** How often to try for a lease that another engine holds. */
  static readonly POLL_MS = 500
}
