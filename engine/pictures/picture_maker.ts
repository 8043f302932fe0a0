import type { Metrics } from '../runtime/metrics.js'
import type { FrameCache } from './frame_cache.js'
import type { BestView } from '../passes/pass.js'
import type { CropRef } from '../model/read.js'
import { Slots } from '../runtime/slots.js'
import type { SegmentWriter } from './segment_writer.js'
import { Renderer } from './renderer.js'

/** So that recognition keeps the cores. */
const AT_ONCE = 2

/** Makes the two pictures of a read and puts them into the segment files. */
export class PictureMaker {
  private readonly slots: Slots

  private constructor(
    private readonly crops: SegmentWriter,
    private readonly metrics: Metrics,
    private readonly idle: Renderer[],
  ) {
    this.slots = new Slots(idle.length)
  }

  static async create(crops: SegmentWriter, metrics: Metrics): Promise<PictureMaker> {
    return new PictureMaker(crops, metrics, await Renderer.create(AT_ONCE))
  }

  /** Undefined when the frame is gone from the stream or cannot be shown: the read counts more than its picture. */
  async make(
    frames: FrameCache,
    view: BestView & { seq: number },
  ): Promise<{ crop: CropRef; picture: CropRef } | undefined> {
    while (this.slots.free === 0) await this.slots.room()
    this.slots.take()
    const renderer = this.idle.pop()!
    try {
      const jpeg = await frames.get(view.seq)
      const made = jpeg && view.quad && (await renderer.render(jpeg, view.quad).catch(() => undefined))
      if (!made) {
        this.metrics.count('pictures_missing_total')
        return undefined
      }
      // Together: the store keeps one place for both.
      const [crop, picture] = await this.crops.appendAll(view.ts, [made.crop, made.picture])
      return { crop: crop!, picture: picture! }
    } finally {
      this.idle.push(renderer)
      this.slots.release()
    }
  }

  /** After this, every picture made so far survives a crash. */
  sync(): Promise<void> {
    return this.crops.sync()
  }
}
