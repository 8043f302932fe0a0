import type { NatsConnection } from 'nats'
import { parsePattern, type ConfusionModel, type Pattern } from '../../wasm/mod.js'
import { reasonOf } from '../errors.js'
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
}

/**
 * The standing partials that the engine matches reads against, followed live (CAN-2). Each is in force in
 * `[from, until)`, event time, like a hot plate.
 */
export class PartialsInForce {
  private readonly partials = new Map<string, PartialInForce>()
  private stopFollowing: () => void = () => {}

  constructor(
    private readonly model: ConfusionModel,
    private readonly log: WatchLog,
  ) {}

  /** Resolves when all stored partials were read; follows changes from then on until `stop`. */
  async follow(connection: NatsConnection): Promise<void> {
    const kv = await connection.jetstream().views.kv(BUCKET.partials, { bindOnly: true })
    const followed = await watchKeys(connection, kv, {
      put: (id, entry) => this.put(id, entry.string()),
      remove: (id) => {
        this.partials.delete(id)
      },
      log: this.log,
    })
    this.stopFollowing = followed.stop
  }

  stop(): void {
    this.stopFollowing()
    this.partials.clear()
  }

  /** `<id>:<content version>` of each partial: part of the version of all lists in force. */
  get versions(): string[] {
    return [...this.partials.values()].map(({ list, partial }) => `${partial.id}:${list.version}`)
  }

  /** Adds or replaces a stored record. One that is not valid is not in force, and the log says why. */
  put(id: string, json: string): void {
    try {
      const partial = parseStandingPartial(JSON.parse(json))
      if (!this.partials.has(id) && this.partials.size >= 2 * MAX_STANDING_PARTIALS)
        throw new Error(`more than ${2 * MAX_STANDING_PARTIALS} standing partials`)
      this.partials.set(id, { partial, pattern: parsePattern(partial.pattern), list: listOf(partial) })
    } catch (error) {
      this.partials.delete(id)
      this.log.warn({ partial: id, reason: reasonOf(error) }, 'standing partial not in force')
    }
  }

  /**
   * Every partial in force at `ts` that the read may satisfy.
   * @param positions probabilities by position (37 each)
   * @param region region of issue as read; empty when unknown
   * @param ts event time, ms
   */
  check(positions: readonly Float32Array[], region: string, ts: number): ListMatch[] {
    const matches: ListMatch[] = []
    for (const { partial, pattern, list } of this.partials.values()) {
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
