import type { Msg, MsgHdrs, NatsConnection, Subscription } from 'nats'
import { CAMERA_ID } from '../model/camera.js'
import { EXPECTED_STREAM } from '../nats/mapping_probe.js'
import { readHeaders } from '../nats/read_headers.js'
import { cameraOf, HEADER } from '../nats/topology.js'
import { parseInstant } from '../model/time.js'
import { Condition } from '../runtime/condition.js'
import type { FeedFrame, FeedLog } from './feed_format.js'

/** Bytes of frames that may wait to be taken. The NATS client would buffer without a bound. */
const MAX_WAITING_BYTES = 268_435_456

/** A publisher that repeats a refused frame sends it to every subscriber again; this many ids are remembered. */
const REMEMBERED_IDS = 10_000

/** MCAP's clock, 64 bits of nanoseconds, ends in 2554; this bound is a little earlier, ms. */
const LATEST_MS = 9_000_000_000_000

const RFC3339_UTC = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|\+00:00)$/

export interface LiveFramesOptions {
  /** Cameras to follow; all when empty. */
  cameras?: readonly string[]
  /** Ends the subscription; frames that wait can still be taken. */
  signal: AbortSignal
  log?: FeedLog
}

/** The frames that cameras publish from now on, each `Nats-Msg-Id` once, in a bounded queue. */
export class LiveFrames {
  /** Frames that did not fit into the queue. */
  missed = 0
  readonly #options: LiveFramesOptions
  readonly #wanted: ReadonlySet<string>
  readonly #subscription: Subscription
  readonly #queue: FeedFrame[] = []
  readonly #ids = new Set<string>()
  #waitingBytes = 0
  readonly #arrived = new Condition()

  constructor(connection: NatsConnection, options: LiveFramesOptions) {
    this.#options = options
    this.#wanted = new Set(options.cameras)
    this.#subscription = connection.subscribe('frames.>', {
      callback: (error, message) => {
        if (!error) this.#take(message)
      },
    })
    options.signal.addEventListener('abort', this.close, { once: true })
  }

  /** Resolves to the next frame; undefined when the signal is aborted and no frame waits. */
  async next(): Promise<FeedFrame | undefined> {
    await this.#arrived.wait(() => this.#queue.length > 0 || this.#options.signal.aborted)
    const frame = this.#queue.shift()
    this.#waitingBytes -= frame?.jpeg.length ?? 0
    return frame
  }

  readonly close = (): void => {
    this.#options.signal.removeEventListener('abort', this.close)
    if (!this.#subscription.isClosed()) this.#subscription.unsubscribe()
    this.#arrived.changed()
  }

  #take(message: Msg): void {
    // Headers that cannot be read are left out: an engine rejects the frame, and a replay of it is rejected too.
    const { headers } = readHeaders(() => message.headers)
    // Engines look for the mapping of the server with messages that no stream takes.
    if (headers?.has(EXPECTED_STREAM)) return
    const camera = cameraOf(message.subject)
    if (!CAMERA_ID.test(camera) || (this.#wanted.size > 0 && !this.#wanted.has(camera))) return
    if (this.#isRepeated(headers?.get(HEADER.msgId))) return
    if (this.#waitingBytes > MAX_WAITING_BYTES) {
      if (this.missed++ === 0)
        this.#options.log?.warn(
          { bound: 'record queue', bytes: MAX_WAITING_BYTES },
          'the disk is slower than the cameras: frames are missing in the recording',
        )
      return
    }
    this.#queue.push(toFrame(camera, message, headers))
    this.#waitingBytes += message.data.length
    this.#arrived.changed()
  }

  #isRepeated(id: string | undefined): boolean {
    if (!id) return false
    if (this.#ids.has(id)) return true
    this.#ids.add(id)
    if (this.#ids.size > REMEMBERED_IDS) this.#ids.delete(this.#ids.values().next().value as string)
    return false
  }
}

/** Copies the payload: it is a view into a buffer that the client reuses. */
function toFrame(camera: string, { data }: Msg, received: MsgHdrs | undefined): FeedFrame {
  const recordedAt = Date.now()
  const headers: Record<string, string> = {}
  for (const [name, values] of received ?? []) {
    if (!name.startsWith('Nats-') && name !== HEADER.capturedAt) headers[name] = values.at(-1) ?? ''
  }
  const text = received?.get(HEADER.capturedAt) ?? ''
  const time = (RFC3339_UTC.test(text) ? parseInstant(text) : undefined) ?? NaN
  // A text that is not a time stays a header, word for word: a replay must send what the camera sent.
  const usable = time >= 0 && time < LATEST_MS
  if (!usable) headers[HEADER.capturedAt] = text
  return { camera, capturedAt: usable ? time : recordedAt, recordedAt, headers, jpeg: Uint8Array.from(data) }
}
