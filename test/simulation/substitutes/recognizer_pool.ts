import { AlprError } from '../../../engine/errors.js'
import type { PoolOptions, Recognition } from '../../../engine/recognize/pool.js'
import { sleep } from '../../../engine/runtime/backoff.js'
import { FairQueue } from '../../../engine/recognize/fair_queue.js'
import { Withdrawn } from '../../../engine/recognize/withdrawn.js'
import { characterDistributions } from '../../../engine/sources/message_distribution.js'
import type { Detection } from '../../../wasm/mod.js'
import { world } from '../current.js'
import { parsePicture, type PictureDetection } from '../picture.js'

/** Time between attempts to start a thread, ms. */
const RESTART_PAUSE_MS = 5_000

interface Frame {
  copy: Uint8Array
  jpeg: Uint8Array
  resolve(recognition: Recognition): void
  reject(error: Error): void
}

/** Recognition threads that read a picture's detections from its bytes. */
export class RecognizerPool {
  readonly module = '0123456789abcdef'
  readonly model = 'fedcba9876543210'
  private readonly queue = new FairQueue<Frame>()
  private busy = 0

  private constructor(
    readonly slots: number,
    private readonly options: PoolOptions,
  ) {}

  static create(options: PoolOptions = {}): Promise<RecognizerPool> {
    return Promise.resolve(new RecognizerPool(options.workers ?? 2, options))
  }

  get pending(): number {
    return this.busy + this.queue.size
  }

  get free(): number {
    return Math.max(0, this.slots - this.pending)
  }

  costOf(camera: string): number {
    return this.queue.costOf(camera)
  }

  withdraw(jpeg: Uint8Array, camera: string): boolean {
    return this.queue.remove(camera, (frame) => {
      if (frame.jpeg !== jpeg) return false
      frame.reject(new Withdrawn())
      return true
    })
  }

  /** Waits while no thread starts. @throws ALPR_ERR_FRAME_CORRUPT for a picture that says so */
  recognize(jpeg: Uint8Array, camera = ''): Promise<Recognition> {
    return new Promise((resolve, reject) => {
      this.queue.push(camera, { copy: Buffer.from(jpeg), jpeg, resolve, reject })
      this.assign()
    })
  }

  close(): Promise<void> {
    for (const { reject } of this.queue.clear())
      reject(new AlprError('ALPR_ERR_INTERNAL', { reason: 'the recognizer pool is closed' }))
    return Promise.resolve()
  }

  private assign(): void {
    while (this.busy < this.slots) {
      const next = this.queue.shift()
      if (!next) return
      this.busy += 1
      const begun = performance.now()
      this.read(next.job.copy)
        .then(next.job.resolve, next.job.reject)
        .finally(() => {
          this.busy -= 1
          next.end(performance.now() - begun)
          this.assign()
        })
    }
  }

  private async read(picture: Uint8Array): Promise<Recognition> {
    const { brokenRecognizers, clock, random } = world()
    const owner = clock.current!
    while (brokenRecognizers.has(owner)) await this.wait()
    const { ms, isBroken, detections } = parsePicture(picture)
    await sleep(random.engines.delay(ms))
    if (isBroken) throw new AlprError('ALPR_ERR_FRAME_CORRUPT', { reason: 'simulated' })
    return {
      width: 1_920,
      height: 1_080,
      ms: { decode: 1, recognize: ms, find: ms, read: 0 },
      detections: detections.map(detectionOf),
      damaged: false,
    }
  }

  private async wait(): Promise<void> {
    this.options.onStuck?.('recognition threads do not start: simulated')
    await sleep(RESTART_PAUSE_MS)
    this.options.onStuck?.(undefined)
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
