import type { LiveCameraState } from '../model/ingest_status.js'
import type { Metrics } from '../runtime/metrics.js'
import { CameraClock, type StreamTime } from './camera_clock.js'
import { FramePacer } from './frame_pacer.js'
import { MiniatureMaker } from './miniature.js'
import { MotionGate } from './motion_gate.js'
import type { OutgoingPicture } from './outgoing.js'
import { RateMeter } from './rate_meter.js'
import type { ViewWatch } from './view_watch.js'

export interface PictureIntakeOptions {
  camera: string
  /** The most pictures a second. */
  fps: number
  motionGate: boolean
  /** Outlives a connection. */
  view: ViewWatch
  metrics: Metrics
  onPicture: (picture: OutgoingPicture) => void
}

/** What decides about the pictures of one camera: their time, their rate, whether something moves. */
export class PictureIntake {
  readonly clock = new CameraClock()
  readonly #options: PictureIntakeOptions
  readonly #pacer: FramePacer
  readonly #gate = new MotionGate()
  readonly #miniatures = new MiniatureMaker()
  readonly #sent = new RateMeter()
  readonly #taken = new RateMeter()
  #lastFrameAt: number | undefined
  #size: { width: number; height: number } | undefined

  constructor(options: PictureIntakeOptions) {
    this.#options = options
    this.#pacer = new FramePacer(options.fps)
  }

  /**
   * Says when a picture was taken, and whether it is wanted at all. Each picture is counted once.
   * @returns undefined when there are more than wanted
   */
  admit(arrival: number, time: StreamTime): number | undefined {
    const capturedAt = this.clock.timeOf(arrival, time)
    const { metrics } = this.#options
    metrics.count('frames_received_total')
    this.#sent.add(performance.now())
    if (this.#pacer.wants(time.counter ?? capturedAt)) return capturedAt
    metrics.count('frames_thinned_total')
    return undefined
  }

  /** Takes a whole picture that was admitted. @param miniature of a picture that was decoded anyway */
  take(jpeg: Buffer, capturedAt: number, miniature?: Uint8Array): void {
    const { camera, motionGate, view, metrics, onPicture } = this.#options
    // A clock that was set back must not take the pictures out of order; and each has a time of its own.
    const time = Math.max(Math.round(capturedAt), (this.#lastFrameAt ?? -1) + 1)
    this.#lastFrameAt = time
    const made = miniature ?? this.#makeMiniature(jpeg)
    if (made) view.see(made, time)
    // A picture that cannot be decoded goes on: the engine says what is wrong with it.
    if (motionGate && made && !this.#gate.passes(made, time)) {
      metrics.count('frames_still_total')
      return
    }
    this.#taken.add(performance.now())
    onPicture({ camera, capturedAt: time, jpeg })
  }

  /** What is known for the status. */
  state(): Partial<LiveCameraState> {
    const now = performance.now()
    const rounded = (value: number | undefined) => value && Math.round(value * 100) / 100
    const { offsetMs, source } = this.clock
    return {
      ...this.#size,
      cameraFps: rounded(this.#sent.rate(now)),
      fps: rounded(this.#taken.rate(now)),
      ...(this.#lastFrameAt === undefined
        ? {}
        : { lastFrameAt: new Date(this.#lastFrameAt).toISOString(), clock: source }),
      ...(offsetMs === undefined ? {} : { clockOffsetMs: Math.round(offsetMs) }),
      view: this.#options.view.faults,
    }
  }

  #makeMiniature(jpeg: Buffer): Uint8Array | undefined {
    const made = this.#miniatures.make(jpeg)
    if (made) this.#size = { width: made.width, height: made.height }
    return made?.miniature
  }
}
