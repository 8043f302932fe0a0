import { AlprError } from '../errors.js'
import type { StreamMessage } from '../partition/partition_consumer.js'
import type { BehindPosition } from '../partition/position.js'
import { Semaphore } from '../runtime/semaphore.js'
import type { Extracted } from '../sources/source.js'
import type { ReadyMessages } from './ready_messages.js'

/** Least number of cameras of a partition whose messages are in memory at the same time; others wait for their turn. */
const kTurns = 4
/** The client gives times of arrival as numbers of nanoseconds that are not exact. */
const kRoundingMs = 1

interface Behind extends BehindPosition {
  /** The last message that was passed over, and when it arrived, ms: there the camera has caught up. */
  until: number
  untilAt: number
  /** How many messages it passed over and has not read, as far as this tenure knows. */
  waiting: number
}

/** How a camera that is behind gets its messages. */
export interface BehindParts {
  stream: string
  /** Messages that are extracted at the same time. */
  workers: number
  /** The first message of a camera with this sequence or a later one. Tries until it succeeds, or the pipeline ends. */
  findNext(camera: string, from: number): Promise<StreamMessage | undefined>
  /** Tries until it succeeds, or the pipeline ends. */
  extract(message: StreamMessage): Promise<Extracted>
  ready: ReadyMessages
  ending: AbortSignal
}

/**
 * Cameras that take more than their share of the workers. The partition passes their messages over and leaves them on
 * the stream; each of these cameras reads its own from there, one at a time and by turns, until it has caught up. The
 * checkpoint says how far each has come.
 *
 *     stream   a b B a B b a B B a     B takes thirty times as long
 *     window   a b   a   b a     a     goes on
 *     B              ▲ done      until
 */
export class CamerasBehind {
  readonly #cameras = new Map<string, Behind>()
  readonly #turns: Semaphore
  /** Whether `takePositions` says something else than at its last call. */
  hasChanged = false

  /** @param start what the last checkpoint says @param until the last message that was passed over, and its arrival */
  constructor(
    private readonly parts: BehindParts,
    start: readonly BehindPosition[],
    { seq, arrivedAt = Infinity }: { seq: number; arrivedAt?: number },
  ) {
    this.#turns = new Semaphore(Math.max(kTurns, 2 * parts.workers))
    parts.ending.addEventListener('abort', () => this.#turns.close(new Error('the pipeline ends')))
    for (const position of start)
      this.#cameras.set(position.camera, {
        ...position,
        until: seq,
        untilAt: arrivedAt,
        waiting: 1,
      })
  }

  /** How many cameras are behind. */
  get size(): number {
    return this.#cameras.size
  }

  /** Messages that were passed over and are not read yet: at least so many. */
  get waiting(): number {
    let sum = 0
    for (const { waiting } of this.#cameras.values()) sum += waiting
    return sum
  }

  /** Where each camera that is behind has come to. */
  takePositions(): BehindPosition[] {
    this.hasChanged = false
    return [...this.#cameras.values()].map(({ camera, done, doneAt }) => ({ camera, done, doneAt }))
  }

  /** The last message that is done of a camera that is behind; undefined for others. */
  doneOf(camera: string): number | undefined {
    return this.#cameras.get(camera)?.done
  }

  /** Begins with the cameras of the last checkpoint. */
  start(): void {
    for (const camera of this.#cameras.keys()) this.resume(camera)
  }

  /** Passes a message over if its camera is behind. @returns whether it is */
  pass({ camera, seq, arrivedAt }: StreamMessage): boolean {
    const behind = this.#cameras.get(camera)
    if (!behind) return false
    behind.until = seq
    behind.untilAt = arrivedAt
    behind.waiting += 1
    return true
  }

  /** From these messages on, a camera is behind. Nothing is read before `resume`. */
  begin(messages: readonly StreamMessage[]): void {
    const { camera, seq, arrivedAt } = messages[0]!
    const last = messages.at(-1)!
    this.#cameras.set(camera, {
      camera,
      done: seq - 1,
      doneAt: arrivedAt - 1,
      until: last.seq,
      untilAt: last.arrivedAt,
      waiting: messages.length,
    })
    this.hasChanged = true
  }

  /** All earlier messages of a camera are applied: if it is behind, it goes on with those that were passed over. */
  resume(camera: string): void {
    const behind = this.#cameras.get(camera)
    const { ending, ready } = this.parts
    if (behind)
      this.#catchUp(behind).catch((error: unknown) => {
        if (!ending.aborted) ready.fail(error)
      })
  }

  async #catchUp(behind: Behind): Promise<void> {
    while (this.#cameras.get(behind.camera) === behind) await this.#turns.run(() => this.#next(behind))
  }

  async #next(behind: Behind): Promise<void> {
    const { parts } = this
    const { until } = behind
    const message = await parts.findNext(behind.camera, behind.done + 1)
    this.hasChanged = true
    if (!message || message.seq > until) {
      // A message that was passed over meanwhile may have come too late for this answer.
      if (behind.until === until) this.#cameras.delete(behind.camera)
      return
    }
    // Only the stream as it was when the message was passed over is known.
    if (message.arrivedAt > behind.untilAt + kRoundingMs)
      throw new AlprError('ALPR_ERR_STREAM_CHANGED', { stream: parts.stream, reason: 'was set back' })
    const extracted = await parts.extract(message)
    await new Promise<void>((resolve) => {
      const done = () => {
        behind.done = message.seq
        behind.doneAt = message.arrivedAt
        behind.waiting = Math.max(0, behind.waiting - 1)
        resolve()
      }
      parts.ready.push({ message, extracted, done })
    })
  }
}
