import type { KV, NatsConnection } from 'nats'
import { watchKeys, type WatchLog } from '../nats/kv_watch.js'
import { sleep } from '../runtime/backoff.js'
import { Lease } from './lease.js'

/** What stands before an engine's name in bucket LEASES. */
const kPrefix = 'engine.'

/**
 * Who else is there: every engine renews a key of its own in bucket LEASES, and watches those of the others. From that
 * each works out by itself how many partitions are its share; nobody is in charge.
 *
 *     engine.a  engine.b  engine.c          8 partitions: a and b take 3, c takes 2
 *
 * Two engines may see different members for a moment; then one has a partition more or less than its share for a
 * moment. Only the lease decides who works on a partition.
 */
export class Members {
  /** When each engine was heard of last, by the monotonic clock of this process, ms. */
  private readonly heard = new Map<string, number>()
  private stopFollowing: (() => void) | undefined
  /** Revision of this engine's first announcement: of two under one name, the one that came first has the lower. */
  private birth = Infinity
  /** Called when another engine goes by this one's name and came first. */
  onTwin: () => void = () => {}

  /** @param session tells this process from every other */
  constructor(
    private readonly kv: KV,
    private readonly instance: string,
    private readonly now: () => number = () => performance.now(),
    private readonly session = '',
  ) {
    this.heard.set(nameOf(instance), Infinity)
  }

  /** Reads who is there, and goes on listening. @throws when NATS does not answer */
  async follow(connection: NatsConnection, log?: WatchLog): Promise<void> {
    await this.announce()
    const { stop } = await watchKeys(connection, this.kv, {
      put: (key, entry) => this.hear(key, entry.string()),
      remove: (key) => this.forget(key),
      log,
    })
    this.stopFollowing = stop
  }

  /** Announces this engine until `signal` aborts, then says good-bye, so that the others need not wait. */
  async stay(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(Lease.RENEW_MS, signal)
      if (!signal.aborted) await this.announce().catch(() => {})
    }
    await this.kv.delete(keyOf(this.instance)).catch(() => {})
    this.stopFollowing?.()
  }

  hear(key: string, value = ''): void {
    if (key === keyOf(this.instance) && isElder(value, this.session, this.birth)) this.onTwin()
    if (key.startsWith(kPrefix) && key !== keyOf(this.instance)) this.heard.set(key.slice(kPrefix.length), this.now())
  }

  forget(key: string): void {
    if (key !== keyOf(this.instance)) this.heard.delete(key.slice(kPrefix.length))
  }

  /** Engines that are there now, this one included, in the order of their names. */
  get names(): string[] {
    for (const [name, at] of this.heard) if (this.now() - at > Lease.EXPIRES_MS) this.heard.delete(name)
    return [...this.heard.keys()].sort()
  }

  /** How many of `partitions` are this engine's share; the shares of all engines add up to `partitions`. */
  share(partitions: number): number {
    const names = this.names
    const rank = names.indexOf(nameOf(this.instance))
    return Math.floor(partitions / names.length) + (rank < partitions % names.length ? 1 : 0)
  }

  private async announce(): Promise<void> {
    const revision = await this.kv.put(keyOf(this.instance), `${this.session} ${this.birth}`)
    this.birth = Math.min(this.birth, revision)
  }
}

/**
 * Whether an announcement under one's own name is of another process that came first. One that has just come does not
 * know its birth yet: its next one does.
 */
function isElder(value: string, session: string, birth: number): boolean {
  const [theirs, born] = value.split(' ')
  return theirs !== undefined && theirs !== '' && theirs !== session && Number(born) < birth
}

/** A dot at an end is no key. */
const nameOf = (instance: string): string => instance.replaceAll('.', '-')
const keyOf = (instance: string): string => `${kPrefix}${nameOf(instance)}`
