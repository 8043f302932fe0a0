import { VarintReader, writeVarint } from './varint.js'

/** Most detections whose times are known: of 10 frames a second six seconds, of 25 the jitter. */
const MOST = 64
/** No time that is this much older than the newest is known, ms. */
const WITHIN_MS = 30_000

/**
 * The event times of the last detections of a pass: a late detection is new to the pass unless it has one at its time.
 * So a frame that is sent again changes nothing, and one that comes late for the first time does.
 */
export class MemberTimes {
  private spanMs: number

  private constructor(
    private newest: number,
    /** From older detections to newer ones, ms. */
    private readonly steps: number[],
  ) {
    this.spanMs = steps.reduce((sum, step) => sum + step, 0)
  }

  static of(at: number): MemberTimes {
    return new MemberTimes(at, [])
  }

  /**
   * Adds a detection, in any order of time.
   * @param from time of the first detection before. What is older than the known ones is noted only if all are known
   */
  add(at: number, from: number): void {
    const { steps, newest } = this
    if (at > newest) {
      steps.push(at - newest)
      this.spanMs += at - newest
      this.newest = at
    } else this.insert(at, from)
    while (steps.length >= MOST || this.spanMs > WITHIN_MS) this.spanMs -= steps.shift()!
  }

  /** Whether there is a detection at this time, or may have been: that is not known any more. @param from the first */
  mayHave(at: number, from: number): boolean {
    if (at > this.newest || at < from) return false
    let time = this.newest
    for (let i = this.steps.length - 1; i >= 0 && at < time; i--) time -= this.steps[i]!
    return at <= time
  }

  toJSON(): Uint8Array {
    const bytes: number[] = []
    for (const step of this.steps) writeVarint(bytes, step)
    return Uint8Array.from(bytes)
  }

  /** @param json missing in the state of an older release */
  static fromJSON(newest: number, json: Uint8Array = new Uint8Array()): MemberTimes {
    const reader = new VarintReader(json)
    const steps: number[] = []
    while (!reader.isAtEnd) steps.push(reader.number())
    return new MemberTimes(newest, steps)
  }

  /** Splits the step that contains the time. */
  private insert(at: number, from: number): void {
    const { steps } = this
    let upper = this.newest
    for (let i = steps.length - 1; i >= 0 && at < upper; i--) {
      const lower = upper - steps[i]!
      if (at > lower) return void steps.splice(i, 1, at - lower, upper - at)
      upper = lower
    }
    if (at >= upper || upper > from) return
    steps.unshift(upper - at)
    this.spanMs += upper - at
  }
}
