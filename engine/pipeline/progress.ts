import type { CameraStates } from '../partition/camera_states.js'
import { Epoch } from './epoch.js'
import type { CamerasBehind } from './cameras_behind.js'
import { IdlePasses } from './idle_passes.js'
import type { Window } from './window.js'

/** How far a partition has come, in memory: the effects of its messages, and which messages are done and durable. */
export class Progress {
  /** Effects of the messages since the last checkpoint. */
  epoch = new Epoch()
  readonly idle = new IdlePasses()

  /**
   * @param cameras open passes and counts by camera
   */
  constructor(
    readonly cameras: CameraStates,
    /** The messages that are not done. */
    readonly window: Pick<Window, 'done' | 'committed'>,
    readonly behind: Pick<CamerasBehind, 'hasChanged' | 'takePositions' | 'doneOf' | 'size' | 'bound'>,
  ) {
    // What the last owner did not store is stored soon, even if its camera never sends again.
    for (const { camera } of cameras.all()) this.idle.expect(camera, performance.now())
  }

  /** Ends the epoch and begins the next. */
  cut(): Epoch {
    const ended = this.epoch
    this.epoch = new Epoch()
    return ended
  }

  /** The last message up to which every message of a camera is applied. */
  appliedOf(camera: string): number {
    const { window, behind } = this
    return Math.min(window.done.seq, behind.doneOf(camera) ?? Infinity)
  }

  /** Sequences of the frames that show best, so far, the passes that may change. */
  bestFrames(): Set<number> {
    const frames = new Set<number>()
    for (const camera of this.cameras.all())
      for (const pass of camera.changeable()) if (pass.needsPicture) frames.add(pass.state.best.seq!)
    return frames
  }

  /** Open passes of all cameras, idle ones included. */
  get openPasses(): number {
    return this.cameras.openPasses
  }
}
