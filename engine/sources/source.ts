import type { AlprError } from '../errors.js'
import type { DeadPart } from '../dead_letters/publish.js'
import type { CameraMessage, Capture } from '../model/capture.js'
import type { Metrics } from '../runtime/metrics.js'
import type { Entrance } from '../nats/topology.js'
import type { PassRules } from '../passes/camera_passes.js'
import type { Observation } from '../model/observation.js'
import type { ReadIds } from '../model/read_id.js'

/** Detections of one moment of a message. */
export interface Seen {
  moment: Capture
  detections: readonly Observation[]
  /** Place of the first of them in the message: ids derive from it. */
  first: number
}

/** A message, or one detection of it, that goes to DEAD. */
export interface Refused {
  error: AlprError
  part?: DeadPart
}

/** What a message of a camera came to. */
export interface Extracted {
  seen: readonly Seen[]
  refused: readonly Refused[]
}

/**
 * A way in: what makes detections of the messages of an entrance. Everything behind it (passes, hits, store,
 * checkpoint) is the same for all.
 */
export interface Source {
  readonly entrance: Entrance
  readonly ids: ReadIds
  readonly rules: PassRules
  /** Messages in work at once, for each partition. */
  readonly slots: number
  /**
   * Messages of a partition handed out and not yet acknowledged, at most: a bound on what one crash has to do again.
   */
  readonly maxUnacknowledged: number
  /**
   * Never throws: what cannot be processed is refused with a reason. Stateless, so that messages may be looked at side
   * by side.
   */
  look(message: CameraMessage): Promise<Extracted>
  /** Counts a message that was applied. */
  count(metrics: Metrics, look: Extracted): void
}
