import type { KV } from 'nats'
import { codeOf } from '../errors.js'
import type { Source } from '../sources/source.js'
import type { Metrics } from '../runtime/metrics.js'
import { natsReason } from '../nats/errors.js'
import { partitionKey } from '../nats/topology.js'
import { backoffMs, sleep, within } from '../runtime/backoff.js'
import type { Pipeline } from './pipeline.js'
import { Lease } from '../coordination/lease.js'
import type { Members } from '../coordination/members.js'
import { renewUntil } from '../coordination/with_lease.js'

export interface PartitionManagerParts {
  leases: KV
  members: Pick<Members, 'share'>
  instance: string
  partitions: number
  metrics: Metrics
  log: { info(fields: object, text: string): void; warn(fields: object, text: string): void }
  /** Takes a partition over from its previous owner. */
  open(source: Source, partition: number): Promise<Pipeline>
}

/** A pipeline that ran this long was healthy: the pause after its failure is the shortest one again, ms. */
const kHealthyMs = 60_000
/**
 * Longest wait for the last checkpoint, ms: when servers die while it is read, the client may wait forever. A pipeline
 * that opens later is fenced off.
 */
const kOpenMs = 20_000

/**
 * Holds this engine's share of the partitions of one entrance, each with a pipeline that runs while its lease is held.
 * When another engine joins, the surplus is given back one partition at a time, each after a last checkpoint; when one
 * leaves, its partitions are taken over as their leases expire.
 */
export class PartitionManager {
  /** Of the held partitions, once they are open. */
  readonly pipelines = new Map<number, Pipeline>()
  /** The held partitions. `giveBack` ends a tenure, `ended` resolves after its last checkpoint. */
  private readonly tenures = new Map<number, { giveBack: AbortController; ended: Promise<void> }>()
  /** Failed tenures in a row by partition, and when the next may begin (monotonic clock, ms). */
  private readonly failures = new Map<number, { times: number; until: number }>()

  constructor(
    readonly source: Source,
    private readonly parts: PartitionManagerParts,
  ) {}

  /** Resolves when `ending` has aborted and everything is given back. */
  async run(ending: AbortSignal): Promise<void> {
    while (!ending.aborted) {
      if (this.tenures.size > this.share) this.giveOneBack()
      else await this.takeOver(ending)
      await sleep(Lease.POLL_MS, ending)
    }
    await Promise.all([...this.tenures.values()].map(({ ended }) => ended))
  }

  private get share(): number {
    return this.parts.members.share(this.parts.partitions)
  }

  private giveOneBack(): void {
    // One at a time: while a partition is being given back it still counts as held.
    if ([...this.tenures.values()].some(({ giveBack }) => giveBack.signal.aborted)) return
    this.tenures.get(Math.max(...this.tenures.keys()))?.giveBack.abort()
  }

  private async takeOver(ending: AbortSignal): Promise<void> {
    const { leases, instance, partitions } = this.parts
    for (let partition = 0; partition < partitions && this.tenures.size < this.share && !ending.aborted; partition++) {
      if (this.tenures.has(partition) || (this.failures.get(partition)?.until ?? 0) > performance.now()) continue
      const lease = new Lease(leases, partitionKey(this.source.entrance, partition), instance)
      if (!(await lease.acquire().catch(() => false))) continue
      const giveBack = new AbortController()
      const ended = this.hold(partition, lease, AbortSignal.any([ending, giveBack.signal])).finally(() =>
        this.tenures.delete(partition),
      )
      this.tenures.set(partition, { giveBack, ended })
    }
  }

  /** Runs one tenure. `end` makes it take a last checkpoint and give the partition back. */
  private async hold(partition: number, lease: Lease, end: AbortSignal): Promise<void> {
    const { parts, source } = this
    const lost = new AbortController()
    // The lease is kept until the last checkpoint is done.
    const renewing = renewUntil(lease, lost)
    const started = performance.now()
    try {
      const pipeline = await within(kOpenMs, parts.open(source, partition))
      this.pipelines.set(partition, pipeline)
      await pipeline.run(AbortSignal.any([end, lost.signal]))
      this.failures.delete(partition)
    } catch (error) {
      parts.metrics.count('pipeline_restarts_total')
      parts.log.warn(
        { partition: partitionKey(source.entrance, partition), code: codeOf(error), reason: natsReason(error) },
        'the pipeline of a partition stopped; nothing is lost, it resumes from its last checkpoint. ' +
          'If this keeps happening, /readyz says what is missing',
      )
      const times = performance.now() - started > kHealthyMs ? 0 : (this.failures.get(partition)?.times ?? -1) + 1
      this.failures.set(partition, { times, until: performance.now() + backoffMs(times) })
    } finally {
      this.pipelines.delete(partition)
      lost.abort()
      await renewing
      if (end.aborted) await lease.release()
    }
  }
}
