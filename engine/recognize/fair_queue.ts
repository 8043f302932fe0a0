/** Jobs of one flow. */
interface Flow<T> {
  name: string
  jobs: T[]
  /** Virtual time, ms: the work it was given, or would have been given had it asked for its share. */
  start: number
  /** What a job of it usually takes, ms. */
  meanMs: number
}

/** A job that was started. `end` must be called once. */
export interface Started<T> {
  job: T
  flow: string
  /** @param ms what the job took */
  end(ms: number): void
}

/** Flows that are remembered while they have no jobs; the one that was used longest ago is forgotten first. */
const kKnown = 4_096
/** Weight of the last job in the mean of its flow. */
const kWeight = 0.25

/**
 * Jobs of several flows. Flows that always have jobs get equal shares of the workers' time, however long their jobs
 * take: start-time fair queueing (Goyal, Vin and Cheng, 1996). What a job costs is known only at its end, so that its
 * flow is charged the usual cost when it starts and the difference when it ends. The jobs of a flow start in order.
 */
export class FairQueue<T> {
  #size = 0
  /** Start of the flow that was served last: a flow that comes back after a pause begins here, and saves nothing up. */
  #now = 0
  #meanMs = 0
  /** In the order of their last use. */
  readonly #known = new Map<string, Flow<T>>()
  readonly #waiting = new Set<Flow<T>>()

  /** Jobs that wait. */
  get size(): number {
    return this.#size
  }

  /** What a job of this flow usually takes, ms; of any flow, while nothing is known about this one. */
  costOf(name: string): number {
    return this.#known.get(name)?.meanMs ?? this.#meanMs
  }

  push(name: string, job: T): void {
    this.#flow(name).jobs.push(job)
    this.#size += 1
  }

  /** A job that must start once more, before the others of its flow. */
  pushFirst(name: string, job: T): void {
    this.#flow(name).jobs.unshift(job)
    this.#size += 1
  }

  /** Starts the next job. @returns undefined when none waits */
  shift(): Started<T> | undefined {
    let next: Flow<T> | undefined
    for (const flow of this.#waiting) if (!next || flow.start < next.start) next = flow
    if (!next) return undefined
    const flow = next
    const job = this.#take(flow, 0)
    const charged = flow.meanMs
    this.#now = flow.start
    flow.start += charged
    return { job, flow: flow.name, end: (ms) => this.#end(flow, ms, charged) }
  }

  /** Takes a job back that has not started. @returns false when it has */
  remove(name: string, isIt: (job: T) => boolean): boolean {
    const flow = this.#known.get(name)
    const at = flow?.jobs.findIndex(isIt) ?? -1
    if (at < 0) return false
    this.#take(flow!, at)
    return true
  }

  /** Takes all jobs. */
  clear(): T[] {
    const jobs = [...this.#waiting].flatMap((flow) => flow.jobs.splice(0))
    this.#waiting.clear()
    this.#size = 0
    return jobs
  }

  #end(flow: Flow<T>, ms: number, charged: number): void {
    flow.start += ms - charged
    flow.meanMs += (ms - flow.meanMs) * (flow.meanMs === 0 ? 1 : kWeight)
    this.#meanMs += (ms - this.#meanMs) * kWeight
  }

  #take(flow: Flow<T>, at: number): T {
    const [job] = flow.jobs.splice(at, 1)
    this.#size -= 1
    if (flow.jobs.length === 0) this.#waiting.delete(flow)
    return job!
  }

  /** The flow of this name, which is about to have a job. */
  #flow(name: string): Flow<T> {
    const flow = this.#known.get(name) ?? { name, jobs: [], start: 0, meanMs: this.#meanMs }
    if (flow.jobs.length === 0) {
      flow.start = Math.max(flow.start, this.#now)
      this.#known.delete(name)
      this.#known.set(name, flow)
      this.#waiting.add(flow)
      this.#forget()
    }
    return flow
  }

  #forget(): void {
    for (const [name, flow] of this.#known) {
      if (this.#known.size <= kKnown) return
      if (flow.jobs.length === 0) this.#known.delete(name)
    }
  }
}
