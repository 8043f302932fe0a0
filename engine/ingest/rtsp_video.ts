import type { Metrics } from '../runtime/metrics.js'
import type { AccessUnit } from './access_unit.js'
import { CameraError } from './camera_error.js'
import type { PictureIntake } from './picture_intake.js'
import type { RtspCodec } from './rtsp_stream.js'
import { VideoDecoder } from './video_decoder.js'

export interface RtspVideoOptions {
  codec: RtspCodec
  intake: PictureIntake
  metrics: Metrics
  ffmpeg: string | undefined
  /** Decoding is over. */
  onEnded: (reason: string) => void
}

/** Most pictures that may be in the decoder. */
const MOST_TICKETS = 2_000
/** A camera that sends no key picture for so long sends none at all: it refreshes bit by bit, ms. */
const KEY_WAIT_MS = 10_000

/**
 * Makes JPEGs of the pictures of a camera. JPEGs are passed on as they are. Of a video all pictures are decoded that
 * others need; after a loss none until the next key picture, since half a picture can be misread.
 */
export class RtspVideo {
  readonly #options: RtspVideoOptions
  readonly #decoder: VideoDecoder | undefined
  /** When each picture in the decoder was taken. */
  readonly #tickets = new Map<number, number>()
  #firstMs: number | undefined
  /** Since when nothing is decoded for want of a key picture: clock of arrival, ms. */
  #waitsForKey: number | undefined

  private constructor(options: RtspVideoOptions, decoder: VideoDecoder | undefined) {
    this.#options = options
    this.#decoder = decoder
  }

  /** @throws CameraError when ffmpeg is needed and missing */
  static open(options: RtspVideoOptions): RtspVideo {
    const { codec, ffmpeg } = options
    if (codec === 'JPEG') return new RtspVideo(options, undefined)
    if (ffmpeg === undefined) throw new CameraError('ffmpeg is missing on this machine: sudo apt-get install -y ffmpeg')
    const decoder = new VideoDecoder({
      ...{ ffmpeg, codec },
      onPicture: ({ ticket, jpeg, miniature }) => {
        const capturedAt = video.#tickets.get(ticket)
        video.#tickets.delete(ticket)
        if (capturedAt !== undefined) options.intake.take(jpeg, capturedAt, miniature)
      },
    })
    const video = new RtspVideo(options, decoder)
    void decoder.ended.then(options.onEnded)
    return video
  }

  take(unit: AccessUnit, arrival: number, cameraMs: number | undefined): void {
    const { intake, metrics } = this.#options
    const time = { camera: cameraMs, counter: unit.streamMs }
    const capturedAt = intake.admit(arrival, time)
    if (!this.#decoder) {
      if (unit.isDamaged) metrics.count('frames_damaged_total')
      else if (capturedAt !== undefined) intake.take(unit.data, capturedAt)
      return
    }
    if (!this.#canDecode(unit, arrival)) {
      metrics.count('frames_damaged_total')
      return
    }
    if (capturedAt === undefined && unit.isDisposable) return
    this.#firstMs ??= unit.streamMs
    // Pictures may come in another order than they are shown: the first is not the earliest.
    const ticket = Math.round(unit.streamMs - this.#firstMs) + 10_000
    if (ticket < 0) return
    if (capturedAt !== undefined) {
      this.#tickets.set(ticket, capturedAt)
      if (this.#tickets.size > MOST_TICKETS) this.#tickets.delete(this.#tickets.keys().next().value!)
    }
    this.#decoder.decode(unit.data, ticket, unit.isKey, capturedAt !== undefined)
  }

  close(): void {
    this.#decoder?.close()
  }

  #canDecode(unit: AccessUnit, arrival: number): boolean {
    if (this.#decoder!.isBehind && this.#waitsForKey === undefined) {
      this.#options.metrics.bound('ingest_decoder')
      this.#waitsForKey = arrival
    }
    if (unit.isDamaged) {
      // A picture that no other needs is left out alone.
      if (!unit.isDisposable) this.#waitsForKey ??= arrival
      return false
    }
    if (this.#firstMs === undefined) this.#waitsForKey ??= arrival
    if (this.#waitsForKey === undefined) return true
    if (this.#decoder!.isBehind || !(unit.isKey || arrival - this.#waitsForKey > KEY_WAIT_MS)) return false
    this.#waitsForKey = undefined
    return true
  }
}
