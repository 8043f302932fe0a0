/** Beyond this, the clock of a camera is not used, ms. */
const TRUSTED_MS = 5_000
/** A clock that was not used is used again within this, ms. */
const TRUSTED_AGAIN_MS = 4_000
/** How long the shortest delay on the way is remembered, ms: clocks drift by less than a millisecond meanwhile. */
const WINDOW_MS = 15_000
/** A counter that jumps by more than this has begun again, ms. */
const JUMP_MS = 10_000

/** What is known of the time of a picture, besides when it arrived. */
export interface StreamTime {
  /** Absolute, by the camera's clock, ms since 1970. */
  camera?: number
  /** Of a counter that runs evenly from an unknown beginning, ms. */
  counter?: number
}

/**
 * Says when a picture was taken. The camera's clock counts while it is within 5 s of ours. Otherwise, and where the
 * stream has no time, the arrival counts; a counter in the stream (RTP) takes the jitter of the network out of it: the
 * picture that came fastest within the last seconds fixes the relation of the two clocks.
 */
export class CameraClock {
  /** The camera's clock minus ours, ms, with the delay on the way; undefined when the stream has no time. */
  offsetMs: number | undefined
  source: 'stream' | 'arrival' = 'arrival'
  #isDistrusted = false
  /** Least `arrival - counter` of this window and of the one before. */
  #least = Infinity
  #leastBefore = Infinity
  #windowEnds = -Infinity

  /** @returns ms since 1970 */
  timeOf(arrival: number, { camera, counter }: StreamTime = {}): number {
    if (camera === undefined) this.offsetMs = undefined
    else {
      this.offsetMs = camera - arrival
      const bound = this.#isDistrusted ? TRUSTED_AGAIN_MS : TRUSTED_MS
      this.#isDistrusted = Math.abs(this.offsetMs) > bound
      if (!this.#isDistrusted) {
        this.source = 'stream'
        return camera
      }
    }
    this.source = 'arrival'
    return counter === undefined ? arrival : Math.min(arrival, counter + this.#relation(arrival, counter))
  }

  #relation(arrival: number, counter: number): number {
    const relation = arrival - counter
    if (Math.abs(relation - this.#best) > JUMP_MS) {
      this.#least = this.#leastBefore = Infinity
      this.#windowEnds = -Infinity
    }
    if (arrival > this.#windowEnds) {
      this.#leastBefore = this.#least
      this.#least = relation
      this.#windowEnds = arrival + WINDOW_MS
    }
    this.#least = Math.min(this.#least, relation)
    return this.#best
  }

  get #best(): number {
    return Math.min(this.#least, this.#leastBefore)
  }
}
