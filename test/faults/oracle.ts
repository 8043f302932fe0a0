import { headers, type NatsConnection } from 'nats'
import { setTimeout as sleep } from 'node:timers/promises'
import { framesSubject, HEADER } from '../../engine/mod.js'
import type { FeedFrame } from './feed.js'

/** What must become of a frame. */
export type Fate = 'applied' | 'dead'

/** A frame that the stream has acknowledged. */
export interface Acknowledged extends FeedFrame {
  /** Camera name under which it was published, which is specific to the fault. */
  published: string
  /** The stream of its camera, and its sequence there. */
  stream: string
  seq: number
  /**
   * Last known sequence of that stream when it was first sent. An attempt that was stored but not acknowledged lies
   * between this sequence and `seq`.
   */
  after: number
  fate: Fate
}

/**
 * Records every published frame and its acknowledgement. A frame without an acknowledgement is published again with the
 * same id until there is one, as a camera must do. So the oracle knows exactly what the system has promised.
 */
export class Oracle {
  readonly acknowledged: Acknowledged[] = []
  /** Attempts that failed or timed out. */
  refusals = 0
  /** Frames whose sequence was later given to another frame. */
  readonly forgotten: Acknowledged[] = []
  readonly #byPlace = new Map<string, Acknowledged>()
  /** By camera, the stream it is mapped to; by stream, its last known sequence. */
  readonly #streams = new Map<string, string>()
  readonly #last = new Map<string, number>()

  constructor(private readonly connection: NatsConnection) {}

  /** @returns once the stream has acknowledged the frame @throws after `limitMs` without an acknowledgement */
  async publish(frame: FeedFrame, published: string, fate: Fate = 'applied', limitMs = 60_000): Promise<Acknowledged> {
    const header = headers()
    header.set(HEADER.capturedAt, new Date(frame.capturedAt).toISOString())
    header.set(HEADER.msgId, `${published}.${frame.name}`)
    const deadline = performance.now() + limitMs
    const after = this.#last.get(this.#streams.get(published) ?? '') ?? 0
    for (;;) {
      try {
        const { seq, stream } = await this.connection
          .jetstream()
          .publish(framesSubject(published), frame.jpeg, { headers: header, timeout: 2_000 })
        return this.#note({ ...frame, published, stream, seq, after, fate })
      } catch (error) {
        this.refusals++
        if (performance.now() > deadline)
          throw new Error(`no acknowledgement of ${frame.name} within ${limitMs} ms: ${String(error)}`)
        await sleep(100)
      }
    }
  }

  /** Two frames with one sequence mean that the stream lost an acknowledged frame; the judge reports it. */
  #note(frame: Acknowledged): Acknowledged {
    const { stream, seq, published } = frame
    const previous = this.#byPlace.get(placeOf(stream, seq))
    if (previous) this.forgotten.push(previous)
    this.#byPlace.set(placeOf(stream, seq), frame)
    this.#streams.set(published, stream)
    this.#last.set(stream, Math.max(this.#last.get(stream) ?? 0, seq))
    this.acknowledged.push(frame)
    return frame
  }

  /** Frames of the cameras whose name ends in `suffix`. */
  of(suffix: string): Acknowledged[] {
    return this.acknowledged.filter(({ published }) => published.endsWith(suffix))
  }

  /**
   * Expresses the id of a read in terms of the recording: its first frame, and which detection of that frame. The
   * engine may have used an attempt to publish that frame that was never acknowledged.
   * @param camera under which the frame was published
   * @param ts when the read begins, RFC 3339
   */
  nameOf(readId: string, camera: string, ts: string): string {
    const low = BigInt(readId) & 0xff_ffff_ffffn
    const seq = Number(low >> 4n)
    const at = Date.parse(ts)
    // Where the number of partitions changed, the camera has used the sequences of two streams.
    const isIt = (one: Acknowledged) => one.published === camera && one.seq === seq && one.capturedAt === at
    const frame = this.acknowledged.find(isIt) ?? this.frameAt(camera, seq)
    return `${frame?.name ?? `unacknowledged sequence ${seq}`}:${low & 15n}`
  }

  /** The frame with this sequence on the stream of a camera. */
  frameAt(camera: string, seq: number): Acknowledged | undefined {
    const stream = this.#streams.get(camera) ?? ''
    return (
      this.#byPlace.get(placeOf(stream, seq)) ??
      this.acknowledged.find((one) => one.stream === stream && one.after < seq && seq < one.seq)
    )
  }
}

const placeOf = (stream: string, seq: number): string => `${stream}:${seq}`
