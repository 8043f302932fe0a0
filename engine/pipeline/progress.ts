import type { JsMsg } from 'nats'
import type { CameraPasses } from '../passes/camera_passes.js'
import { Epoch } from './epoch.js'
import { IdlePasses } from './idle_passes.js'

/** How far a partition has come, in memory: the effects of its messages, and how many of those are durable. */
export class Progress {
  /** Effects of the messages since the last checkpoint. */
  epoch = new Epoch()
  /** The last message applied, and its handle, which acknowledges it and all earlier ones. */
  applied: { seq: number; message: JsMsg | undefined }
  readonly idle = new IdlePasses()

  /**
   * @param committed stream sequence up to which every message is done
   * @param cameras open passes and counts by camera
   */
  constructor(
    public committed: number,
    readonly cameras: Map<string, CameraPasses>,
  ) {
    this.applied = { seq: committed, message: undefined }
    // What the last owner left open is stored soon, even if its camera never sends again.
    for (const [name, camera] of cameras) if (camera.openCount > 0) this.idle.expect(name, performance.now())
  }

  /**
   * Commits messages that did not come to this partition. A message that was applied in the meantime remains the last
   * one.
   */
  commitIdle(committed: number): void {
    if (this.applied.seq < committed) this.applied = { seq: committed, message: undefined }
    this.committed = committed
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
