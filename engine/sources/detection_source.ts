import { AlprError, reasonOf } from '../errors.js'
import { parseCapturedAt, place, type CameraMessage, type Capture } from '../model/capture.js'
import type { Camera } from '../model/camera.js'
import type { WatchedCameras } from '../cameras/camera_registry.js'
import type { Metrics } from '../runtime/metrics.js'
import { ENTRANCE } from '../nats/topology.js'
import type { PassRules } from '../passes/camera_passes.js'
import type { Observation } from '../model/observation.js'
import type { ReadIds } from '../model/read_id.js'
import { loadCamera } from './load_camera.js'
import { parseDetection, splitMessage, type CameraDetection } from './detection_message.js'
import type { Source, Extracted, Refused, Seen } from './source.js'

/** Added to sequences of DETECTIONS where they name a part of the ledger: beyond any sequence of FRAMES. */
const FIRST_PART = 2 ** 52

/** Detections of cameras that read plates themselves: JSON, checked and placed. */
export class DetectionSource implements Source {
  readonly entrance = ENTRANCE.detections
  readonly maxUnacknowledged = 131_072
  readonly slots = 512
  readonly rules: PassRules

  constructor(
    readonly ids: ReadIds,
    rules: PassRules,
    private readonly cameras: Pick<WatchedCameras, 'cameras' | 'refresh'>,
    private readonly futureToleranceMs: number,
  ) {
    this.rules = { ...rules, firstPart: FIRST_PART }
  }

  async look(message: CameraMessage): Promise<Extracted> {
    try {
      await loadCamera(this.cameras, message.camera)
      const camera = this.cameras.cameras.get(message.camera)
      if (!camera) throw new AlprError('ALPR_ERR_CAMERA_UNKNOWN', { camera: message.camera })
      return this.takeApart(message, camera)
    } catch (error) {
      return {
        seen: [],
        refused: [
          {
            error:
              error instanceof AlprError
                ? error
                : new AlprError('ALPR_ERR_DETECTION_INVALID', { reason: reasonOf(error) }, { cause: error }),
          },
        ],
      }
    }
  }

  count(metrics: Metrics, { seen, refused }: Extracted): void {
    metrics.count('camera_messages_total')
    if (refused.length > 0) metrics.count('camera_detections_dead_total', refused.length)
    for (const { moment, detections } of seen) {
      metrics.count('camera_detections_total', detections.length)
      metrics.gauge('camera_delay_seconds', Math.max(0, Date.now() - moment.capturedAt) / 1000)
    }
  }

  /** The good ones of a message go on, each bad one is refused by itself. */
  private takeApart(message: CameraMessage, camera: Camera): Extracted {
    const { elements, alone } = splitMessage(message.payload)
    const seen: (Seen & { detections: Observation[] })[] = []
    const refused: Refused[] = []
    elements.forEach((element, index) => {
      try {
        const detection = parseDetection(element)
        const capturedAt = parseCapturedAt(detection.capturedAt, message.arrivedAt, this.futureToleranceMs)
        const before = seen.at(-1)
        // Detections of one moment stand one after the other, and are two vehicles.
        if (
          before &&
          before.moment.capturedAt === capturedAt &&
          before.first + before.detections.length === index &&
          samePlace(before.moment, detection)
        )
          before.detections.push(detection.sighted)
        else
          seen.push({
            moment: momentOf(message, camera, detection, capturedAt),
            detections: [detection.sighted],
            first: index,
          })
      } catch (error) {
        if (!(error instanceof AlprError)) throw error
        refused.push({
          error,
          ...(!alone && { part: { index, payload: new TextEncoder().encode(JSON.stringify(element)) } }),
        })
      }
    })
    return { seen, refused }
  }
}

/** Only a position of its own makes a moment another place. */
const samePlace = (moment: Capture, { position }: CameraDetection): boolean =>
  position === undefined || (position.lat === moment.lat && position.lon === moment.lon)

function momentOf(
  { seq }: CameraMessage,
  camera: Camera,
  { position, heading, speed }: CameraDetection,
  capturedAt: number,
): Capture {
  const { lat, lon } = place(camera, position)
  return { seq, camera, capturedAt, lat, lon, heading: heading ?? camera.heading, speed, feed: '' }
}
