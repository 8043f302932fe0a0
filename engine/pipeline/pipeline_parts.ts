import type { JetStreamClient, JetStreamManager, NatsConnection } from 'nats'
import type { FrameCache } from '../pictures/frame_cache.js'
import type { WatchedCameras } from '../cameras/camera_registry.js'
import type { ListsInForce } from '../hotlists/lists_in_force.js'
import type { Metrics } from '../runtime/metrics.js'
import type { PictureMaker } from '../pictures/picture_maker.js'
import type { GroupWriter } from '../store/group_writer.js'
import type { Self } from './poison_guard.js'
import type { Retry } from '../runtime/retry.js'

/** Everything behind the inlets; one of each for all partitions of an engine. */
export interface PipelineParts {
  connection: NatsConnection
  js: JetStreamClient
  manager: JetStreamManager
  cameras: Pick<WatchedCameras, 'cameras' | 'refresh'>
  recent: FrameCache
  lists: ListsInForce
  pictures: PictureMaker
  store: GroupWriter
  /** What a read was made with, now. */
  provenance: () => { module: string; model: string; lists: string }
  metrics: Metrics
  waiting: Retry
  partitions: number
  self: Self
  batchMs: number
  /** Aborts when the engine ends: what is being tried again and again gives up. */
  ending: AbortSignal
}
