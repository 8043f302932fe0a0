import type { NatsConnection } from 'nats'
import type { Partitioning } from '../nats/partitioning.js'
import { closeStream, entranceConfig, isClosed, type SetupOptions } from '../nats/setup.js'
import { ENTRANCES, partitionsOf, streamOf } from '../nats/topology.js'

/**
 * Lowers the bounds of the entrance streams to what the settings say. nats-server deletes the oldest messages of a
 * stream that holds more than its new bound, so each stream is closed before: publishers are refused for some
 * milliseconds, and what it holds then is what it will hold. A stream that holds too much keeps its bound until the
 * next start. The caller holds a lease: a second process would open a stream that this one is about to lower. A stream
 * that an earlier holder left closed is opened.
 */
export async function lowerBounds(
  connection: NatsConnection,
  { partitions }: Partitioning,
  options: SetupOptions,
): Promise<void> {
  const manager = await connection.jetstreamManager({ timeout: 10_000 })
  const maxPayload = connection.info?.max_payload ?? 1_048_576
  for (const partition of ENTRANCES.flatMap((entrance) => partitionsOf(entrance, partitions))) {
    const name = streamOf(partition)
    const { config } = await manager.streams.info(name)
    const { subjects = [], max_bytes: wanted = 0 } = entranceConfig(partition, options, maxPayload)
    if (wanted >= config.max_bytes && !isClosed(config)) continue
    await closeStream(manager, name)
    const { state } = await manager.streams.info(name)
    await manager.streams.update(name, {
      ...config,
      subjects,
      max_bytes: state.bytes > wanted ? Math.max(wanted, config.max_bytes) : wanted,
    })
  }
}
