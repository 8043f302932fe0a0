import { AlprError } from '../../../engine/errors.js'
import type { PoolOptions, Recognition } from '../../../engine/recognize/pool.js'
import { sleep } from '../../../engine/runtime/backoff.js'
import { Semaphore } from '../../../engine/runtime/semaphore.js'
import { characterDistributions } from '../../../engine/sources/message_distribution.js'
import type { Detection } from '../../../wasm/mod.js'
import { world } from '../current.js'
import { parsePicture, type PictureDetection } from '../picture.js'

/** Time between attempts to start a thread, ms. */
const RESTART_PAUSE_MS = 5_000

/** Recognition threads that read a picture's detections from its bytes. */
export class RecognizerPool {
  readonly module = '0123456789abcdef'
  readonly model = 'fedcba9876543210'
  private readonly threads: Semaphore

  private constructor(
    readonly slots: number,
    private readonly options: PoolOptions,
  ) {
    this.threads = new Semaphore(slots)
  }

  static create(options: PoolOptions = {}): Promise<RecognizerPool> {
    return Promise.resolve(new RecognizerPool(options.workers ?? 2, options))
  }

  get pending(): number {
    return this.slots - this.threads.free + this.threads.waiting
  }

  get free(): number {
    return this.threads.free
  }

  /** Waits while no thread starts. @throws ALPR_ERR_FRAME_CORRUPT for a picture that says so */
  recognize(jpeg: Uint8Array): Promise<Recognition> {
    const copy = Buffer.from(jpeg)
    const { brokenRecognizers, clock, random } = world()
    const owner = clock.current!
    return this.threads.run(async () => {
      while (brokenRecognizers.has(owner)) await this.wait()
      const { ms, isBroken, detections } = parsePicture(copy)
      await sleep(random.engines.delay(ms))
      if (isBroken) throw new AlprError('ALPR_ERR_FRAME_CORRUPT', { reason: 'simulated' })
      return {
        width: 1_920,
        height: 1_080,
        ms: { decode: 1, recognize: ms, find: ms, read: 0 },
        detections: detections.map(detectionOf),
      }
    })
  }

  private async wait(): Promise<void> {
    this.options.onStuck?.('recognition threads do not start: simulated')
    await sleep(RESTART_PAUSE_MS)
    this.options.onStuck?.(undefined)
  }

  close(): Promise<void> {
    this.threads.close(new AlprError('ALPR_ERR_INTERNAL', { reason: 'the recognizer pool is closed' }))
    return Promise.resolve()
  }
}

function detectionOf({ plate, confidence, x, y, width }: PictureDetection): Detection {
  const height = width / 4
  return {
    plate,
    confidence,
    quad: [
      [x, y],
      [x + width, y],
      [x + width, y + height],
      [x, y + height],
    ],
    score: 0.9,
    positions: characterDistributions(plate, confidence),
    alternates: [],
    region: null,
    regionConfidence: 0,
    quality: { heightPx: height, widthPx: width, sharpness: 0.8, contrast: 0.8, glare: 0 },
  }
}
