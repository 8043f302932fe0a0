import type { JetStreamClient, JetStreamManager, KV } from 'nats'
import { epochOf } from '../model/read_id.js'
import { partitionOfCamera } from '../nats/partitioning.js'
import { EARLIER_RELEASE, partitionName, partitionsOf, streamOf, type Partition } from '../nats/topology.js'
import type { CameraJson } from '../passes/camera_passes.js'
import { CheckpointLog } from './checkpoint_log.js'
import { readEarlierCheckpoint } from './earlier_release.js'
import { findStart, type Start } from './find_start.js'
import type { Packed } from './packed.js'
import { firstUndone, type Position } from './position.js'
import { loadState, savedAt, saveEarlierState, saveState } from './saved_state.js'

/** What taking a partition over needs. */
export interface TakeOverParts {
  js: JetStreamClient
  manager: JetStreamManager
  /** Bucket FLOORS. */
  bucket: KV
  leases: KV
  metrics: { count(name: string, by?: number): void }
  log: { warn(fields: object, text: string): void }
}

type States = [camera: string, state: Packed][]

/**
 * Reads the last checkpoint of a partition, compares it with the stream, and appends the first one of this tenure: from
 * then on the previous owner is refused.
 * @param from the number of partitions before: a partition without a checkpoint of its own begins with their states
 * @throws ALPR_ERR_STATE_FENCED when somebody else took it over meanwhile
 */
export async function takeOver(
  partition: Partition,
  parts: TakeOverParts,
  from?: number,
): Promise<{ log: CheckpointLog; start: Start }> {
  const { js, manager, bucket } = parts
  const log = await CheckpointLog.open(js, manager, partition)
  let position = log.position
  let states: States = []
  if (!position && partition.count === EARLIER_RELEASE) ({ position, states } = await earlierRelease(partition, parts))
  else if (!position && from !== undefined) states = await statesOf(partition, from, parts)
  const start = await findStart(manager, bucket, partition, position)
  if (start.changed) states = [...log.cameras].map(rebased)
  report(partition, start, parts)
  const { committed, committedAt, stream, behind } = start
  const first = firstUndone(start)
  const wanted = position && !start.changed ? Math.min(position.wanted, first) : first
  const append = log.prepare({ position: { committed, committedAt, wanted, stream, behind }, states })
  await append.write()
  return { log, start }
}

function report(partition: Partition, { changed, removedUnread }: Start, { metrics, log }: TakeOverParts): void {
  const name = partitionName(partition)
  if (changed) {
    metrics.count('streams_changed_total')
    log.warn({ partition: name }, `stream ${streamOf(partition)} ${changed}: what it holds now counts as new`)
  }
  if (removedUnread > 0) {
    metrics.count('messages_removed_unread_total', removedUnread)
    log.warn(
      { partition: name, messages: removedUnread },
      `somebody removed messages from stream ${streamOf(partition)} that no engine had processed`,
    )
  }
}

async function earlierRelease(
  partition: Partition,
  { manager, bucket }: TakeOverParts,
): Promise<{ position: Position; states: States }> {
  const { committed, states } = await readEarlierCheckpoint(manager, bucket, partition.entrance)
  const { created } = await manager.streams.info(streamOf(partition))
  const now = Date.now()
  return {
    // The same ids as that release would have given.
    position: { committed, wanted: committed + 1, stream: { created, epoch: epochOf(created) } },
    states: states.map(([camera, json]) => [camera, saveEarlierState(JSON.parse(json) as CameraJson, now)]),
  }
}

/** The states that the cameras of a partition had under the previous number of partitions. */
async function statesOf(partition: Partition, from: number, { js, manager, leases }: TakeOverParts): Promise<States> {
  const states: States = []
  for (const previous of partitionsOf(partition.entrance, from)) {
    const name = partitionName(previous)
    if ((await leases.get(name))?.operation === 'PUT') throw new Error(`the owner of ${name} has not given it back yet`)
    const { cameras } = await CheckpointLog.open(js, manager, previous)
    for (const saved of cameras)
      if (partitionOfCamera(saved[0], partition.count) === partition.index) states.push(rebased(saved))
  }
  return states
}

/** A state for another stream: no sequence of the old one means anything there. */
function rebased([camera, state]: [string, Packed]): [string, Packed] {
  const passes = loadState(camera, state, { gapMs: 0 })
  passes.forgetSequences()
  return [camera, saveState(passes, savedAt(state))]
}
