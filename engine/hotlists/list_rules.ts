import type { CompiledEntries } from './list_compiler.js'
import type { HotList } from './hotlist.js'

/** A rule stays beside its successor for this long, ms: open passes and messages that waited may be older than that. */
export const KEPT_MS = 600_000
/** Rules of one list that are kept; many changes within minutes must not fill the memory. */
const MAX_KEPT = 4

/** A list as it was stored once: what reads are matched against from a certain arrival time on. */
export interface ListRule extends CompiledEntries {
  record: HotList
  /** `ruleVersion` of the record. */
  version: string
  /** Revision of the record in bucket HOTLISTS. */
  revision: number
  /** It applies to detections that arrived at this time or later: ms, by the clock of nats-server. */
  from: number
  /** Nothing applied before it: the list did not exist. */
  first: boolean
}

/**
 * How long after its storage a rule applies that replaces another, ms: engines load it meanwhile, so that all switch
 * between the same two messages, and one that starts again later decides the same. One second, and 4 s for each million
 * entries.
 */
export const leadOf = (record: HotList): number => 1_000 + record.entries * 0.004

/**
 * The rules of one list, oldest first. A detection is matched against the rule that applied when it arrived, however
 * late it is looked at: `arrivedAt` is the one clock that a restart, a takeover and a restore reproduce.
 */
export class ListRules {
  private rules: readonly ListRule[] = []

  get newest(): ListRule | undefined {
    return this.rules.at(-1)
  }

  /** The rule for a detection; undefined when the list did not exist. @param arrivedAt ms, clock of nats-server */
  at(arrivedAt: number): ListRule | undefined {
    for (let i = this.rules.length - 1; i >= 0; i--) if (this.rules[i]!.from <= arrivedAt) return this.rules[i]
    // A rule that is no longer known applied then. The oldest known one takes its place: nothing passes unchecked.
    const oldest = this.rules[0]
    return oldest?.first ? undefined : oldest
  }

  /** The content of this version, if a rule has it. */
  contentOf(version: string): CompiledEntries | undefined {
    return this.rules.find(({ record }) => record.version === version)
  }

  /** Adds a rule, newer or older than those that are known. @returns the rules that are kept no longer */
  add(rule: ListRule): ListRule[] {
    const rules = [...this.rules, rule].sort((a, b) => a.revision - b.revision)
    return this.keep(rules.slice(-MAX_KEPT))
  }

  /** Drops rules whose successor has applied for long enough. @param now wall clock, ms @returns the dropped ones */
  expire(now: number): ListRule[] {
    return this.keep(this.rules.filter((_, i) => (this.rules[i + 1]?.from ?? Infinity) > now - KEPT_MS))
  }

  /** Times between two of which the same rules apply. */
  get changes(): number[] {
    return this.rules.map(({ from }) => from)
  }

  clear(): ListRule[] {
    return this.keep([])
  }

  private keep(rules: readonly ListRule[]): ListRule[] {
    const dropped = this.rules.filter((rule) => !rules.includes(rule))
    this.rules = rules
    return dropped
  }
}
