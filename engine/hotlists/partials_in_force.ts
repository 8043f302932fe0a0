import type { NatsConnection } from 'nats'
import { parsePattern, type ConfusionModel, type Pattern } from '../../wasm/mod.js'
import { logReasonOf, reasonOf } from '../errors.js'
import { watchKeys, type WatchLog } from '../nats/kv_watch.js'
import { BUCKET } from '../nats/topology.js'
import { contentVersion } from '../runtime/content_version.js'
import type { HotList } from './hotlist.js'
import type { ListMatch } from './list_match.js'
import { matchPattern } from './pattern_match.js'
import { parseStandingPartial, type StandingPartial } from './standing_partial.js'
import { MAX_STANDING_PARTIALS } from './standing_partial_store.js'

/** Hits on standing partials name this list. */
export const STANDING_PARTIALS_LIST = 'standing-partials'

interface PartialInForce {
  partial: StandingPartial
  pattern: Pattern
  list: HotList
  /** It applies to detections that arrived at this time or later: ms, by the clock of nats-server. */
  appliesFrom: number
}

/**
 * The standing partials that the engine matches reads against, followed live (CAN-2). Each is in force in
 * `[from, until)`, event time, like a hot plate.
 */
export class PartialsInForce {
  private readonly partials = new Map<string, PartialInForce>()
  /** Why records are not in force, by id. */
  private readonly invalid = new Map<string, string>()
  private stopFollowing: () => void = () => {}

  constructor(
    private readonly model: ConfusionModel,
    private readonly log: WatchLog,
    private readonly onChange: () => void = () => {},
  ) {}

  /** Resolves when all stored partials were read; follows changes from then on until `stop`. */
  async follow(connection: NatsConnection): Promise<void> {
    const kv = await connection.jetstream().views.kv(BUCKET.partials, { bindOnly: true })
    const followed = await watchKeys(connection, kv, {
      put: (id, entry) => this.put(id, entry.string(), entry.created.getTime()),
      remove: (id) => {
        this.partials.delete(id)
        this.invalid.delete(id)
        this.onChange()
      },
      log: this.log,
    })
    this.stopFollowing = followed.stop
  }

  stop(): void {
    this.stopFollowing()
    this.partials.clear()
  }

  /**
   * `<id>:<content version>` of each partial that applies to a detection: part of the version of all lists.
   * @param arrivedAt ms, clock of nats-server
   */
  versionsAt(arrivedAt: number): string[] {
    return [...this.partials.values()]
      .filter(({ appliesFrom }) => appliesFrom <= arrivedAt)
      .map(({ list, partial }) => `${partial.id}:${list.version}`)
  }

  /** Why stored partials are not in force, by id. */
  get failures(): [id: string, reason: string][] {
    return [...this.invalid]
  }

  /** Times between two of which the same partials apply. */
  get changes(): number[] {
    return [...this.partials.values()].map(({ appliesFrom }) => appliesFrom)
  }

  /**
   * Adds or replaces a stored record. One that is not valid is not in force, and the log says why.
   * @param created when nats-server stored it, ms: it applies from then on
   */
  put(id: string, json: string, created = 0): void {
    try {
      const partial = parseStandingPartial(JSON.parse(json))
      if (!this.partials.has(id) && this.partials.size >= 2 * MAX_STANDING_PARTIALS)
        throw new Error(`more than ${2 * MAX_STANDING_PARTIALS} standing partials`)
      this.invalid.delete(id)
      const pattern = parsePattern(partial.pattern)
      this.partials.set(id, { partial, pattern, list: listOf(partial), appliesFrom: created })
    } catch (error) {
      this.partials.delete(id)
      this.invalid.set(id, reasonOf(error))
      this.log.warn({ partial: id, reason: logReasonOf(error) }, 'standing partial not in force')
    }
    this.onChange()
  }

  /**
   * Every partial in force at `ts`, of those that apply to a detection that arrived at `arrivedAt`, that the read may
   * satisfy.
   * @param positions probabilities by position (37 each)
   * @param region region of issue as read; empty when unknown
   * @param ts event time, ms
   * @param arrivedAt ms, clock of nats-server
   */
  check(positions: readonly Float32Array[], region: string, ts: number, arrivedAt = Infinity): ListMatch[] {
    const matches: ListMatch[] = []
    for (const { partial, pattern, list, appliesFrom } of this.partials.values()) {
      if (arrivedAt < appliesFrom) continue
      if (ts < partial.from || ts >= partial.until) continue
      if (pattern.regions.length > 0 && region !== '' && !pattern.regions.includes(region.toUpperCase())) continue
      const match = matchPattern(positions, pattern, this.model)
      // Half the threshold: a hit that falls below the threshold stays distinct from one that is gone.
      if (!match || match.probability < partial.threshold * 0.5) continue
      const entry = {
        plate: pattern.text,
        reason: `${partial.reason} (case ${partial.caseNumber})`,
        from: partial.from,
        until: partial.until,
      }
      matches.push({ list, entry, probability: match.probability, exact: match.exact, tolerated: match.tolerated })
    }
    return matches
  }
}

/** The list that a hit on a partial names: a hot list of one entry. */
function listOf(partial: StandingPartial): HotList {
  return {
    id: STANDING_PARTIALS_LIST,
    name: 'Partial plates',
    kind: 'hot',
    priority: partial.priority,
    source: partial.enteredBy,
    version: contentVersion([JSON.stringify(partial)]),
    loadedAt: new Date(partial.enteredAt).toISOString(),
    entries: 1,
    tolerance: 'tolerant',
    threshold: partial.threshold,
  }
}
