import { parseFrame } from './frame.js'
import type { CameraMessage } from '../model/capture.js'
import type { WatchedCameras } from '../cameras/camera_registry.js'
import type { Metrics } from '../runtime/metrics.js'
import { ENTRANCE } from '../nats/topology.js'
import type { PassRules } from '../passes/camera_passes.js'
import type { RecognizerPool } from '../recognize/pool.js'
import { Withdrawn } from '../recognize/withdrawn.js'
import { cameraOf } from './camera_of.js'
import type { Source, Extracted } from './source.js'
import { verdictOf } from './verdict.js'

/** Frames: decodes each one, finds the plates in it and reads them. */
export class FrameSource implements Source {
  readonly entrance = ENTRANCE.frames
  readonly maxUnacknowledged = 8_192
  /**
   * Frames of a partition between the stream and the passes: enough for one pull to fetch several, so that workers
   * never run short of frames.
   */
  readonly slots: number
  readonly workers: number

  constructor(
    readonly rules: PassRules,
    private readonly cameras: Pick<WatchedCameras, 'cameras' | 'find'>,
    private readonly recognizer: RecognizerPool,
    private readonly metrics: Metrics,
    private readonly futureToleranceMs: number,
  ) {
    this.workers = recognizer.slots
    this.slots = this.workers * 4
  }

  async extract(message: CameraMessage): Promise<Extracted> {
    try {
      const capture = parseFrame(message, await cameraOf(this.cameras, message), this.futureToleranceMs)
      const { detections, ms, damaged } = await this.recognizer.recognize(capture.jpeg, message.camera)
      this.metrics.count('decode_ms_total', ms.decode)
      this.metrics.count('recognize_ms_total', ms.recognize)
      if (damaged) this.metrics.count('frames_damaged_total')
      return { observed: [{ capture, detections, first: 0 }], rejected: [], leftOut: capture.leftOut }
    } catch (cause) {
      if (cause instanceof Withdrawn) return { observed: [], rejected: [] }
      const error = verdictOf(cause)
      if (!error) throw cause
      return { observed: [], rejected: [{ error }] }
    }
  }

  costOf(camera: string): number {
    return this.recognizer.costOf(camera)
  }

  withdraw({ payload, camera }: CameraMessage): boolean {
    return this.recognizer.withdraw(payload, camera)
  }

  count(metrics: Metrics, { observed, rejected, leftOut = [] }: Extracted): void {
    metrics.count('frames_total')
    for (const header of leftOut) metrics.count(`fields_left_out_total.${header}`)
    if (rejected.length > 0) return metrics.count('frames_dead_total')
    for (const { capture, detections } of observed) {
      metrics.count(detections.length > 0 ? 'frames_with_reads_total' : 'frames_without_plate_total')
      metrics.count('detections_total', detections.length)
      metrics.gauge('delay_seconds', Math.max(0, Date.now() - capture.capturedAt) / 1000)
    }
  }
}
