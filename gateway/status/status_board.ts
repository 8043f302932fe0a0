import type { EngineStatus, HeldPartition } from '../../engine/mod.js'
import { aborted, type NatsTask } from '../live/nats_link.js'
import type { EngineState } from '../live/protocol.js'

/** An engine whose last status is older than this counts as silent, ms. */
export const FRESH_MS = 5_000
/** An engine silent for this long has been taken out of service and is forgotten, ms. */
const FORGET_MS = 600_000
/** Engines remembered; more are ignored, because something else must be publishing on these subjects. */
const MAX_ENGINES = 256
/** Things that one engine waits for whose beginning is remembered. */
const MAX_WAITS = 64

/** A partition that no engine holds. */
export interface UncoveredPartition {
  partition: string
  /** When this was first seen, wall clock, ms. */
  since: number
  /** Why the engine that had it last does not, if it says so. */
  reason?: string
}

/** Something that an engine waits for. */
export interface EngineWait {
  instance: string
  what: string
  since: number
}

interface Entry {
  status: EngineStatus
  /** Monotonic clock of its arrival, ms: the engine's own clock may be wrong. */
  arrived: number
  /** When each of what it waits for was first reported, by name: wall clock, ms. */
  waitingSince: Map<string, number>
  /** Per second between its last two statuses, by counter. */
  rates: Record<string, number>
}

/** The last status of every engine, and how fast its counters grow. Follows `status.engine.*`. */
export class StatusBoard {
  readonly #engines = new Map<string, Entry>()
  #uncoveredSince = new Map<string, number>()

  constructor(private readonly now: () => number = () => performance.now()) {}

  readonly task: NatsTask = async (nats, signal) => {
    const subscription = nats.subscribe('status.engine.*', {
      callback: (error, message) => {
        if (error) return
        try {
          this.put(message.json<EngineStatus>())
        } catch {
          /* not a status: the engine will count as silent */
        }
      },
    })
    await aborted(signal)
    subscription.unsubscribe()
  }

  put(status: EngineStatus): void {
    if (
      typeof status?.instance !== 'string' ||
      typeof status.counters !== 'object' ||
      typeof status.gauges !== 'object'
    )
      return
    const before = this.#engines.get(status.instance)
    if (!before && this.#engines.size >= MAX_ENGINES) return
    const arrived = this.now()
    const waitingSince = sinceOf(Object.keys(status.waiting ?? {}).slice(0, MAX_WAITS), before?.waitingSince)
    this.#engines.set(status.instance, {
      status,
      arrived,
      waitingSince,
      rates: before ? rates(before, status, arrived) : {},
    })
    this.#uncoveredSince = sinceOf(this.#uncovered(), this.#uncoveredSince)
  }

  /** All known engines, sorted by name. */
  engines(): EngineState[] {
    this.#forget()
    const now = this.now()
    return [...this.#engines.values()]
      .map(({ status, arrived }) => ({
        instance: status.instance,
        fresh: now - arrived < FRESH_MS,
        ageMs: Math.round(now - arrived),
        waiting: status.waiting ?? {},
      }))
      .sort((a, b) => a.instance.localeCompare(b.instance))
  }

  /** The last status of each engine that is not silent. */
  fresh(): EngineStatus[] {
    const now = this.now()
    return [...this.#engines.values()].filter((seen) => now - seen.arrived < FRESH_MS).map((seen) => seen.status)
  }

  /**
   * Partitions that no engine holds; empty until an engine has reported which there are. When an engine joins or
   * leaves, some are uncovered for seconds.
   */
  uncovered(): UncoveredPartition[] {
    this.#uncoveredSince = sinceOf(this.#uncovered(), this.#uncoveredSince)
    const reasons = new Map(this.fresh().flatMap(({ failing }) => Object.entries(failing ?? {})))
    return [...this.#uncoveredSince].map(([partition, since]) => ({ partition, since, reason: reasons.get(partition) }))
  }

  /** Partitions whose messages are not done with, or not deleted, as their engines say. */
  held(): (HeldPartition & { instance: string })[] {
    return this.fresh().flatMap(({ instance, held }) => (held ?? []).map((one) => ({ ...one, instance })))
  }

  /** What the engines that are not silent wait for. */
  waits(): EngineWait[] {
    return this.fresh().flatMap(({ instance }) =>
      [...this.#engines.get(instance)!.waitingSince].map(([what, since]) => ({ instance, what, since })),
    )
  }

  #uncovered(): string[] {
    const fresh = this.fresh()
    const held = new Set(fresh.flatMap(({ partitions }) => partitions ?? []))
    return [...new Set(fresh.flatMap(({ allPartitions }) => allPartitions ?? []))].filter((name) => !held.has(name))
  }

  /** Growth per second, summed over the engines that are not silent; undefined when none of them reports it. */
  rate(counter: string): number | undefined {
    const now = this.now()
    return sum(
      [...this.#engines.values()].filter((seen) => now - seen.arrived < FRESH_MS).map((seen) => seen.rates[counter]),
    )
  }

  /** Sum of a gauge over the engines that are not silent; undefined when none of them reports it. */
  sumOf(gauge: string): number | undefined {
    return sum(this.fresh().map((status) => status.gauges[gauge]))
  }

  /** Largest value of a gauge among the engines that are not silent; undefined when none of them reports it. */
  largest(gauge: string): number | undefined {
    const values = this.fresh()
      .map((status) => status.gauges[gauge])
      .filter((value) => value !== undefined)
    return values.length === 0 ? undefined : Math.max(...values)
  }

  #forget(): void {
    const now = this.now()
    for (const [instance, seen] of this.#engines) if (now - seen.arrived > FORGET_MS) this.#engines.delete(instance)
  }
}

/** When each name was first seen. @param before what was known, by name: wall clock, ms */
function sinceOf(names: readonly string[], before: ReadonlyMap<string, number> = new Map()): Map<string, number> {
  return new Map(names.map((name) => [name, before.get(name) ?? Date.now()]))
}

/** A counter that decreased belongs to a new process: it has no rate until the next status. */
function rates(before: Entry, status: EngineStatus, arrived: number): Record<string, number> {
  const seconds = (arrived - before.arrived) / 1_000
  if (seconds < 0.05) return before.rates
  const grown: Record<string, number> = {}
  for (const [name, value] of Object.entries(status.counters)) {
    const growth = value - (before.status.counters[name] ?? 0)
    if (growth >= 0) grown[name] = growth / seconds
  }
  return grown
}

function sum(values: (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : known.reduce((a, b) => a + b, 0)
}
