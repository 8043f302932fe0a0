/** Steps that the pace is learned from: a third of them may be pauses, or bursts of three frames with a pause each. */
const STEPS = 12
/** A longer step is a pause of the camera and says nothing about its pace, ms. */
const LONGEST_STEP_MS = 120_000
/** So many long steps in a row make a camera slow; fewer are pauses. */
const IN_A_ROW = 3
/** In the place of a step: the camera paused. */
const PAUSE = 0

/** A pass of a slow camera may miss its vehicle in two frames in a row, a parked one in four. Some is for jitter. */
const GAP_STEPS = 3.5
const PARKED_GAP_STEPS = 5
/** A camera with fewer frames in the time `gapMs` is slow. */
const FRAMES_OF_A_GAP = 3
/** Others may hide a parked car for a long time; it remains one read. */
const PARKED_GAP_MS = 120_000

/** The times that decide about a camera's passes. All in event time, ms. */
export interface Gaps {
  /** A pass closes after this much time without a detection. */
  passMs: number
  /** The same for a vehicle that stays in one place. */
  parkedMs: number
  /**
   * Captures up to this much older than the newest of their track come out of order; older ones are late. A vehicle
   * that is detected at least once in the rest of `passMs` is one pass in any order of arrival.
   */
  jitterMs: number
  /**
   * After more than this, a text that is only half the same is another vehicle unless it is in the same place. Infinite
   * for a camera that is not slow: it has seen the place in between.
   */
  misreadMs: number
}

/**
 * The pace of one camera: the usual step from one of its captures to the next. Learned in event time from the last
 * captures, in any order of arrival, so that a stream gives the same pace each time it is applied.
 */
export class Pace {
  /** Computed when they are needed: most captures need neither. */
  private interval: number | undefined
  private isCurrent = false
  private known: Gaps | undefined

  private constructor(
    private newest: number,
    /** From older captures to newer ones, ms, at most `STEPS`. */
    private readonly steps: number[],
  ) {}

  static unknown(): Pace {
    return new Pace(-Infinity, [])
  }

  /** Notes a capture. One that is older than all known steps changes nothing. */
  note(at: number): void {
    const { steps } = this
    if (this.newest === -Infinity) this.newest = at
    else if (at > this.newest) {
      steps.push(stepOf(at - this.newest))
      this.newest = at
    } else if (!this.insert(at)) return
    if (steps.length > STEPS) steps.shift()
    this.isCurrent = false
    this.known = undefined
  }

  /**
   * The usual step, ms; undefined after the first capture. At least a quarter of the steps are as long: bursts do not
   * make a slow camera fast, single pauses do not make a fast one slow. Three long steps in a row make it slow at once.
   */
  get intervalMs(): number | undefined {
    if (!this.isCurrent) {
      const steps = this.steps.filter((step) => step !== PAUSE)
      const lastOnes = Math.min(...steps.slice(-IN_A_ROW))
      const usual = steps.sort((a, b) => a - b)[Math.floor(0.75 * (steps.length - 1))]
      this.interval = usual === undefined ? undefined : Math.max(usual, lastOnes)
      this.isCurrent = true
    }
    return this.interval
  }

  /** @param gapMs setting passGapMs, the same in every call: the gap of a camera that is not slow */
  gaps(gapMs: number): Gaps {
    return (this.known ??= gapsOf(this.intervalMs ?? 0, gapMs))
  }

  /** The steps; the newest capture is in the state of the live track. */
  toJSON(): number[] {
    return this.steps
  }

  /** @param steps missing in the state of an older release */
  static fromJSON(newest: number, steps: number[] = []): Pace {
    return new Pace(newest, steps)
  }

  /** Splits the step that contains the capture. @returns false when it is known, or older than all steps */
  private insert(at: number): boolean {
    const { steps } = this
    let upper = this.newest
    for (let i = steps.length - 1; i >= 0 && at < upper; i--) {
      const step = steps[i]!
      if (step === PAUSE) {
        steps.splice(i + 1, 0, stepOf(upper - at))
        return true
      }
      if (at > upper - step) {
        steps.splice(i, 1, step - (upper - at), upper - at)
        return true
      }
      upper -= step
    }
    if (at >= upper || steps.length >= STEPS) return false
    steps.unshift(stepOf(upper - at))
    return true
  }
}

function gapsOf(interval: number, gapMs: number): Gaps {
  const slow = interval * FRAMES_OF_A_GAP > gapMs
  const passMs = slow ? Math.max(gapMs, interval * GAP_STEPS) : gapMs
  return {
    passMs,
    parkedMs: Math.max(PARKED_GAP_MS, interval * PARKED_GAP_STEPS),
    jitterMs: (passMs * 2) / 3,
    misreadMs: slow ? gapMs : Infinity,
  }
}

const stepOf = (ms: number): number => (ms > LONGEST_STEP_MS ? PAUSE : ms)
