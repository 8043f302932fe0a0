import { AlprError } from '../errors.js'
import { parseCapturedAt, positionOf, type CameraMessage, type Capture } from '../model/capture.js'
import type { Camera } from '../model/camera.js'
import type { WatchedCameras } from '../cameras/camera_registry.js'
import type { Metrics } from '../runtime/metrics.js'
import { ENTRANCE } from '../nats/topology.js'
import type { PassRules } from '../passes/camera_passes.js'
import type { Observation } from '../model/observation.js'
import { cameraOf } from './camera_of.js'
import { parseDetection, splitMessage, type CameraDetection } from './detection_message.js'
import type { Source, Extracted, Rejection, CaptureObservations } from './source.js'
import { hasPictures } from '../model/pictured_message.js'
import { verdictOf } from './verdict.js'

/** Added to sequences of DETECTIONS where they name a part of the ledger: beyond any sequence of FRAMES. */
const FIRST_PART = 2 ** 52

/** Detections of cameras that read plates themselves: JSON, validated and given a position. */
export class DetectionSource implements Source {
  readonly entrance = ENTRANCE.detections
  readonly maxUnacknowledged = 131_072
  readonly slots = 512
  readonly workers = 1
  readonly rules: PassRules

  constructor(
    rules: PassRules,
    private readonly cameras: Pick<WatchedCameras, 'cameras' | 'find'>,
    private readonly futureToleranceMs: number,
  ) {
    this.rules = { ...rules, firstPart: FIRST_PART }
  }

  async extract(message: CameraMessage): Promise<Extracted> {
    try {
      return this.split(message, await cameraOf(this.cameras, message))
    } catch (cause) {
      const error = verdictOf(cause)
      if (!error) throw cause
      return { observed: [], rejected: [{ error }] }
    }
  }

  costOf(): number {
    return 0
  }

  withdraw(): boolean {
    return false
  }

  count(metrics: Metrics, { observed, rejected, leftOut = [] }: Extracted): void {
    metrics.count('camera_messages_total')
    for (const field of leftOut) metrics.count(`fields_left_out_total.${field}`)
    if (rejected.length > 0) metrics.count('camera_detections_dead_total', rejected.length)
    for (const { capture, detections } of observed) {
      metrics.count('camera_detections_total', detections.length)
      metrics.gauge('camera_delay_seconds', Math.max(0, Date.now() - capture.capturedAt) / 1000)
    }
  }

  /** Valid detections of a message are processed; each invalid one is rejected by itself. */
  private split(message: CameraMessage, camera: Camera): Extracted {
    const { elements, alone } = splitMessage(message.payload)
    const observed: (CaptureObservations & { detections: Observation[] })[] = []
    const rejected: Rejection[] = []
    const leftOut: string[] = []
    elements.forEach((element, index) => {
      try {
        const detection = parseDetection(element)
        const capturedAt = parseCapturedAt(detection.capturedAt, message.arrivedAt, this.futureToleranceMs)
        leftOut.push(...detection.leftOut)
        const last = observed.at(-1)
        // Neighbouring detections of one time and position are one capture, and so two vehicles.
        if (
          last &&
          last.capture.capturedAt === capturedAt &&
          (last.capture.pictured !== undefined) === (detection.observation.pictures !== undefined) &&
          last.first + last.detections.length === index &&
          isSamePosition(last.capture, detection)
        )
          last.detections.push(detection.observation)
        else
          observed.push({
            capture: captureOf(message, camera, detection, capturedAt),
            detections: [detection.observation],
            first: index,
          })
      } catch (error) {
        if (!(error instanceof AlprError)) throw error
        rejected.push({
          error,
          ...(!alone && { part: { index, payload: new TextEncoder().encode(JSON.stringify(element)) } }),
        })
      }
    })
    return { observed, rejected, leftOut }
  }
}

/** Only a detection with a position of its own can be elsewhere. */
const isSamePosition = (capture: Capture, { position }: CameraDetection): boolean =>
  position === undefined || (position.lat === capture.lat && position.lon === capture.lon)

function captureOf(
  { seq, arrivedAt, payload }: CameraMessage,
  camera: Camera,
  { position, heading, speed, observation }: CameraDetection,
  capturedAt: number,
): Capture {
  const { lat, lon } = positionOf(camera, position)
  const capture = { seq, camera, capturedAt, arrivedAt, lat, lon, heading: heading ?? camera.heading, speed, feed: '' }
  return observation.pictures && hasPictures(payload) ? { ...capture, pictured: payload } : capture
}
