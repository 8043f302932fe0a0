import type { NatsConnection } from 'nats'
import { AlprError } from '../errors.js'
import { beginChange, readPartitioning, type Partitioning } from '../nats/partitioning.js'
import { ensurePartitionStreams, type SetupOptions } from '../nats/setup.js'
import { BUCKET, ENTRANCES, partitionsOf, streamOf } from '../nats/topology.js'
import { sleep } from '../runtime/backoff.js'

/** How often the number is looked at, ms. */
const kEveryMs = 1_000

const bucketOf = (connection: NatsConnection) => connection.jetstream().views.kv(BUCKET.partitions, { bindOnly: true })

/** The number of partitions and, while it changes, how many messages of the previous one wait. */
export async function partitionsNow(connection: NatsConnection): Promise<Partitioning & { waiting?: number }> {
  const found = await readPartitioning(await bucketOf(connection))
  if (!found) throw new AlprError('ALPR_ERR_NOT_FOUND', { what: 'the number of partitions: no engine has started yet' })
  const { partitioning } = found
  if (partitioning.from === undefined) return partitioning
  const manager = await connection.jetstreamManager()
  let waiting = 0
  for (const entrance of ENTRANCES)
    for (const partition of partitionsOf(entrance, partitioning.from))
      waiting += (await manager.streams.info(streamOf(partition)).catch(() => undefined))?.state.messages ?? 0
  return { ...partitioning, waiting }
}

/**
 * Begins to change the number of partitions of a running system: creates the streams of the new number, then names it.
 * Engines do the rest once the server maps to it (pipeline/partitioning_change.ts).
 * @throws ALPR_ERR_PARTITIONS_CHANGING while the previous change is under way
 */
export async function changePartitions(
  connection: NatsConnection,
  partitions: number,
  options: SetupOptions,
): Promise<Partitioning> {
  const before = await partitionsNow(connection)
  if (before.from !== undefined)
    throw new AlprError('ALPR_ERR_PARTITIONS_CHANGING', { from: before.from, to: before.partitions })
  await ensurePartitionStreams(connection, partitions, options)
  return beginChange(await bucketOf(connection), partitions)
}

/** Calls `change` with the stored number of partitions, now and whenever it changes, until `signal` aborts. */
export async function followPartitions(
  connection: NatsConnection,
  change: (partitions: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const bucket = await bucketOf(connection)
  for (let last = 0; !signal.aborted; ) {
    // Before the first engine there is no bucket; while NATS is away there is no answer.
    const found = await readPartitioning(bucket).catch(() => undefined)
    if (found && found.partitioning.partitions !== last) change((last = found.partitioning.partitions))
    await sleep(kEveryMs, signal)
  }
}
