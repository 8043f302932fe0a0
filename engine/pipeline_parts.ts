import type { JetStreamClient, JetStreamManager, NatsConnection } from 'nats'
import type { RecentFrames } from './frames/recent_frames.js'
import type { FollowedCameras } from './frames/registry.js'
import type { ListsInForce } from './matching/lists_in_force.js'
import type { Metrics } from './metrics.js'
import type { PictureMaker } from './pictures/picture_maker.js'
import type { GroupWriter } from './store/group_writer.js'
import type { Self } from './partition/trial.js'
import type { Waiting } from './waiting.js'

/** Everything behind the inlets; one of each for all partitions of an engine. */
export interface PipelineParts {
  connection: NatsConnection
  js: JetStreamClient
  manager: JetStreamManager
  cameras: Pick<FollowedCameras, 'cameras' | 'refresh'>
  recent: RecentFrames
  lists: ListsInForce
  pictures: PictureMaker
  store: GroupWriter
  /** What a read was made with, now. */
  provenance: () => { module: string; model: string; lists: string }
  metrics: Metrics
  waiting: Waiting
  partitions: number
  self: Self
  batchMs: number
  /** Aborts when the engine ends: what is being tried again and again gives up. */
  ending: AbortSignal
}
