import { sleep } from '../runtime/backoff.js'

export interface Clock {
  /** Monotonic, ms. */
  now(): number
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

const SYSTEM_CLOCK: Clock = { now: () => performance.now(), sleep }

/** A pause shorter than this is not worth a timer, ms. */
const RESOLUTION_MS = 1

/**
 * Decides when each frame of a replay is due: by event time, `(time - first time) / speed` after the start; by rate,
 * one frame every `1000 / rate` ms; or at once. Due times count from the start, not from the previous frame, so delays
 * do not accumulate. A frame that is older than its predecessor (sent late) is due at once, in its place.
 */
export class ReplayPace {
  readonly #clock: Clock
  readonly #speed: number
  readonly #rate: number | undefined
  #startedAt: number | undefined
  #firstTime = 0
  #latest = 0
  #frames = 0

  /**
   * @param options.speed 1 is the original speed; Infinity is at once
   * @param options.rate frames a second; overrides the speed
   */
  constructor({ speed, rate, clock = SYSTEM_CLOCK }: { speed: number; rate?: number; clock?: Clock }) {
    this.#speed = speed
    this.#rate = rate
    this.#clock = clock
  }

  /**
   * Waits until a frame is due.
   * @param time event time of the frame within this replay, ms; each loop continues where the previous one ended
   * @returns how late the frame is, ms; 0 when the call waited for it
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
    if (early >= RESOLUTION_MS) await this.#clock.sleep(early, signal)
    return Math.max(0, this.#clock.now() - (this.#startedAt + offset) - (early >= RESOLUTION_MS ? RESOLUTION_MS : 0))
  }
}
