import type { KV } from 'nats'
import { codeOf } from '../errors.js'
import type { Source } from '../sources/source.js'
import type { Metrics } from '../runtime/metrics.js'
import { natsLogReason } from '../nats/errors.js'
import { activeCount, type Partitioning } from '../nats/partitioning.js'
import { ENTRANCES, partitionName, partitionsOf, type Partition } from '../nats/topology.js'
import { backoffMs, sleep, within } from '../runtime/backoff.js'
import type { Pipeline } from './pipeline.js'
import { Lease } from '../coordination/lease.js'
import type { Members } from '../coordination/members.js'
import { renewUntil } from '../coordination/with_lease.js'

export interface PartitionManagerParts {
  leases: KV
  members: Pick<Members, 'share'>
  instance: string
  /** How many partitions there are now; it may change at any time. */
  partitioning: () => Partitioning
  metrics: Metrics
  log: { info(fields: object, text: string): void; warn(fields: object, text: string): void }
  /** Takes a partition over from its previous owner. */
  open(source: Source, partition: Partition): Promise<Pipeline>
}

/** A pipeline that ran this long was healthy: the pause after its failure is the shortest one again, ms. */
const kHealthyMs = 60_000
/**
 * Longest wait for the last checkpoint, ms: when servers die while it is read, the client may wait forever. A pipeline
 * that opens later is fenced off.
 */
const kOpenMs = 60_000

/**
 * Holds this engine's share of the partitions of one entrance, each with a pipeline that runs while its lease is held.
 * When another engine joins, the surplus is given back one partition at a time, each after a last checkpoint; when one
 * leaves, its partitions are taken over as their leases expire.
 */
export class PartitionManager {
  /** Of the held partitions, once they are open. */
  readonly pipelines = new Map<string, { partition: Partition; pipeline: Pipeline }>()
  /** The held partitions. `giveBack` ends a tenure, `ended` resolves after its last checkpoint. */
  private readonly tenures = new Map<
    string,
    { partition: Partition; giveBack: AbortController; ended: Promise<void> }
  >()
  /** A lease knows how long it has seen another engine's unchanged, so each is kept. By partition. */
  private readonly leases = new Map<string, Lease>()
  /** Failed tenures in a row by partition, and when the next may begin (monotonic clock, ms). */
  private readonly failures = new Map<string, { times: number; until: number; reason: string }>()

  constructor(
    readonly source: Source,
    private readonly parts: PartitionManagerParts,
  ) {}

  /** Resolves when `ending` has aborted and everything is given back. */
  async run(ending: AbortSignal): Promise<void> {
    while (!ending.aborted) {
      this.giveObsoleteBack()
      if (this.tenures.size > this.share) this.giveOneBack()
      else await this.takeOver(ending)
      await sleep(Lease.POLL_MS, ending)
    }
    await Promise.all([...this.tenures.values()].map(({ ended }) => ended))
  }

  /** Why partitions stopped, or did not open, when this engine had them last; another one may have them now. */
  get failing(): Record<string, string> {
    const failing = [...this.failures].filter(([name]) => !this.pipelines.has(name))
    return Object.fromEntries(failing.map(([name, { reason }]) => [name, reason]))
  }

  private get share(): number {
    const { active, source } = this
    return this.parts.members.share(active.length, ENTRANCES.indexOf(source.entrance) * active.length)
  }

  /** The partitions that are worked on now. */
  private get active(): Partition[] {
    return partitionsOf(this.source.entrance, activeCount(this.parts.partitioning()))
  }

  /** Another number of partitions is in force. */
  private giveObsoleteBack(): void {
    const count = activeCount(this.parts.partitioning())
    for (const { partition, giveBack } of this.tenures.values()) if (partition.count !== count) giveBack.abort()
  }

  private giveOneBack(): void {
    // One at a time: while a partition is being given back it still counts as held.
    if ([...this.tenures.values()].some(({ giveBack }) => giveBack.signal.aborted)) return
    const last = [...this.tenures.values()].reduce((a, b) => (b.partition.index > a.partition.index ? b : a))
    last.giveBack.abort()
  }

  private async takeOver(ending: AbortSignal): Promise<void> {
    for (const partition of this.active) {
      if (this.tenures.size >= this.share || ending.aborted) return
      const name = partitionName(partition)
      if (this.tenures.has(name) || (this.failures.get(name)?.until ?? 0) > performance.now()) continue
      const lease = this.leaseOf(name)
      if (!(await lease.acquire().catch(() => false))) continue
      const giveBack = new AbortController()
      const ended = this.hold(partition, lease, AbortSignal.any([ending, giveBack.signal])).finally(() =>
        this.tenures.delete(name),
      )
      this.tenures.set(name, { partition, giveBack, ended })
    }
  }

  private leaseOf(name: string): Lease {
    const { leases, instance } = this.parts
    const lease = this.leases.get(name) ?? new Lease(leases, name, instance)
    this.leases.set(name, lease)
    return lease
  }

  /** Runs one tenure. `end` makes it take a last checkpoint and give the partition back. */
  private async hold(partition: Partition, lease: Lease, end: AbortSignal): Promise<void> {
    const { parts, source } = this
    const name = partitionName(partition)
    const lost = new AbortController()
    // The lease is kept until the last checkpoint is done.
    const renewing = renewUntil(lease, lost)
    const started = performance.now()
    try {
      const pipeline = await within(kOpenMs, parts.open(source, partition))
      this.pipelines.set(name, { partition, pipeline })
      await pipeline.run(AbortSignal.any([end, lost.signal]))
      this.failures.delete(name)
    } catch (error) {
      parts.metrics.count('pipeline_restarts_total')
      parts.log.warn(
        { partition: name, code: codeOf(error), reason: natsLogReason(error) },
        'the pipeline of a partition stopped; nothing is lost, it resumes from its last checkpoint. ' +
          'If this keeps happening, /readyz says what is missing',
      )
      const times = performance.now() - started > kHealthyMs ? 0 : (this.failures.get(name)?.times ?? -1) + 1
      this.failures.set(name, { times, until: performance.now() + backoffMs(times), reason: natsLogReason(error) })
    } finally {
      this.pipelines.delete(name)
      lost.abort()
      await renewing
      if (end.aborted) await lease.release()
    }
  }
}
