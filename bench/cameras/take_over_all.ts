import { CameraStates, CheckpointLog, ENTRANCE, partitionsOf } from '../../engine/internal_mod.js'
import { connectNats, partitionsNow } from '../../engine/mod.js'
import type { BenchSystem } from '../system/system.js'
import { slowLink } from './slow_link.js'

export interface TakeOver {
  seconds: number
  /** By partition, when its states were there, seconds. */
  times: number[]
  /** How many cameras are known, and how many of them had something left to do, so that they were loaded. */
  cameras: number
  loaded: number
  /** Mean size of the states of loaded cameras and of the others, bytes. */
  loadedBytes: number
  idleBytes: number
}

/** Reads the checkpoints of all partitions of detections over a slow link, as another engine would. */
export async function takeOverAll(system: BenchSystem, delayMs: number): Promise<TakeOver> {
  const { partitions } = await partitionsNow(system.connection)
  const link = await slowLink(system.nats.url, delayMs)
  const connection = await connectNats({ url: link.url, token: system.nats.token, name: 'bench take-over' })
  const manager = await connection.jetstreamManager({ timeout: 30_000 })
  const js = connection.jetstream()
  const started = performance.now()
  const read = await Promise.all(
    partitionsOf(ENTRANCE.detections, partitions).map(async (partition) => {
      const { cameras } = await CheckpointLog.open(js, manager, partition)
      const states = new CameraStates(cameras, { gapMs: 3_000 }, performance.now())
      return { cameras, states, seconds: (performance.now() - started) / 1_000 }
    }),
  )
  await connection.close()
  link.close()
  const loaded = { cameras: 0, bytes: 0 }
  const idle = { cameras: 0, bytes: 0 }
  for (const { cameras, states } of read)
    for (const [camera, state] of cameras) {
      const sum = states.peek(camera) ? loaded : idle
      sum.cameras += 1
      sum.bytes += state.length
    }
  const times = read.map(({ seconds }) => seconds)
  return {
    seconds: times.reduce((a, b) => Math.max(a, b), 0),
    times,
    cameras: loaded.cameras + idle.cameras,
    loaded: loaded.cameras,
    loadedBytes: loaded.bytes / Math.max(1, loaded.cameras),
    idleBytes: idle.bytes / Math.max(1, idle.cameras),
  }
}
