import type { JetStreamClient, JetStreamManager, KV, NatsConnection } from 'nats'
import type { DeadLetterQuota } from '../dead_letters/quota.js'
import type { FrameCache } from '../pictures/frame_cache.js'
import type { WatchedCameras } from '../cameras/camera_registry.js'
import type { ListsInForce } from '../hotlists/lists_in_force.js'
import type { HitPublisher } from '../hits/hit_publisher.js'
import type { Metrics } from '../runtime/metrics.js'
import type { PictureMaker } from '../pictures/picture_maker.js'
import type { GroupWriter } from '../store/group_writer.js'
import type { EngineProcess } from './poison_guard.js'
import type { Retry } from '../runtime/retry.js'

/** What the pipelines of all partitions of an engine share. */
export interface PipelineParts {
  connection: NatsConnection
  js: JetStreamClient
  manager: JetStreamManager
  cameras: Pick<WatchedCameras, 'cameras' | 'find'>
  frames: FrameCache
  lists: ListsInForce
  pictures: PictureMaker
  store: GroupWriter
  /** What makes a read: the WASM module, the model, and the lists that apply to what arrived at this time. */
  provenance: (arrivedAt: number) => { module: string; model: string; lists: string }
  metrics: Metrics
  retry: Retry
  deadLetters: DeadLetterQuota
  hitPublisher: HitPublisher
  /** Bucket FLOORS: what the partitions share. */
  bucket: KV
  leases: KV
  log: { info(fields: object, text: string): void; warn(fields: object, text: string): void }
  /** Creates streams that are missing. */
  setup: () => Promise<unknown>
  process: EngineProcess
  batchMs: number
  /** Aborts when the engine ends: everything that is being retried then gives up. */
  ending: AbortSignal
}
