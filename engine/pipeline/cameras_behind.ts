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

/** What a message needs on the stream besides its payload, bytes: about. */
const kRecordBytes = 100

interface Behind extends Required<BehindPosition> {
  /** The last message that was passed over, and when it arrived, ms: there the camera has caught up. */
  until: number
  untilAt: number
  /** Those of its waiting messages that no checkpoint covers. */
  uncovered: { seq: number; bytes: number }[]
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
  /** What becomes of a message that is beyond the bound of its camera. @param waiting bytes of the camera that wait */
  refuse(message: StreamMessage, waiting: number, limit: number): Extracted
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
 *
 * While the stream is nearly full, each may have a bounded part of it: beyond that, its oldest messages become dead
 * letters.
 */
export class CamerasBehind {
  readonly #cameras = new Map<string, Behind>()
  readonly #turns: Semaphore
  /** Whether `takePositions` says something else than at its last call. */
  hasChanged = false
  /** Bytes that may wait for each camera. */
  #limit = Infinity
  /** How many cameras share the stream while it is nearly full; 0 at other times. */
  #sharers = 0

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
        waiting: position.waiting ?? 1,
        bytes: position.bytes ?? 0,
        uncovered: [],
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

  /** Of cameras that share a stream which is nearly full; 0 when it has room. */
  get sharers(): number {
    return this.#sharers
  }

  /**
   * The stream is nearly full, or has room again.
   * @param limit bytes that may wait for each camera; Infinity: no bound
   * @param sharers how many cameras share the stream
   */
  bound(limit: number, sharers: number): void {
    this.#limit = limit
    this.#sharers = sharers
  }

  /** Where each camera that is behind has come to. @param covered the last message that the checkpoint covers */
  takePositions(covered: number): BehindPosition[] {
    this.hasChanged = false
    return [...this.#cameras.values()].map(({ camera, done, doneAt, waiting, bytes, uncovered }) => {
      while (uncovered.length > 0 && uncovered[0]!.seq <= covered) uncovered.shift()
      return {
        camera,
        // What comes after `covered` comes again after a restart.
        done: Math.min(done, covered),
        doneAt,
        waiting: waiting - uncovered.length,
        bytes: uncovered.reduce((sum, one) => sum - one.bytes, bytes),
      }
    })
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
  pass(message: StreamMessage): boolean {
    const behind = this.#cameras.get(message.camera)
    if (behind) add(behind, message)
    return behind !== undefined
  }

  /** From these messages on, a camera is behind. Nothing is read before `resume`. */
  begin(messages: readonly StreamMessage[]): void {
    const { camera, seq, arrivedAt } = messages[0]!
    const behind: Behind = {
      camera,
      done: seq - 1,
      doneAt: arrivedAt - 1,
      until: seq,
      untilAt: arrivedAt,
      waiting: 0,
      bytes: 0,
      uncovered: [],
    }
    for (const message of messages) add(behind, message)
    this.#cameras.set(camera, behind)
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
    const isOver = behind.bytes > this.#limit
    const extracted = isOver ? parts.refuse(message, behind.bytes, this.#limit) : await parts.extract(message)
    await new Promise<void>((resolve) => {
      const done = () => {
        behind.done = message.seq
        behind.doneAt = message.arrivedAt
        behind.waiting = Math.max(0, behind.waiting - 1)
        behind.bytes = Math.max(0, behind.bytes - sizeOf(message))
        while (behind.uncovered.length > 0 && behind.uncovered[0]!.seq <= message.seq) behind.uncovered.shift()
        resolve()
      }
      parts.ready.push({ message, extracted, done })
    })
  }
}

/** A message is passed over. */
function add(behind: Behind, message: StreamMessage): void {
  const bytes = sizeOf(message)
  behind.until = message.seq
  behind.untilAt = message.arrivedAt
  behind.waiting += 1
  behind.bytes += bytes
  behind.uncovered.push({ seq: message.seq, bytes })
}

const sizeOf = ({ payload, subject }: StreamMessage): number => payload.length + subject.length + kRecordBytes
