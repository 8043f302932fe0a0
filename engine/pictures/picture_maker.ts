import type { Metrics } from '../runtime/metrics.js'
import type { PartitionFrames } from './frame_cache.js'
import type { BestView } from '../passes/pass_state.js'
import type { CropRef } from '../model/read.js'
import { unpackPictures } from '../model/pictured_message.js'
import { Semaphore } from '../runtime/semaphore.js'
import type { SegmentWriter } from './segment_writer.js'
import { Renderer } from './renderer.js'

/** Pictures rendered at the same time; few, so that recognition keeps the cores. */
const AT_ONCE = 2

/** Renders the two pictures of a read and appends them to the segment files. */
export class PictureMaker {
  /** One permit for each idle renderer. */
  private readonly permits: Semaphore

  private constructor(
    private readonly crops: SegmentWriter,
    private readonly metrics: Metrics,
    private readonly idle: Renderer[],
  ) {
    this.permits = new Semaphore(idle.length)
  }

  static async create(crops: SegmentWriter, metrics: Metrics): Promise<PictureMaker> {
    return new PictureMaker(crops, metrics, await Renderer.create(AT_ONCE))
  }

  /**
   * The two pictures of a read; undefined when its frame is gone from the stream or cannot be decoded: a read is stored
   * without pictures rather than lost.
   */
  async make(
    frames: PartitionFrames,
    view: BestView & { seq: number },
  ): Promise<{ crop: CropRef; picture: CropRef } | undefined> {
    const release = await this.permits.acquire()
    const renderer = this.idle.pop()!
    try {
      const kept = await frames.get(view.seq)
      const made = kept && (await render(renderer, kept, view).catch(() => undefined))
      if (!made) {
        this.metrics.count('pictures_missing_total')
        return undefined
      }
      // In one append: the store keeps one position for both.
      const [crop, picture] = await this.crops.appendAll(view.ts, [made.crop, made.picture])
      return { crop: crop!, picture: picture! }
    } finally {
      this.idle.push(renderer)
      release()
    }
  }

  /** Resolves when every picture made so far survives a crash of the machine. */
  sync(): Promise<void> {
    return this.crops.sync()
  }
}

/** @param kept a frame, or a message with the camera's own pictures @throws when nothing in it can be decoded */
async function render(renderer: Renderer, kept: Uint8Array, { quad, pictures: own }: BestView) {
  if (!own) return quad && (await renderer.render(kept, quad))
  const unpacked = unpackPictures(kept)
  if (!unpacked || unpacked === 'broken') return undefined
  const at = (index: number | undefined) => (index === undefined ? undefined : unpacked.pictures[index])
  return renderer.renderOwn(at(own.scene), at(own.plate), own.quad)
}
