import { closeSync, openSync, readSync } from 'node:fs'

/** The longest pauses within a tenth of a second. */
export interface Pause {
  /** Since the start of the watch, ms. */
  at: number
  /** From the time at which other work was due until it could run, ms. */
  waited: number
  /** What the thread itself computed in between, ms: without the time in which other work had the cores. */
  computed: number
}

/** A timer that is due this often finds how long the main thread was busy, ms. */
const EVERY_MS = 2
/** Pauses are kept as the longest of each interval, ms. */
const BIN_MS = 100

/** Watches how long nothing else can run on the main thread: as long, a read would have to wait. */
export class PauseWatch {
  readonly #start = performance.now()
  readonly #bins: Pause[] = []
  readonly #buffer = Buffer.alloc(128)
  // The thread whose id is that of the process is the main thread.
  readonly #file = openSync(`/proc/self/task/${process.pid}/schedstat`, 'r')
  #last = performance.now()
  #ran = this.#ranMs()
  readonly #timer = setInterval(() => this.#tick(), EVERY_MS)

  #tick(): void {
    const now = performance.now()
    const ran = this.#ranMs()
    const bin = Math.floor((now - this.#start) / BIN_MS)
    const longest = (this.#bins[bin] ??= { at: bin * BIN_MS, waited: 0, computed: 0 })
    longest.waited = Math.max(longest.waited, now - this.#last - EVERY_MS)
    longest.computed = Math.max(longest.computed, ran - this.#ran)
    this.#last = now
    this.#ran = ran
  }

  /** CPU time of the main thread since its start. */
  #ranMs(): number {
    const length = readSync(this.#file, this.#buffer, 0, 128, 0)
    return Number(this.#buffer.toString('latin1', 0, length).split(' ')[0]) / 1e6
  }

  /** Ends the watch. @returns the longest pauses of each tenth of a second, in order */
  stop(): Pause[] {
    clearInterval(this.#timer)
    closeSync(this.#file)
    return this.#bins.filter((bin) => bin !== undefined)
  }
}

export const longest = (pauses: readonly Pause[], kind: 'waited' | 'computed'): number =>
  Math.max(0, ...pauses.map((pause) => pause[kind]))
