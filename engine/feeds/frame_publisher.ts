import { headers as newHeaders, type JetStreamClient } from 'nats'
import { AlprError } from '../errors.js'
import { natsReason } from '../nats/connect.js'
import { framesSubject, HEADER } from '../nats/topology.js'
import { backoffMs, sleep } from '../runtime/backoff.js'

export interface Outgoing {
  camera: string
  /** The same id is taken by the stream once within its window of 2 minutes. */
  msgId: string
  /** All headers but the id. */
  headers: Record<string, string>
  jpeg: Uint8Array
}

export interface PublisherOptions {
  /** Bytes published and not yet acknowledged. @default 32 MiB */
  maxInFlightBytes?: number
  /**
   * Called when the stream refuses for now (full, no server), with the reason, and again with undefined when it takes
   * frames again.
   */
  onWaiting?: (reason: string | undefined) => void
  signal?: AbortSignal
}

export interface PublisherCounts {
  published: number
  /** Taken by the stream before, under the same id. */
  duplicates: number
  /** Refused for good: larger than the stream takes. */
  refused: number
  bytes: number
}

/**
 * Publishes frames to JetStream: the frames of one camera strictly one after the other, those of different cameras side
 * by side. So a frame that is refused (stream full, server away) can be sent again, for ever, without overtaking: order
 * per camera holds and nothing is skipped. (One in flight costs little: 1.3 k frames/s of 300 KB against 1.6 k with a
 * window, on loopback.)
 */
export class FramePublisher {
  readonly counts: PublisherCounts = { published: 0, duplicates: 0, refused: 0, bytes: 0 }
  readonly #client: JetStreamClient
  readonly #options: PublisherOptions
  /** The last frame of each camera, settled when the stream has it. */
  readonly #tails = new Map<string, Promise<void>>()
  #inFlightBytes = 0
  #wake: (() => void)[] = []
  #waitingFor = 0
  #failure: unknown

  constructor(client: JetStreamClient, options: PublisherOptions = {}) {
    this.#client = client
    this.#options = options
  }

  /**
   * Resolves when there is room for the next frame, not when this one is acknowledged. @throws when the connection is
   * closed
   */
  async publish(frame: Outgoing): Promise<void> {
    if (this.#failure) throw this.#failure
    const size = frame.jpeg.length + 512
    const limit = this.#options.maxInFlightBytes ?? 33_554_432
    this.#inFlightBytes += size
    const before = this.#tails.get(frame.camera) ?? Promise.resolve()
    const tail = before
      .then(() => this.#send(frame))
      .catch((error: unknown) => {
        this.#failure ??= error
      })
      .finally(() => {
        this.#inFlightBytes -= size
        for (const wake of this.#wake.splice(0)) wake()
      })
    this.#tails.set(frame.camera, tail)
    // The one frame that is larger than the limit by itself may go.
    while (this.#inFlightBytes > limit && this.#inFlightBytes > size)
      await new Promise<void>((resolve) => this.#wake.push(resolve))
  }

  /** Resolves when the stream has everything. @throws what made publishing impossible */
  async flush(): Promise<void> {
    await Promise.all(this.#tails.values())
    if (this.#failure) throw this.#failure
  }

  async #send(frame: Outgoing): Promise<void> {
    const { signal, onWaiting } = this.#options
    const headers = newHeaders()
    for (const [name, value] of Object.entries(frame.headers)) headers.set(name, value)
    headers.set(HEADER.msgId, frame.msgId)
    let waits = false
    try {
      for (let attempt = 0; ; attempt++) {
        if (signal?.aborted || this.#failure) return
        try {
          const ack = await this.#client.publish(framesSubject(frame.camera), frame.jpeg, { headers, timeout: 5_000 })
          if (ack.duplicate) this.counts.duplicates++
          else {
            this.counts.published++
            this.counts.bytes += frame.jpeg.length
          }
          return
        } catch (error) {
          const reason = natsReason(error)
          if (isTooLarge(error)) {
            this.counts.refused++
            return
          }
          if (/connection closed|draining/i.test(reason))
            throw new AlprError('ALPR_ERR_NATS_UNAVAILABLE', { url: 'the server', reason }, { cause: error })
          if (!waits) {
            waits = true
            this.#waitingFor++
          }
          onWaiting?.(reason)
          await sleep(backoffMs(attempt, { firstMs: 50, maxMs: 2_000 }), signal)
        }
      }
    } finally {
      if (waits && --this.#waitingFor === 0) onWaiting?.(undefined)
    }
  }
}

const kMessageSizeExceedsMaximum = 10_054

function isTooLarge(error: unknown): boolean {
  const { code, api_error: api } = error as { code?: string; api_error?: { err_code: number } }
  return api?.err_code === kMessageSizeExceedsMaximum || code === 'MAX_PAYLOAD_EXCEEDED'
}
