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
  /** Takes a partition over from whoever had it. */
  open(inlet: Source, partition: number): Promise<Pipeline>
}

/** A pipeline that ran this long was well: the next pause is the first one again, ms. */
const kWellMs = 60_000
/**
 * Longer than this the last checkpoint is not waited for, ms: where servers die while it is read, the client may wait
 * for ever. What comes late is fenced off.
 */
const kOpenMs = 20_000

/**
 * Holds this engine's share of the partitions of one entrance, each with a pipeline that runs while its lease is held.
 * More than the share (another engine has come) is given back one at a time, each after a last checkpoint; less (one
 * has gone) is taken as leases expire.
 */
export class PartitionManager {
  /** Of the partitions held, as far as they are open. */
  readonly pipelines = new Map<number, Pipeline>()
  /** Partitions held, and how to end each. */
  private readonly tenures = new Map<number, { given: AbortController; over: Promise<void> }>()
  /** Tenures of a partition that failed, one after the other, and when the next may begin (monotonic clock, ms). */
  private readonly failures = new Map<number, { times: number; until: number }>()

  constructor(
    readonly inlet: Source,
    private readonly parts: PartitionManagerParts,
  ) {}

  /** Resolves when `ending` has aborted and everything is given back. */
  async run(ending: AbortSignal): Promise<void> {
    while (!ending.aborted) {
      if (this.tenures.size > this.share) this.giveOneBack()
      else await this.take(ending)
      await sleep(Lease.LOOK_MS, ending)
    }
    await Promise.all([...this.tenures.values()].map(({ over }) => over))
  }

  private get share(): number {
    return this.parts.members.share(this.parts.partitions)
  }

  private giveOneBack(): void {
    // One that is being given back is not counted twice: the next look waits for it.
    if ([...this.tenures.values()].some(({ given }) => given.signal.aborted)) return
    this.tenures.get(Math.max(...this.tenures.keys()))?.given.abort()
  }

  private async take(ending: AbortSignal): Promise<void> {
    const { leases, instance, partitions } = this.parts
    for (let partition = 0; partition < partitions && this.tenures.size < this.share && !ending.aborted; partition++) {
      if (this.tenures.has(partition) || (this.failures.get(partition)?.until ?? 0) > performance.now()) continue
      const lease = new Lease(leases, partitionKey(this.inlet.entrance, partition), instance)
      if (!(await lease.acquire().catch(() => false))) continue
      const given = new AbortController()
      const over = this.hold(partition, lease, AbortSignal.any([ending, given.signal])).finally(() =>
        this.tenures.delete(partition),
      )
      this.tenures.set(partition, { given, over })
    }
  }

  /** One tenure; `end` asks for its last checkpoint and gives the partition back. */
  private async hold(partition: number, lease: Lease, end: AbortSignal): Promise<void> {
    const { parts, inlet } = this
    const lost = new AbortController()
    // Until the tenure is over, its last checkpoint included.
    const renewing = renewUntil(lease, lost)
    const started = performance.now()
    try {
      const pipeline = await within(kOpenMs, parts.open(inlet, partition))
      this.pipelines.set(partition, pipeline)
      await pipeline.run(AbortSignal.any([end, lost.signal]))
      this.failures.delete(partition)
    } catch (error) {
      parts.metrics.count('pipeline_restarts_total')
      parts.log.warn(
        { partition: partitionKey(inlet.entrance, partition), code: codeOf(error), reason: natsReason(error) },
        'the pipeline of a partition stopped; nothing is lost, it goes on from its last checkpoint. If this comes again and again, /readyz says what is missing',
      )
      const times = performance.now() - started > kWellMs ? 0 : (this.failures.get(partition)?.times ?? -1) + 1
      this.failures.set(partition, { times, until: performance.now() + backoffMs(times) })
    } finally {
      this.pipelines.delete(partition)
      lost.abort()
      await renewing
      if (end.aborted) await lease.release()
    }
  }
}
