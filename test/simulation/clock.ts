import type { Random } from './random.js'

/** The functions of the platform, as they are before the simulation replaces them. */
export const real = {
  setImmediate: globalThis.setImmediate,
  now: performance.now.bind(performance),
  Date: globalThis.Date,
}

/** A simulated process: an engine, or the cameras. Its events stop when it is killed, and wait while it is paused. */
export class Process {
  alive = true
  /** Added to its wall clock, ms. */
  clockOffsetMs = 0
  /** Virtual time, ms. */
  pausedUntil = 0

  constructor(readonly name: string) {}
}

interface Event {
  at: number
  order: number
  /** undefined: part of the environment (servers, network, faults), which is never killed and runs no promises. */
  owner: Process | undefined
  run: (() => void) | undefined
}

/** Wall clock at virtual time 0: not a full hour, so that hours of the ledger change during a run. */
const START = Date.UTC(2026, 2, 2, 7, 59, 30)

/**
 * Virtual time, ms. Events run in the order of their times; the promises that an event settles run before the next
 * event. So a simulated process can be killed between any two answers of the outside world, and a seed repeats exactly.
 */
export class VirtualClock {
  now = 0
  /** The process whose event is running: timers that it sets belong to it. */
  current: Process | undefined
  /** Events that ran. */
  events = 0
  private readonly heap: Event[] = []
  private order = 0

  /** @param jitter delays of timers vary, as on a busy machine */
  constructor(private readonly jitter: Random) {}

  /** The wall clock of a process, ms since 1970. */
  wall(process = this.current): number {
    return START + this.now + (process?.clockOffsetMs ?? 0)
  }

  schedule(delayMs: number, run: () => void, owner?: Process): Event {
    const event = { at: this.now + Math.max(0, delayMs), order: this.order++, owner, run }
    this.push(event)
    return event
  }

  /** A timer of the current process. */
  timer(ms: number, run: () => void): Event {
    const delay = Number.isFinite(ms) && ms >= 1 ? Math.min(ms, 2_147_483_647) : 1
    return this.schedule(delay + 1 + this.jitter.next(), run, this.current)
  }

  cancel(event: Event | undefined): void {
    if (event) event.run = undefined
  }

  /** Runs events until `done`, at most up to virtual time `limit`. @returns whether `done` was reached */
  async run(done: () => boolean, limit: number): Promise<boolean> {
    await drain()
    while (!done()) {
      const event = this.pop()
      if (!event || event.at > limit) {
        if (event) this.push(event)
        this.now = limit
        return false
      }
      const { owner, run } = event
      if (!run || owner?.alive === false) continue
      if (owner && owner.pausedUntil > event.at) {
        event.at = owner.pausedUntil
        this.push(event)
        continue
      }
      this.now = Math.max(this.now, event.at)
      this.events++
      this.current = owner
      event.run = undefined
      run()
      if (owner) await drain()
      this.current = undefined
    }
    return true
  }

  private push(event: Event): void {
    const { heap } = this
    let at = heap.length
    heap.push(event)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(event, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = event
  }

  private pop(): Event | undefined {
    const { heap } = this
    const first = heap[0]
    const last = heap.pop()
    if (!first || heap.length === 0) return first
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (!isBefore(heap[child]!, last!)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last!
    return first
  }
}

const isBefore = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

/** Resolves when all promises that can settle have settled. */
const drain = (): Promise<void> => new Promise((resolve) => real.setImmediate(resolve))
