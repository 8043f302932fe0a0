import type { JsMsg } from 'nats'
import type { CameraPasses } from '../passes/camera_passes.js'
import { Epoch } from './epoch.js'
import { IdlePasses } from './idle_passes.js'

/** How far a partition has come, in memory: what its frames have brought about and how much of that is durable. */
export class Progress {
  /** What the frames since the last checkpoint brought about. */
  epoch = new Epoch()
  /** The last frame applied, and its message, which acknowledges it and all before it. */
  applied: { seq: number; message: JsMsg | undefined }
  readonly rest = new IdlePasses()

  /**
   * @param floor every frame up to it is done
   * @param cameras open passes and counts by camera
   */
  constructor(
    public floor: number,
    readonly cameras: Map<string, CameraPasses>,
  ) {
    this.applied = { seq: floor, message: undefined }
    // What the last owner left open is stored soon, even if its camera never sends again.
    for (const [name, camera] of cameras) if (camera.openCount > 0) this.rest.await(name, performance.now())
  }

  /**
   * Frames up to `floor` are done without having come to this partition. A frame that was applied meanwhile stays the
   * last one.
   */
  moveFloor(floor: number): void {
    if (this.applied.seq < floor) this.applied = { seq: floor, message: undefined }
    this.floor = floor
  }

  /** Ends the epoch and begins the next. */
  cut(): Epoch {
    const ended = this.epoch
    this.epoch = new Epoch()
    return ended
  }

  /** The frames that show the open passes best so far. */
  bestFrames(): Set<number> {
    const frames = new Set<number>()
    for (const camera of this.cameras.values())
      for (const { state } of camera.open()) if (state.best.seq !== undefined) frames.add(state.best.seq)
    return frames
  }

  get openPasses(): number {
    let sum = 0
    for (const camera of this.cameras.values()) sum += camera.openCount
    return sum
  }
}
