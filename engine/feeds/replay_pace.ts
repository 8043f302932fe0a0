import { sleep } from '../runtime/backoff.js'

export interface Clock {
  /** Monotonic, ms. */
  now(): number
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

const kSystemClock: Clock = { now: () => performance.now(), sleep }

/** A pause shorter than this is not worth a timer, ms. */
const kResolutionMs = 1

/**
 * When each frame of a replay is due. By event time: `(time - first time) / speed` after the start; by rate: one each
 * `1000 / rate` ms; or at once. Due times come from the start, never from the frame before, so that a delay is made up
 * for and does not add up. A frame older than one before it (sent late) is due at once, in its place.
 */
export class Pace {
  readonly #clock: Clock
  readonly #speed: number
  readonly #rate: number | undefined
  #startedAt: number | undefined
  #firstTime = 0
  #latest = 0
  #frames = 0

  /** @param speed 1 is the original; Infinity is at once. @param rate frames a second; wins over the speed */
  constructor({ speed, rate, clock = kSystemClock }: { speed: number; rate?: number; clock?: Clock }) {
    this.#speed = speed
    this.#rate = rate
    this.#clock = clock
  }

  /**
   * Waits until a frame is due.
   * @param time event time of the frame on the line of this replay (loops go on, they do not jump back), ms
   * @returns how late it is, ms; 0 when it was waited for
   */
  async wait(time: number, signal?: AbortSignal): Promise<number> {
    const now = this.#clock.now()
    if (this.#startedAt === undefined) {
      this.#startedAt = now
      this.#firstTime = this.#latest = time
    }
    this.#latest = Math.max(this.#latest, time)
    const index = this.#frames++
    if (this.#rate === undefined && this.#speed === Infinity) return 0
    const offset =
      this.#rate === undefined ? (this.#latest - this.#firstTime) / this.#speed : (index * 1_000) / this.#rate
    const early = this.#startedAt + offset - now
    if (early >= kResolutionMs) await this.#clock.sleep(early, signal)
    return Math.max(0, this.#clock.now() - (this.#startedAt + offset) - (early >= kResolutionMs ? kResolutionMs : 0))
  }
}
