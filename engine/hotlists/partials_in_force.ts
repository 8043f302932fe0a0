import { createHash } from 'node:crypto'
import type { NatsConnection } from 'nats'
import { parsePattern, type ConfusionModel, type Pattern } from '../../wasm/mod.js'
import { reasonOf } from '../errors.js'
import { watchKeys, type WatchLog } from '../nats/kv_watch.js'
import { BUCKET } from '../nats/topology.js'
import type { HotList } from './hotlist.js'
import type { ListMatch } from './lists_in_force.js'
import { matchPattern } from './pattern_match.js'
import { parseStandingPartial, type StandingPartial } from './standing_partial.js'
import { MAX_STANDING_PARTIALS } from './standing_partial_store.js'

/** The list under which hits on standing partials go out. */
export const STANDING_PARTIALS_LIST = 'standing-partials'

interface Watched {
  partial: StandingPartial
  pattern: Pattern
  list: HotList
}

/**
 * The standing partials that the engine holds reads against, followed live (CAN-2). Each is in force from `from` to
 * `until`, event time, like a hot plate.
 */
export class PartialsInForce {
  private readonly watched = new Map<string, Watched>()
  private stopFollowing: () => void = () => {}

  constructor(
    private readonly model: ConfusionModel,
    private readonly log: WatchLog,
  ) {}

  /** Resolves when all there are have been taken; follows from then on until `stop`. */
  async follow(connection: NatsConnection): Promise<void> {
    const kv = await connection.jetstream().views.kv(BUCKET.partials, { bindOnly: true })
    const followed = await watchKeys(connection, kv, {
      put: (id, entry) => this.put(id, entry.string()),
      remove: (id) => {
        this.watched.delete(id)
      },
      log: this.log,
    })
    this.stopFollowing = followed.stop
  }

  stop(): void {
    this.stopFollowing()
    this.watched.clear()
  }

  /** Names and contents, for the digest of all that reads are matched against. */
  get versions(): string[] {
    return [...this.watched.values()].map(({ list, partial }) => `${partial.id}:${list.version}`)
  }

  /** Takes a record as it is stored; one that is not valid is not in force, and the log says why. */
  put(id: string, json: string): void {
    try {
      const partial = parseStandingPartial(JSON.parse(json))
      if (!this.watched.has(id) && this.watched.size >= 2 * MAX_STANDING_PARTIALS)
        throw new Error(`more than ${2 * MAX_STANDING_PARTIALS} standing partials`)
      this.watched.set(id, { partial, pattern: parsePattern(partial.pattern), list: listOf(partial) })
    } catch (error) {
      this.watched.delete(id)
      this.log.warn({ partial: id, reason: reasonOf(error) }, 'standing partial not in force')
    }
  }

  /** Every partial in force at `ts` that the read may satisfy. @param positions 37 probabilities each */
  check(positions: readonly Float32Array[], region: string, ts: number): ListMatch[] {
    const found: ListMatch[] = []
    for (const { partial, pattern, list } of this.watched.values()) {
      if (ts < partial.from || ts >= partial.until) continue
      if (pattern.regions.length > 0 && region !== '' && !pattern.regions.includes(region.toUpperCase())) continue
      const hit = matchPattern(positions, pattern, this.model)
      // Looser than the threshold, so that a hit that falls below it can be told from one that is gone.
      if (!hit || hit.probability < partial.threshold * 0.5) continue
      const entry = {
        plate: pattern.text,
        reason: `${partial.reason} (case ${partial.caseNumber})`,
        from: partial.from,
        until: partial.until,
      }
      found.push({ list, entry, probability: hit.probability, exact: hit.exact, tolerated: hit.tolerated })
    }
    return found
  }
}

function listOf(partial: StandingPartial): HotList {
  const version = createHash('sha256').update(JSON.stringify(partial)).digest('hex').slice(0, 16)
  return {
    id: STANDING_PARTIALS_LIST,
    name: 'Partial plates',
    kind: 'hot',
    priority: partial.priority,
    source: partial.enteredBy,
    version,
    loadedAt: new Date(partial.enteredAt).toISOString(),
    entries: 1,
    tolerance: 'tolerant',
    threshold: partial.threshold,
  }
}
