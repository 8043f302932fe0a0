import { AlprError } from '../errors.js'
import { isNoAnswer } from '../nats/errors.js'
import { findNext } from '../nats/find_message.js'
import { streamOf, subjectsOfCamera, type Partition } from '../nats/topology.js'
import { stateNameOf } from '../partition/camera_states.js'
import type { Start } from '../partition/find_start.js'
import { fromStored, PartitionConsumer, type StreamMessage } from '../partition/partition_consumer.js'
import { backoffMs, sleep } from '../runtime/backoff.js'
import type { Extracted, Source } from '../sources/source.js'
import { CameraLanes } from './camera_lanes.js'
import { CamerasBehind } from './cameras_behind.js'
import type { PipelineParts } from './pipeline_parts.js'
import type { PoisonGuard } from './poison_guard.js'
import { ReadyMessages, type ReadyMessage } from './ready_messages.js'
import { Window } from './window.js'

/** A full window is looked at this often, ms: does a camera take more than its share? */
const kLookMs = 20
/** After so many attempts in a row to which NATS did not answer, the partition begins again at its checkpoint. */
const kMostUnanswered = 8
/** Pulls that went on for this long begin a new row, ms. */
const kHealthyMs = 30_000

/** What the intake asks about cameras. */
interface KnownCameras {
  /** How many share the workers. */
  readonly workingCount: number
  /** The state of a camera that works: `seq` is the last message applied. */
  peek(camera: string): { seq: number } | undefined
}

/**
 * A pull asks for at most about so many bytes, reckoned from the latest messages: detections are short, but may come
 * with pictures.
 */
const PULL_BYTES = 33_554_432
/** The size of a message before the first has come: 128 of them are a pull. */
const FIRST_BYTES = 262_144

/**
 * The messages of a partition on their way to be applied: pulled in stream order, as the window allows; extracted, as
 * many at once as there are workers; ready, camera by camera.
 *
 *     consumer ──► window: a lane for each camera ──► extract ──► ready
 *                    │ takes much more than its share            ▲
 *                    └──► cameras behind: read from the stream ──┘
 */
export class Intake {
  readonly window: Window
  readonly behind: CamerasBehind
  readonly consumer: PartitionConsumer
  readonly #lanes: CameraLanes
  readonly #ready = new ReadyMessages()
  readonly #ending = new AbortController()
  /** Bytes of the largest of the latest messages; it fades. */
  #largest = FIRST_BYTES

  constructor(
    private readonly partition: Partition,
    private readonly source: Source,
    private readonly parts: PipelineParts,
    private readonly poisonGuard: PoisonGuard,
    private readonly cameras: KnownCameras,
    start: Start,
  ) {
    const { committed: seq, committedAt: arrivedAt, stream } = start
    const extract = (message: StreamMessage) => this.#extract(message)
    this.window = new Window(source.slots, { seq, arrivedAt })
    this.behind = new CamerasBehind(
      {
        stream: streamOf(partition),
        workers: source.workers,
        findNext: (camera, from) => this.#findNext(camera, from),
        extract,
        refuse: (message, waiting, limit) => this.#refuse(message, waiting, limit),
        ready: this.#ready,
        ending: this.#ending.signal,
      },
      start.behind,
      { seq, arrivedAt },
    )
    this.#lanes = new CameraLanes(this.window, this.behind, this.#ready, source, extract)
    this.consumer = new PartitionConsumer(
      parts.js,
      parts.manager,
      partition,
      stream.created,
      start,
      source.maxUnacknowledged,
    )
  }

  /** Pulls messages until `signal` aborts. @throws when NATS refuses; nothing is lost by that */
  async run(signal: AbortSignal): Promise<void> {
    const end = () => {
      this.#ending.abort()
      this.window.close()
      this.#ready.changed()
    }
    if (signal.aborted) end()
    else signal.addEventListener('abort', end)
    this.behind.start()
    for (let unanswered = 0; ; ) {
      const begun = performance.now()
      try {
        return await this.#pull(signal)
      } catch (error) {
        // It goes on after the last message that came: what is in work stays, and no checkpoint is read again.
        unanswered = performance.now() - begun > kHealthyMs ? 1 : unanswered + 1
        if (signal.aborted || !isNoAnswer(error) || unanswered > kMostUnanswered) throw error
        this.parts.metrics.count('pulls_unanswered_total')
        await sleep(backoffMs(unanswered), signal)
      }
    }
  }

  #pull(signal: AbortSignal): Promise<void> {
    return this.consumer.run(
      () => this.#room(signal),
      (message) => {
        this.#largest = Math.max(message.payload.length, this.#largest * 0.99)
        this.#lanes.add(message)
      },
      signal,
    )
  }

  /**
   * The next message to apply; waits for one.
   * @returns undefined when the intake has ended and no message is in work any more
   * @throws why a message was not extracted
   */
  next(): Promise<ReadyMessage | undefined> {
    return this.#ready.next(() => this.#ending.signal.aborted && this.window.size === 0)
  }

  /** Waits while no slots are free or too much is unacknowledged. @returns how many messages may come, 1 or more */
  async #room(signal: AbortSignal): Promise<number> {
    const { parts, source, window, cameras } = this
    while (!signal.aborted && window.last - window.committed > source.maxUnacknowledged) {
      parts.metrics.bound(`unacknowledged_${source.entrance.root}`)
      await sleep(50, signal)
    }
    if (this.poisonGuard.careful) {
      await window.whenFree(window.limit)
      return 1
    }
    // Half of the slots at once: a pull costs the client and the server about as much as five messages.
    const least = window.limit / 2
    while (!signal.aborted && window.free < least && !this.#lanes.makeRoom(cameras.workingCount, this.behind.sharers))
      await window.whenFree(least, kLookMs)
    return Math.max(1, Math.min(window.free, Math.floor(PULL_BYTES / this.#largest)))
  }

  async #extract(message: StreamMessage): Promise<Extracted> {
    const { source, poisonGuard, parts } = this
    // Applied before a restart: its effects are durable already.
    if (message.seq <= (this.cameras.peek(stateNameOf(message.camera))?.seq ?? 0)) return { observed: [], rejected: [] }
    const attempt = () => poisonGuard.run(message.seq, () => source.extract(message))
    return parts.retry.until(`${source.entrance.root} in work`, attempt, this.#ending.signal)
  }

  /** Its partition has no room for it: other cameras would be refused. */
  #refuse({ camera }: StreamMessage, waiting: number, limit: number): Extracted {
    this.parts.metrics.bound('camera_share')
    const error = new AlprError('ALPR_ERR_CAMERA_BEHIND', { camera, waiting: inMb(waiting), limit: inMb(limit) })
    return { observed: [], rejected: [{ error }] }
  }

  /** A camera may have messages under more than one subject. */
  async #findNext(camera: string, from: number): Promise<StreamMessage | undefined> {
    const { partition, parts } = this
    const find = () =>
      Promise.all(
        subjectsOfCamera(partition, camera).map((one) => findNext(parts.manager, streamOf(partition), from, one)),
      )
    const found = await parts.retry.until('nats', find, this.#ending.signal)
    const [first] = found.filter((message) => message !== undefined).sort((a, b) => a.seq - b.seq)
    return first && fromStored(first)
  }
}

const inMb = (bytes: number): string => (bytes / 1e6).toFixed(1)
