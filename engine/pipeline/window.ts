import { Condition } from '../runtime/condition.js'
import type { StreamMessage } from '../partition/partition_consumer.js'

/** A message that was pulled from the stream. Its payload is not kept here. */
export interface Pulled {
  seq: number
  camera?: string
  /** When it arrived on the stream, ms; undefined when that is not known. */
  arrivedAt?: number
  /** Where to acknowledge it and all earlier ones; undefined for one that another tenure pulled. */
  reply?: string
}

/**
 * The messages pulled from a stream, in its order, of which some are done before earlier ones: cameras do not wait for
 * each other. It knows how far every message is done, and bounds nothing by itself: the consumer asks for room before
 * it pulls.
 *
 *     committed … done ──► [ in work | done | in work | in work | done ] ◄── push
 */
export class Window {
  /** The last message up to which every message is done and durable. */
  committed: number
  /** The last message up to which every message is done. */
  done: Pulled
  /** The last message pulled. */
  last: number
  readonly #rest: (Pulled & { isDone: boolean })[] = []
  readonly #room = new Condition()
  #size = 0

  /** @param limit messages in work at once @param start the last message that is done */
  constructor(
    readonly limit: number,
    start: Pulled,
  ) {
    this.done = start
    this.last = this.committed = start.seq
  }

  /** Messages in work. */
  get size(): number {
    return this.#size
  }

  /** The oldest message that is not done. */
  get first(): Pulled | undefined {
    return this.#rest[0]
  }

  /** Messages that may come into work now. */
  get free(): number {
    return Math.max(0, this.limit - this.#size)
  }

  /** A message comes into work. @returns a function to call once when it is done */
  push(message: Pulled): () => void {
    const { seq } = message
    const pulled = { ...message, isDone: false }
    this.#rest.push(pulled)
    this.last = seq
    this.#size += 1
    return () => {
      pulled.isDone = true
      this.#size -= 1
      this.#advance()
      this.#room.changed()
    }
  }

  /** Waits until there is room for `least` more, or for `ms`. @returns how many fit, which may be fewer */
  async whenFree(least: number, ms?: number): Promise<number> {
    await this.#room.wait(() => this.free >= least, ms)
    return this.free
  }

  /** Ends all waits, and those of later calls. */
  close(): void {
    this.#room.close()
  }

  #advance(): void {
    let count = 0
    while (this.#rest[count]?.isDone) count += 1
    if (count === 0) return
    this.done = this.#rest[count - 1]!
    this.#rest.splice(0, count)
  }
}

/** What the window remembers of a message. */
export const pulledOf = ({ seq, camera, arrivedAt, reply }: StreamMessage): Pulled => ({
  seq,
  camera,
  arrivedAt,
  reply,
})
