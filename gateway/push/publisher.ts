import { createHash } from 'node:crypto'
import { headers as newHeaders, type NatsConnection } from 'nats'
import { framesSubject, HEADER, isTooLarge, natsReason } from '../../engine/mod.js'
import { AlprError } from '../../engine/runtime/mod.js'
import type { PushCounts } from './counts.js'
import type { Pushed, PushedFrame } from './request.js'

/** An answer of the stream is waited for this long, ms: shorter than the patience of a camera. */
const kAckMs = 5_000

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
  async publish(camera: string, { frames }: Pushed, arrivedAt: number): Promise<number> {
    for (const frame of frames) await this.frame(camera, frame, arrivedAt)
    return frames.length
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
          limit: this.connection().info?.max_payload ?? 0,
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
