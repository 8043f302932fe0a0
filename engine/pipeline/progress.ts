import type { JsMsg } from 'nats'
import type { CameraStates } from '../partition/camera_states.js'
import { Epoch } from './epoch.js'
import { IdlePasses } from './idle_passes.js'

/** How far a partition has come, in memory: the effects of its messages, and how many of those are durable. */
export class Progress {
  /** Effects of the messages since the last checkpoint. */
  epoch = new Epoch()
  /** The last message applied, when it arrived (ms), and its handle, which acknowledges it and all earlier ones. */
  applied: { seq: number; arrivedAt?: number; message: JsMsg | undefined }
  readonly idle = new IdlePasses()

  /**
   * @param committed stream sequence up to which every message is done
   * @param cameras open passes and counts by camera
   */
  constructor(
    public committed: number,
    readonly cameras: CameraStates,
  ) {
    this.applied = { seq: committed, message: undefined }
    // What the last owner left open is stored soon, even if its camera never sends again.
    for (const { camera, openCount } of cameras.all()) if (openCount > 0) this.idle.expect(camera, performance.now())
  }

  /** Ends the epoch and begins the next. */
  cut(): Epoch {
    const ended = this.epoch
    this.epoch = new Epoch()
    return ended
  }

  /** Sequences of the frames that show the open passes best so far. */
  bestFrames(): Set<number> {
    const frames = new Set<number>()
    for (const camera of this.cameras.all())
      for (const { state } of camera.open()) if (state.best.seq !== undefined) frames.add(state.best.seq)
    return frames
  }

  get openPasses(): number {
    let sum = 0
    for (const camera of this.cameras.all()) sum += camera.openCount
    return sum
  }
}
