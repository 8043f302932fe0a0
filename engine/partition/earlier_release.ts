import type { JetStreamManager, KV } from 'nats'
import { isApiError, kStreamNotFound } from '../nats/errors.js'
import { keysOf } from '../nats/kv_keys.js'
import { findStream } from '../nats/setup.js'
import { BUCKET, type Entrance } from '../nats/topology.js'

/** Bucket of the camera states of a release before 2026-12. */
const kStates = 'PASSES'
/** Prefix of its keys, there and in FLOORS. */
const prefixOf = ({ root }: Entrance) => (root === 'frames' ? '' : 'detections-')

/** What an earlier release left of an entrance: all its partitions as one. */
export interface EarlierCheckpoint {
  /** The lowest committed offset of all partitions. States may be ahead of it: `seq` of each camera tells. */
  committed: number
  /** CameraJson as text. */
  states: [camera: string, json: string][]
}

/**
 * The checkpoints of a release before 2026-12: committed offsets in FLOORS (`<partition>`, JSON with `floor`), states
 * in bucket PASSES (`<partition>.<camera>`). Writing each offset again as it is fences that release off: an engine of
 * it that still runs is refused at its next checkpoint.
 */
export async function readEarlierCheckpoint(
  manager: JetStreamManager,
  offsets: KV,
  entrance: Entrance,
): Promise<EarlierCheckpoint> {
  const key = new RegExp(`^${prefixOf(entrance)}\\d+$`)
  const floors: number[] = []
  for (const name of await keysOf(manager, BUCKET.partitions, '')) {
    if (!key.test(name)) continue
    const entry = await offsets.get(name)
    if (entry?.operation !== 'PUT') continue
    await offsets.put(name, entry.value, { previousSeq: entry.revision })
    floors.push(entry.json<{ floor: number }>().floor)
  }
  const states = new Map<string, { seq: number; json: string }>()
  if (await findStream(manager, `KV_${kStates}`)) {
    const passes = await manager.jetstream().views.kv(kStates, { bindOnly: true })
    for (const name of await keysOf(manager, kStates, '')) {
      const [partition = '', camera = ''] = name.split('.')
      const entry = key.test(partition) ? await passes.get(name) : undefined
      if (entry?.operation !== 'PUT') continue
      const { seq } = entry.json<{ seq: number }>()
      // The number of partitions may have been changed by hand: the state that is further is the later one.
      if (seq >= (states.get(camera)?.seq ?? 0)) states.set(camera, { seq, json: entry.string() })
    }
  }
  return {
    committed: floors.length > 0 ? floors.reduce((a, b) => Math.min(a, b)) : 0,
    states: [...states].map(([camera, { json }]) => [camera, json]),
  }
}

/** Deletes what is left of an earlier release, once nothing needs it. */
export async function dropEarlierCheckpoints(manager: JetStreamManager, offsets: KV): Promise<void> {
  for (const name of await keysOf(manager, BUCKET.partitions, ''))
    if (/^(trial\.)?(detections-)?\d+$/.test(name)) await offsets.purge(name)
  await manager.streams.delete(`KV_${kStates}`).catch((error: unknown) => {
    if (!isApiError(error, kStreamNotFound)) throw error
  })
}
