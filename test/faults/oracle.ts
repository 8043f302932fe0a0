import { headers, type NatsConnection } from 'nats'
import { setTimeout as sleep } from 'node:timers/promises'
import { framesSubject, HEADER } from '../../engine/mod.js'
import type { FeedFrame } from './feed.js'

/** What must come of a frame. */
export type Fate = 'applied' | 'dead'

/** A frame that the stream said it has. */
export interface Acknowledged extends FeedFrame {
  /** As published: the fault's own name of the camera. */
  published: string
  seq: number
  /**
   * The last sequence known when it was first sent: a try that was taken and not acknowledged lies between that and
   * `seq`.
   */
  after: number
  fate: Fate
}

/**
 * Knows every frame published and every acknowledgement given. A frame without an acknowledgement is published again
 * under the same id until there is one, as a camera must do, so what the oracle knows is what the system has promised.
 */
export class Oracle {
  readonly acknowledged: Acknowledged[] = []
  /** Publishes that failed or were not answered in time. */
  refusals = 0
  /** Frames whose sequence was given again to another. */
  readonly forgotten: Acknowledged[] = []
  readonly #bySeq = new Map<number, Acknowledged>()
  #last = 0

  constructor(private readonly connection: NatsConnection) {}

  /** @returns when the stream has it @throws after `limitMs` without an acknowledgement */
  async publish(frame: FeedFrame, published: string, fate: Fate = 'applied', limitMs = 60_000): Promise<Acknowledged> {
    const header = headers()
    header.set(HEADER.capturedAt, new Date(frame.capturedAt).toISOString())
    header.set(HEADER.msgId, `${published}.${frame.name}`)
    const deadline = performance.now() + limitMs
    const after = this.#last
    for (;;) {
      try {
        const { seq } = await this.connection
          .jetstream()
          .publish(framesSubject(published), frame.jpeg, { headers: header, timeout: 2_000 })
        return this.#note({ ...frame, published, seq, after, fate })
      } catch (error) {
        this.refusals++
        if (performance.now() > deadline)
          throw new Error(`no acknowledgement of ${frame.name} within ${limitMs} ms: ${String(error)}`)
        await sleep(100)
      }
    }
  }

  /** Two frames with one sequence: the stream forgot one that it had acknowledged. The judge tells. */
  #note(frame: Acknowledged): Acknowledged {
    const before = this.#bySeq.get(frame.seq)
    if (before) this.forgotten.push(before)
    this.#bySeq.set(frame.seq, frame)
    this.#last = Math.max(this.#last, frame.seq)
    this.acknowledged.push(frame)
    return frame
  }

  /** Frames of the cameras whose name ends so. */
  of(suffix: string): Acknowledged[] {
    return this.acknowledged.filter(({ published }) => published.endsWith(suffix))
  }

  /**
   * The id of a read in terms of the recording: which frame began it, and which of its detections. The engine may have
   * gone by a try of that frame which was never acknowledged.
   */
  nameOf(readId: string): string {
    const low = BigInt(readId) & 0xff_ffff_ffffn
    const seq = Number(low >> 4n)
    const frame = this.#bySeq.get(seq) ?? this.acknowledged.find((one) => one.after < seq && seq < one.seq)
    return `${frame?.name ?? `unacknowledged sequence ${seq}`}:${low & 15n}`
  }
}
