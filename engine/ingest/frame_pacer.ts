/** Times of pictures that are remembered. */
const REMEMBERED = 12

/**
 * Chooses which pictures of a camera are wanted, so that no more than `fps` a second are, evenly. A camera that sends
 * at the wanted rate, or up to a sixth above, keeps all its pictures, whatever their jitter. Pictures may come in
 * another order than they were taken (B-frames).
 */
export class FramePacer {
  readonly #intervalMs: number
  /** Of the last pictures, in order. */
  #times: number[] = []
  /** Of the last pictures that were wanted. */
  #wanted: number[] = []
  /** Pictures that may be taken now; a picture costs one. */
  #credit = 2

  /** @param fps more than 0 */
  constructor(fps: number) {
    this.#intervalMs = 1_000 / fps
  }

  /** @param time when the picture was taken, ms. One of the same time as another is not wanted. */
  wants(time: number): boolean {
    const latest = this.#times.at(-1)
    if (this.#times.includes(time)) return false
    // A clock that was set back begins again.
    if (latest !== undefined && time < this.#times[0]! - 10_000) this.#times = this.#wanted = []
    this.#times = [...this.#times, time].sort((a, b) => a - b).slice(-REMEMBERED)
    if (latest === undefined || this.#times.length === 1) return this.#take(time)
    if (time > latest) this.#credit = Math.min(2, this.#credit + (time - latest) / this.#intervalMs)
    if (this.#step >= 0.85 * this.#intervalMs) return this.#take(time)
    if (time > latest) return this.#credit >= 0.999 && this.#take(time)
    // It was taken before one that came earlier: it is wanted when no wanted one is near.
    return this.#wanted.every((other) => Math.abs(other - time) >= 0.85 * this.#intervalMs) && this.#take(time)
  }

  #take(time: number): true {
    this.#credit = Math.max(0, this.#credit - 1)
    this.#wanted = [...this.#wanted, time].slice(-REMEMBERED)
    return true
  }

  /** The mean of the steps between the last pictures, ms. */
  get #step(): number {
    return (this.#times.at(-1)! - this.#times[0]!) / (this.#times.length - 1)
  }
}
