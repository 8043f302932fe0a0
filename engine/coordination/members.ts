import type { KV, NatsConnection } from 'nats'
import { watchKeys, type WatchLog } from '../nats/kv_watch.js'
import { sleep } from '../runtime/backoff.js'
import { Lease } from './lease.js'

/** What shares work: its name is the prefix of its members' keys in bucket LEASES. */
export type MemberKind = 'engine' | 'ingest'

/**
 * The engines (or ingest processes) that are alive: each renews its own key in bucket LEASES and watches the keys of
 * the others. From those each engine computes how many partitions are its share; none is in charge.
 *
 *     engine.a  engine.b  engine.c          8 partitions: a and b take 3, c takes 2
 *
 * Two engines may see different members for a moment; one then holds a partition more or less than its share for that
 * long. Only the lease decides which engine works on a partition.
 */
export class Members {
  /** When each engine last announced itself, by the monotonic clock of this process, ms. */
  private readonly lastHeard = new Map<string, number>()
  private stopWatching: (() => void) | undefined
  /** Revision of this engine's first announcement: of two engines with one name, the earlier has the lower one. */
  private firstRevision = Infinity
  /** Called when another engine has the same name and came first. */
  onDuplicate: () => void = () => {}

  /** @param session distinguishes this process from every other */
  constructor(
    private readonly kv: KV,
    private readonly instance: string,
    private readonly now: () => number = () => performance.now(),
    private readonly session = '',
    private readonly kind: MemberKind = 'engine',
  ) {
    this.lastHeard.set(nameOf(instance), Infinity)
  }

  /** Reads the current members and keeps watching. @throws when NATS does not answer */
  async follow(connection: NatsConnection, log?: WatchLog): Promise<void> {
    await this.announce()
    const { stop } = await watchKeys(connection, this.kv, {
      put: (key, entry) => this.heardFrom(key, entry.string()),
      remove: (key) => this.forget(key),
      log,
    })
    this.stopWatching = stop
  }

  /** Announces this engine until `signal` aborts, then deletes its key, so that the others need not wait. */
  async stay(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(Lease.RENEW_MS, signal)
      if (!signal.aborted) await this.announce().catch(() => {})
    }
    await this.kv.delete(this.key).catch(() => {})
    this.stopWatching?.()
  }

  heardFrom(key: string, value = ''): void {
    if (key === this.key && isEarlier(value, this.session, this.firstRevision)) this.onDuplicate()
    if (key.startsWith(`${this.kind}.`) && key !== this.key) this.lastHeard.set(this.nameIn(key), this.now())
  }

  forget(key: string): void {
    if (key.startsWith(`${this.kind}.`) && key !== this.key) this.lastHeard.delete(this.nameIn(key))
  }

  /** Engines that are alive, this one included, in the order of their names. */
  get names(): string[] {
    for (const [name, at] of this.lastHeard) if (this.now() - at > Lease.EXPIRES_MS) this.lastHeard.delete(name)
    return [...this.lastHeard.keys()].sort()
  }

  /**
   * How many of `partitions` are this engine's share; the shares of all engines add up to `partitions`.
   * @param first partitions of other entrances, which are shared out before: who got the last of those comes last here
   */
  share(partitions: number, first = 0): number {
    const names = this.names
    const rank = (names.indexOf(nameOf(this.instance)) + names.length - (first % names.length)) % names.length
    return Math.floor(partitions / names.length) + (rank < partitions % names.length ? 1 : 0)
  }

  private get key(): string {
    return `${this.kind}.${nameOf(this.instance)}`
  }

  private nameIn(key: string): string {
    return key.slice(this.kind.length + 1)
  }

  private async announce(): Promise<void> {
    const revision = await this.kv.put(this.key, `${this.session} ${this.firstRevision}`)
    this.firstRevision = Math.min(this.firstRevision, revision)
  }
}

/**
 * Whether an announcement with this engine's own name is from another process that came first. A first announcement
 * does not contain its own revision yet; the second does.
 */
function isEarlier(value: string, session: string, firstRevision: number): boolean {
  const [other, revision] = value.split(' ')
  return other !== undefined && other !== '' && other !== session && Number(revision) < firstRevision
}

/** Keys must not end with a dot. */
const nameOf = (instance: string): string => instance.replaceAll('.', '-')
