import type { AlprError } from '../errors.js'
import type { DeadPart } from '../dead_letters/publish.js'
import type { CameraMessage, Capture } from '../model/capture.js'
import type { Metrics } from '../runtime/metrics.js'
import type { Entrance } from '../nats/topology.js'
import type { PassRules } from '../passes/camera_passes.js'
import type { Observation } from '../model/observation.js'

/** What was observed in one capture. */
export interface CaptureObservations {
  capture: Capture
  detections: readonly Observation[]
  /** Index of the first of them in the message: read ids derive from it. */
  first: number
}

/** A message, or one detection of it, that goes to DEAD. */
export interface Rejection {
  error: AlprError
  part?: DeadPart
}

/** What a source made of one message of a camera. */
export interface Extracted {
  observed: readonly CaptureObservations[]
  rejected: readonly Rejection[]
  /** Names of optional fields and headers whose values are impossible: what was observed is without them. */
  leftOut?: readonly string[]
}

/**
 * Turns the messages of one entrance into detections. Everything behind it (passes, hits, store, checkpoints) is the
 * same for all sources.
 */
export interface Source {
  readonly entrance: Entrance
  readonly rules: PassRules
  /** Messages in work at once, for each partition. */
  readonly slots: number
  /** Most messages of a partition handed out and not yet acknowledged: a bound on what a crash makes it redo. */
  readonly maxUnacknowledged: number
  /**
   * Rejects what can never be processed, with a reason. Stateless, so messages can be extracted in parallel.
   * @throws when the environment fails (a server is away, no recognition thread starts): the message is tried again
   */
  extract(message: CameraMessage): Promise<Extracted>
  /** Messages that are extracted at the same time, of all partitions. */
  readonly workers: number
  /** What a message of this camera usually costs, ms of a worker; 0 when messages do not wait for workers. */
  costOf(camera: string): number
  /**
   * Takes a message back that still waits for a worker: its `extract` resolves to nothing.
   * @returns false when it is too late
   */
  withdraw(message: CameraMessage): boolean
  /** Counts a message that was applied. */
  count(metrics: Metrics, extracted: Extracted): void
}
