import { createHash } from 'node:crypto'
import { headers as newHeaders, type NatsConnection } from 'nats'
import { detectionsSubject, framesSubject, HEADER, isTooLarge, natsReason, packPictures } from '../../engine/mod.js'
import { AlprError } from '../../engine/runtime/mod.js'
import type { PushCounts } from './counts.js'
import type { Pushed, PushedDetection, PushedFrame } from './request.js'

/** An answer of the stream is waited for this long, ms: shorter than the patience of a camera. */
const kAckMs = 5_000
/** Left for the headers of a message, and those of a dead letter. */
const kHeaderBytes = 4_096

/** Puts what a camera pushed on its stream; resolves when the stream has all of it. */
export class PushPublisher {
  /** @param connection throws while there is none */
  constructor(
    private readonly connection: () => NatsConnection,
    private readonly counts: PushCounts,
  ) {}

  /**
   * @returns messages that the stream took or had already
   * @throws ALPR_ERR_PUSH_NOT_STORED: the camera must send it again; what was stored before then counts as a repeat
   */
  async publish(camera: string, { frames = [], detections = [], pictures = [] }: Pushed, arrivedAt: number) {
    for (const frame of frames) await this.frame(camera, frame, arrivedAt)
    if (detections.length > 0) await this.detections(camera, detections, pictures)
    return frames.length + detections.length
  }

  private async detections(camera: string, detections: PushedDetection[], pictures: Buffer[]): Promise<void> {
    const written = detections.map((one) => ({ ...one, capturedAt: new Date(one.capturedAt).toISOString() }))
    // A repeat has the same content, whatever the camera puts around it. Pictures may differ.
    const named = written.map(({ pictures: _, ...rest }) => rest)
    const header = { [HEADER.msgId]: `push-${camera}-${hashOf(JSON.stringify(named))}` }
    const only = (value: unknown) => JSON.stringify(detections.length === 1 ? (value as unknown[])[0] : value)
    const room = this.maxPayload() - kHeaderBytes
    const packed = pictures.length > 0 ? packPictures(only(written), pictures) : Buffer.from(only(written))
    const fits = packed.length <= room
    // The read is worth more than its pictures.
    if (!fits) this.counts.add('leftOut', camera, 'pictures', pictures.length)
    await this.send(camera, detectionsSubject(camera), fits ? packed : Buffer.from(only(named)), header)
  }

  private async frame(camera: string, { jpeg, capturedAt, position }: PushedFrame, arrivedAt: number): Promise<void> {
    if (capturedAt === undefined) this.counts.add('arrivalTimes', camera)
    const header: Record<string, string> = {
      [HEADER.capturedAt]: new Date(capturedAt ?? arrivedAt).toISOString(),
      // A picture that is sent again has another time of arrival.
      [HEADER.msgId]: `push-${camera}-${hashOf(String(capturedAt ?? ''), jpeg)}`,
      ...(position && { [HEADER.position]: `${position.lat.toFixed(7)},${position.lon.toFixed(7)}` }),
    }
    await this.send(camera, framesSubject(camera), jpeg, header)
  }

  /** Of the server, bytes. @throws ALPR_ERR_PUSH_NOT_STORED while there is none */
  private maxPayload(): number {
    try {
      return this.connection().info?.max_payload ?? 1_048_576
    } catch (error) {
      throw new AlprError('ALPR_ERR_PUSH_NOT_STORED', { reason: natsReason(error) }, { cause: error })
    }
  }

  private async send(camera: string, subject: string, payload: Uint8Array, header: Record<string, string>) {
    const headers = newHeaders()
    for (const [name, value] of Object.entries(header)) headers.set(name, value)
    try {
      const { duplicate } = await this.connection().jetstream().publish(subject, payload, { headers, timeout: kAckMs })
      this.counts.add(duplicate ? 'repeated' : 'stored', camera)
    } catch (error) {
      if (isTooLarge(error))
        throw new AlprError('ALPR_ERR_PUSH_TOO_LARGE', {
          what: 'the message for the stream',
          value: payload.length,
          limit: this.maxPayload(),
        })
      throw new AlprError('ALPR_ERR_PUSH_NOT_STORED', { reason: natsReason(error) }, { cause: error })
    }
  }
}

const hashOf = (...pieces: (string | Uint8Array)[]): string => {
  const hash = createHash('sha256')
  for (const piece of pieces) hash.update(piece)
  return hash.digest('hex').slice(0, 32)
}
