import { randomBytes } from 'node:crypto'
import type { JetStreamManager, KV, NatsConnection } from 'nats'
import { Lease } from '../coordination/lease.js'
import { withLease } from '../coordination/with_lease.js'
import { probeMapping } from '../nats/mapping_probe.js'
import { compareAndSet, readPartitioning, type Partitioning } from '../nats/partitioning.js'
import { watchKeys, type WatchLog, type WatchOptions } from '../nats/kv_watch.js'
import { closeStream, findStream } from '../nats/setup.js'
import {
  EARLIER_RELEASE,
  ENTRANCES,
  PARTITIONING_KEY,
  PARTITIONING_LEASE,
  partitionsOf,
  stateStreamOf,
  streamOf,
  type Partition,
} from '../nats/topology.js'
import { CheckpointLog } from '../partition/checkpoint_log.js'
import { dropEarlierCheckpoints } from '../partition/earlier_release.js'
import { natsLogReason } from '../nats/errors.js'
import { sleep } from '../runtime/backoff.js'

const kEveryMs = 1_000
/** The mapping of the server is checked this often, ms. */
const kProbeEveryMs = 10_000

/** What a change needs. */
export interface ChangeParts {
  connection: NatsConnection
  manager: JetStreamManager
  bucket: KV
  leases: KV
  session: string
  /** Shown in the engine's status, by name, while it lasts. */
  reasons: Record<string, string>
  log: WatchLog & { info(fields: object, text: string): void }
}

/**
 * Follows the number of partitions, takes the steps of a change when they are due, as one engine at a time, and checks
 * that the server maps publishers to the streams that exist.
 */
export class PartitioningChange {
  private probedAt = -Infinity
  private stopWatching: () => void = () => {}
  private readonly lease: Lease

  /** @param current as `setupNats` returned it */
  constructor(
    private readonly parts: ChangeParts,
    public current: Partitioning,
  ) {
    this.lease = new Lease(parts.leases, PARTITIONING_LEASE, parts.session)
  }

  /** Runs until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { parts } = this
    await this.watch(signal)
    while (!signal.aborted) {
      await sleep(kEveryMs, signal)
      if (signal.aborted) break
      try {
        if (performance.now() - this.probedAt > kProbeEveryMs) await this.checkMapping()
        if (this.current.from !== undefined) await this.advance(signal)
        else delete parts.reasons.partitioning
      } catch (error) {
        parts.reasons.partitioning = natsLogReason(error)
      }
    }
    this.stopWatching()
  }

  /** Retries until it can follow the number. */
  private async watch(signal: AbortSignal): Promise<void> {
    const { connection, bucket, log, reasons } = this.parts
    const options: WatchOptions = {
      put: (key, entry) => {
        if (key === PARTITIONING_KEY) this.current = entry.json<Partitioning>()
      },
      remove: () => {},
      log,
    }
    while (!signal.aborted)
      try {
        this.stopWatching = (await watchKeys(connection, bucket, options)).stop
        return
      } catch (error) {
        reasons.partitioning = natsLogReason(error)
        await sleep(kEveryMs, signal)
      }
  }

  /** Says in the status when publishers are mapped to subjects that no stream takes: they are refused. */
  async checkMapping(): Promise<boolean> {
    const { connection, reasons } = this.parts
    const problems = await probeMapping(connection, this.current.partitions, randomBytes(6).toString('hex'))
    this.probedAt = problems.length > 0 ? -Infinity : performance.now()
    if (problems.length === 0) delete reasons.mapping
    else
      reasons.mapping =
        `NATS does not map publishers to ${this.current.partitions} partitions: ${problems.join('; ')}. ` +
        'Publishers are refused until it does: see "NATS of your own" in docs/operation.md'
    return problems.length === 0
  }

  private async advance(signal: AbortSignal): Promise<void> {
    const over = AbortSignal.any([signal, AbortSignal.timeout(kEveryMs)])
    await withLease(this.lease, () => this.step(), over).catch((error: unknown) => {
      // Another engine takes the steps.
      if (!over.aborted) throw error
    })
  }

  /** Takes the next step of the change, if it is due. */
  private async step(): Promise<void> {
    const { bucket, reasons, log, manager } = this.parts
    const found = await readPartitioning(bucket)
    if (!found) return
    const { partitions, from, drained } = found.partitioning
    this.current = found.partitioning
    if (from === undefined) return
    const waits = drained ? await this.notBegun(partitions) : await this.notDrained(from)
    if (waits) {
      reasons.partitioning = `changing to ${partitions} partitions: ${waits}`
      return
    }
    if (drained) await this.deleteStreams(from)
    const next: Partitioning = drained ? { partitions } : { partitions, from, drained: true }
    if (!(await compareAndSet(bucket, next, found.revision))) return
    this.current = next
    log.info({ partitions, from }, drained ? 'the number of partitions has changed' : 'the earlier streams are empty')
    if (drained && from === EARLIER_RELEASE) await dropEarlierCheckpoints(manager, bucket)
  }

  /** Why the streams of the previous number are not worked off yet. */
  private async notDrained(from: number): Promise<string | undefined> {
    const { manager } = this.parts
    if (from !== EARLIER_RELEASE && !(await this.checkMapping())) return 'the server still maps to the previous number'
    for (const partition of allPartitions(from)) {
      const stream = streamOf(partition)
      if (!(await findStream(manager, stream))) continue
      await closeStream(manager, stream)
      const { state } = await manager.streams.info(stream)
      const { committed = 0, behind = [] } = (await CheckpointLog.positionOf(manager, partition)) ?? {}
      if (committed < state.last_seq)
        return `stream ${stream} still has ${state.last_seq - committed} messages to be processed`
      if (behind.length > 0) return `${behind.map(({ camera }) => camera).join(', ')} are behind on stream ${stream}`
    }
    return undefined
  }

  /** Why the partitions of the new number do not own their states yet. */
  private async notBegun(partitions: number): Promise<string | undefined> {
    for (const partition of allPartitions(partitions))
      if (!(await CheckpointLog.positionOf(this.parts.manager, partition)))
        return `${streamOf(partition)} has not begun yet`
    return undefined
  }

  private async deleteStreams(from: number): Promise<void> {
    for (const partition of allPartitions(from))
      for (const name of [streamOf(partition), stateStreamOf(partition)])
        if (await findStream(this.parts.manager, name)) await this.parts.manager.streams.delete(name)
  }
}

const allPartitions = (count: number): Partition[] => ENTRANCES.flatMap((entrance) => partitionsOf(entrance, count))
