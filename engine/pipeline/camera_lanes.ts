import { stateNameOf } from '../partition/camera_states.js'
import type { StreamMessage } from '../partition/partition_consumer.js'
import type { Extracted, Source } from '../sources/source.js'
import type { CamerasBehind } from './cameras_behind.js'
import type { ReadyMessages } from './ready_messages.js'
import { pulledOf, type Window } from './window.js'

interface Item {
  message: StreamMessage
  extracted?: Extracted
  /** Takes it out of the window. */
  leave(): void
}

/**
 * A camera whose messages in the window take a worker less than this, ms, never falls behind: the window empties soon.
 */
const kLittleMs = 50
/** A camera may hold this many times its fair share of the work in a full window. */
const kShare = 1.5

/**
 * The messages in the window, a lane for each camera: within a camera they are applied in stream order, and no camera
 * waits for another. Where one fills the window with work, the messages of it that no worker has begun with leave, and
 * the camera falls behind (CamerasBehind).
 */
export class CameraLanes {
  /** Of cameras with messages in the window, oldest first. */
  readonly #lanes = new Map<string, Item[]>()

  /** @param extract tries until it succeeds, or the pipeline ends */
  constructor(
    private readonly window: Window,
    private readonly behind: CamerasBehind,
    private readonly ready: ReadyMessages,
    private readonly source: Pick<Source, 'workers' | 'costOf' | 'withdraw'>,
    private readonly extract: (message: StreamMessage) => Promise<Extracted>,
  ) {}

  /** The next message of the stream. */
  add(message: StreamMessage): void {
    const leave = this.window.push(pulledOf(message))
    if (this.behind.pass(message)) return leave()
    const item: Item = { message, leave }
    const camera = stateNameOf(message.camera)
    const lane = this.#lanes.get(camera)
    if (lane) lane.push(item)
    else this.#lanes.set(camera, [item])
    this.extract(message).then(
      (extracted) => {
        item.extracted = extracted
        this.#offer(camera, item)
      },
      (error: unknown) => this.ready.fail(error),
    )
  }

  /**
   * Makes room in a window that is full: the camera with the most work in it falls behind, if that is much more than
   * its share.
   * @param cameras how many cameras share the workers
   * @param sharers how many share a stream that is nearly full: any camera may be the one that fills it; else 0
   * @returns whether there is more room now
   */
  makeRoom(cameras: number, sharers = 0): boolean {
    let total = 0
    let most: { camera: string; lane: Item[]; work: number } | undefined
    for (const [camera, lane] of this.#lanes) {
      const work = lane.length * this.source.costOf(lane[0]!.message.camera)
      total += work
      if (!most || work > most.work) most = { camera, lane, work }
    }
    const shares = Math.max(cameras, sharers)
    const isLittle = sharers === 0 && (most?.work ?? 0) < kLittleMs * this.source.workers
    if (!most || shares < 2 || isLittle) return false
    return most.work > (kShare * total) / shares && this.#fallBehind(most.camera, most.lane)
  }

  /** Takes the messages of a lane that no worker has begun with out of the window, latest first. */
  #fallBehind(camera: string, lane: Item[]): boolean {
    const left: Item[] = []
    while (lane.length > 0 && !lane.at(-1)!.extracted && this.source.withdraw(lane.at(-1)!.message))
      left.unshift(lane.pop()!)
    if (left.length === 0) return false
    this.behind.begin(left.map(({ message }) => message))
    if (lane.length === 0) this.#end(camera)
    for (const { leave } of left) leave()
    return true
  }

  /** Offers an extracted item to be applied if it is the first of its lane. */
  #offer(camera: string, item: Item | undefined): void {
    const lane = this.#lanes.get(camera)
    if (!item?.extracted || lane?.[0] !== item) return
    const done = () => {
      lane.shift()
      if (lane.length === 0) this.#end(camera)
      else this.#offer(camera, lane[0])
      item.leave()
    }
    this.ready.push({ message: item.message, extracted: item.extracted, done })
  }

  #end(camera: string): void {
    this.#lanes.delete(camera)
    this.behind.resume(camera)
  }
}
