import type { JetStreamClient, KV, KvEntry, NatsConnection } from 'nats'
import { LEAST_THRESHOLD, type Matcher } from '../../wasm/mod.js'
import { AlprError, logReasonOf, reasonOf } from '../errors.js'
import type { Read } from '../model/read.js'
import { watchKeys, type WatchLog } from '../nats/kv_watch.js'
import { BUCKET } from '../nats/topology.js'
import { sleep, within } from '../runtime/backoff.js'
import { contentVersion } from '../runtime/content_version.js'
import type { Metrics } from '../runtime/metrics.js'
import { Semaphore } from '../runtime/semaphore.js'
import { MAX_HOT_LISTS, parseHotList, ruleVersion, type HotList, type HotListEntry } from './hotlist.js'
import { MAX_REASON } from './hotlist_entries.js'
import { readListContent } from './hotlist_store.js'
import { ListChain, type StoredList } from './list_chain.js'
import { ListCompiler, type CompiledEntries } from './list_compiler.js'
import type { ListMatch } from './list_match.js'
import { KEPT_MS, leadOf, ListRules, type ListRule } from './list_rules.js'
import { PartialsInForce } from './partials_in_force.js'
import { parseStandingPartial } from './standing_partial.js'

interface FollowedList {
  chain: ListChain
  rules: ListRules
}

/** What a read is matched with. */
type Matched = Pick<Read, 'positions' | 'plate' | 'ts' | 'region'>

/** How long a start waits for lists that cannot be loaded, ms; they are tried again afterwards too. */
const START_MS = 5_000
/** Contents that are in memory on their way to the compiler at the same time. */
const LOADS = 2
/** Old rules are looked for this often, ms. */
const EXPIRE_MS = 30_000
/** Versions of all rules that are kept: partitions may be hours apart. */
const MAX_CACHED = 8
/** Most lists named in a status. */
const MAX_NAMED = 20

/**
 * The hot lists that the engine matches reads against, followed live. A new version is compiled beside the old one, on
 * another thread, and swapped in by one assignment, so no read is ever matched against a half-loaded list. A version
 * that cannot be loaded is tried again until it can; the old one stays in force, and the status says why (HOT-2).
 *
 * Which version applies to a read depends on when its last detection arrived, never on when it is looked at: see
 * `ListRules`.
 */
export class ListsInForce {
  private readonly lists = new Map<string, FollowedList>()
  private readonly partials: PartialsInForce
  private readonly compiler: ListCompiler
  private readonly loads = new Semaphore(LOADS)
  private stopFollowing: () => void = () => {}
  private stopped = false
  private starting = true
  private expiring: NodeJS.Timeout | undefined
  /** Lists beyond the bound, with their newest records: they get the places of removed ones. */
  private readonly beyond = new Map<string, KvEntry>()
  /** Versions of all rules, and for which arrival times each is right: `[from, until)`. */
  private cached: { from: number; until: number; version: string }[] = []

  /** @param startMs how long `follow` waits for lists that cannot be loaded */
  constructor(
    private readonly matcher: Matcher,
    private readonly metrics: Metrics,
    private readonly log: WatchLog & { info(fields: object, text: string): void },
    private readonly startMs = START_MS,
  ) {
    this.partials = new PartialsInForce(matcher.confusions, log, () => this.forget())
    this.compiler = new ListCompiler(matcher)
  }

  /**
   * Resolves when every stored list is in force; a list that cannot be loaded is waited for only for a while. Follows
   * changes from then on until `stop`.
   */
  async follow(connection: NatsConnection): Promise<void> {
    warmUp()
    const client = connection.jetstream()
    const kv = await client.views.kv(BUCKET.hotlists, { bindOnly: true })
    const followed = await watchKeys(connection, kv, {
      put: (id, entry) => this.put(client, kv, id, entry),
      remove: (id) => {
        this.remove(id)
        const [next] = this.beyond
        if (next && this.beyond.delete(next[0])) this.put(client, kv, ...next)
      },
      log: this.log,
    })
    this.stopFollowing = followed.stop
    await this.partials.follow(connection)
    this.expiring = setInterval(() => this.expire(Date.now()), EXPIRE_MS).unref()
    const deadline = performance.now() + this.startMs
    const isOver = ({ chain }: FollowedList) =>
      !chain.busy || (chain.failure !== undefined && performance.now() > deadline)
    while (!this.stopped && ![...this.lists.values()].every(isOver)) await sleep(20)
    this.starting = false
  }

  stop(): void {
    this.stopped = true
    this.stopFollowing()
    clearInterval(this.expiring)
    this.partials.stop()
    for (const id of [...this.lists.keys()]) this.remove(id)
    this.compiler.close()
  }

  /**
   * One version for all rules that apply to a detection: the content version of the lists' rules and the standing
   * partials. @param arrivedAt ms, clock of nats-server
   */
  versionAt(arrivedAt: number): string {
    const known = this.cached.find(({ from, until }) => arrivedAt >= from && arrivedAt < until)
    if (known) return known.version
    const changes = [...[...this.lists.values()].flatMap(({ rules }) => rules.changes), ...this.partials.changes]
    const names = [...this.lists].flatMap(([id, { rules }]) => {
      const rule = rules.at(arrivedAt)
      return rule ? [`${id}:${rule.version}`] : []
    })
    const partials = this.partials.versionsAt(arrivedAt).map((version) => `?${version}`)
    let [from, until] = [-Infinity, Infinity]
    for (const change of changes) {
      if (change <= arrivedAt) from = Math.max(from, change)
      else until = Math.min(until, change)
    }
    const version = contentVersion([[...names, ...partials].sort().join('\n')])
    this.cached = [{ from, until, version }, ...this.cached.slice(0, MAX_CACHED - 1)]
    return version
  }

  /** The newest records that are loaded. */
  get records(): HotList[] {
    return [...this.lists.values()].flatMap(({ rules }) => rules.newest?.record ?? [])
  }

  /** The version of the newest rule of each list that is loaded, by list. */
  get versions(): Record<string, string> {
    return Object.fromEntries(
      [...this.lists].flatMap(([id, { rules }]) => (rules.newest ? [[id, rules.newest.version]] : [])),
    )
  }

  /** Entries in force now. */
  get entries(): number {
    const now = Date.now()
    return [...this.lists.values()].reduce((sum, { rules }) => sum + (rules.at(now)?.record.entries ?? 0), 0)
  }

  /** Why lists and partials are not in force as they are stored, by name; empty when all are. */
  get waiting(): Record<string, string> {
    const failing = [
      ...[...this.lists]
        .filter(([, { chain }]) => chain.failure !== undefined)
        .map(([id, { chain }]) => [`hot list ${id}`, reasonOf(chain.failure)]),
      ...this.partials.failures.map(([id, reason]) => [`standing partial ${id}`, reason]),
    ]
    const named = failing.slice(0, MAX_NAMED)
    const loading = [...this.lists.values()].filter(({ chain }) => chain.busy && chain.failure === undefined).length
    if (this.starting && loading > 0) named.push(['hot lists at the start', `${loading} are being loaded`])
    if (failing.length > MAX_NAMED) named.push(['hot lists', `${failing.length - MAX_NAMED} more are not in force`])
    if (this.beyond.size > 0)
      named.push(['hot list limit', `${this.beyond.size} lists beyond the first ${MAX_HOT_LISTS} are not in force`])
    return Object.fromEntries(named)
  }

  /**
   * Every entry, of all lists that apply to the read and of those the ones in force at its time, that its distribution
   * may be. Lists with tolerance `exact` give exact matches only; standing partials count as lists.
   * @param arrivedAt when the last detection of the read arrived: ms, clock of nats-server
   */
  check({ positions, plate, ts, region }: Matched, arrivedAt: number): ListMatch[] {
    const matches = this.partials.check(positions, region, ts, arrivedAt)
    for (const { rules } of this.lists.values()) {
      const rule = rules.at(arrivedAt)
      if (!rule || rule.entries.length === 0) continue
      const { record, entries, compiled } = rule
      // Half the list's own threshold: a hit that falls below the threshold stays distinct from one that is gone.
      const threshold = Math.max(LEAST_THRESHOLD, record.threshold * 0.5)
      const candidates = this.matcher.match(positions, compiled, threshold, region === '' ? undefined : region, true)
      for (const { entry: index, probability, tolerated } of candidates) {
        const exact = entries.at(index) === plate
        if (record.tolerance === 'exact' && !exact) continue
        const entry = entries.inForce(index, ts)
        if (entry) matches.push({ list: record, entry: this.bounded(entry), probability, exact, tolerated })
      }
    }
    return matches
  }

  /** Lists of older versions may have reasons of any length. */
  private bounded(entry: HotListEntry): HotListEntry {
    if (entry.reason.length <= MAX_REASON) return entry
    this.metrics.count('hot_list_reasons_cut_total')
    return { ...entry, reason: `${entry.reason.slice(0, MAX_REASON - 1)}…` }
  }

  private put(client: JetStreamClient, kv: KV, id: string, entry: KvEntry): void {
    if (!this.lists.has(id) && this.lists.size >= MAX_HOT_LISTS) {
      this.metrics.bound('hot_lists')
      this.beyond.set(id, entry)
      return
    }
    const list = this.lists.get(id) ?? this.open(client, kv, id)
    const { revision, created } = entry
    // A watch that was renewed reports what is known already.
    if (list.chain.knows(revision)) return
    try {
      list.chain.put({ revision, created: created.getTime(), record: recordOf(id, entry) })
    } catch (error) {
      // Another attempt would find the same record: only its next revision can help.
      list.chain.refuse(revision, error)
      this.failed(id, error)
    }
  }

  private open(client: JetStreamClient, kv: KV, id: string): FollowedList {
    const rules = new ListRules()
    const chain = new ListChain(
      (stored, signal) => this.load(client, kv, rules, stored, signal),
      (error, _, attempts) => this.failed(id, error, attempts),
    )
    const list = { chain, rules }
    this.lists.set(id, list)
    return list
  }

  private remove(id: string): void {
    this.beyond.delete(id)
    const list = this.lists.get(id)
    if (!list) return
    this.lists.delete(id)
    list.chain.stop()
    this.release(list.rules.clear(), list.rules)
  }

  /** Puts a revision in force. @throws what is wrong; the signal's reason */
  private async load(
    client: JetStreamClient,
    kv: KV,
    rules: ListRules,
    stored: StoredList,
    signal: AbortSignal,
  ): Promise<void> {
    const { record, created } = stored
    // Before the content: the previous version is deleted soon after the next one is stored.
    const earlier = rules.newest ? undefined : await this.loads.run(() => earlierRevisions(kv, stored), { signal })
    const first = earlier?.length === 0
    const rule = { stored, from: first ? created : created + leadOf(record), first }
    this.add(rules, ruleOf(rule, await this.contentOf(client, rules, record, signal)))
    if (earlier) await this.loadEarlier(client, rules, rule.from, earlier, signal)
  }

  /** Adds the rules that messages and open passes from before the start may need. */
  private async loadEarlier(
    client: JetStreamClient,
    rules: ListRules,
    from: number,
    earlier: readonly StoredList[],
    signal: AbortSignal,
  ): Promise<void> {
    try {
      for (let [i, next] = [0, from]; i < earlier.length && next > Date.now() - KEPT_MS; i++) {
        const stored = earlier[i]!
        const first = i === earlier.length - 1 && earlier.length < HISTORY - 1
        const rule = { stored, from: first ? stored.created : stored.created + leadOf(stored.record), first }
        this.add(rules, ruleOf(rule, await this.contentOf(client, rules, stored.record, signal)))
        next = rule.from
      }
    } catch (error) {
      signal.throwIfAborted()
      // The one that replaced it applies instead.
      const { id } = earlier[0]!.record
      this.log.warn({ list: id, reason: logReasonOf(error) }, 'an earlier version of a hot list is not loaded')
    }
  }

  private async contentOf(
    client: JetStreamClient,
    rules: ListRules,
    record: HotList,
    signal: AbortSignal,
  ): Promise<CompiledEntries> {
    const known = rules.contentOf(record.version)
    if (known) return known
    const content = await this.loads.run(
      async () => this.compiler.compile(await readListContent(client, record, signal), record.version),
      { signal },
    )
    signal.throwIfAborted()
    return content
  }

  private add(rules: ListRules, rule: ListRule): void {
    this.release(rules.add(rule), rules)
    const { id, version, entries } = rule.record
    this.log.info({ list: id, version, entries, from: new Date(rule.from).toISOString() }, 'hot list in force')
  }

  private failed(id: string, error: unknown, attempts = 1): void {
    this.metrics.count('hot_list_failures_total')
    if (attempts > 1) return
    const text = 'hot list version not loaded, the previous version stays in force until it is'
    this.log.warn({ list: id, reason: logReasonOf(error) }, text)
  }

  private expire(now: number): void {
    for (const { rules } of this.lists.values()) this.release(rules.expire(now), rules)
  }

  /** Rules have changed. */
  private forget(): void {
    this.cached = []
  }

  /** Frees the memory of rules that are gone, unless a remaining one has the same content. */
  private release(dropped: readonly ListRule[], rules: ListRules): void {
    this.forget()
    for (const { record, compiled } of dropped) if (!rules.contentOf(record.version)) this.matcher.release(compiled)
  }
}

/** Compiles the schemas of the records (some 50 ms): now, not when the first list arrives and reads wait. */
function warmUp(): void {
  for (const parse of [parseHotList, parseStandingPartial])
    try {
      parse(undefined)
    } catch {
      /* nothing is no record */
    }
}

const ruleOf = (
  { stored: { record, revision }, from, first }: { stored: StoredList; from: number; first: boolean },
  { entries, compiled }: CompiledEntries,
): ListRule => ({ record, version: ruleVersion(record), revision, from, first, entries, compiled })

/** @throws ALPR_ERR_HOTLIST_INVALID */
function recordOf(id: string, entry: KvEntry): HotList {
  let value: unknown
  try {
    value = entry.json()
  } catch (error) {
    throw new AlprError('ALPR_ERR_HOTLIST_INVALID', { list: id, reason: 'its record is not JSON' }, { cause: error })
  }
  return parseHotList(value)
}

/**
 * The revisions of a list before `stored`, newest first, back to the last removal; the bucket keeps `HISTORY`. A
 * revision whose record is not valid was never in force.
 */
async function earlierRevisions(kv: KV, { record, revision }: StoredList): Promise<StoredList[]> {
  const history = await kv.history({ key: record.id })
  const revisions: StoredList[] = []
  await within(
    HISTORY_MS,
    (async () => {
      for await (const entry of history) {
        if (entry.revision >= revision) continue
        if (entry.operation !== 'PUT') revisions.length = 0
        else
          try {
            revisions.unshift({
              revision: entry.revision,
              created: entry.created.getTime(),
              record: recordOf(record.id, entry),
            })
          } catch {
            /* as the docstring says */
          }
      }
    })(),
  ).finally(() => history.stop())
  return revisions
}

/** Revisions of a record that the bucket keeps (nats/setup.ts). */
const HISTORY = 5
/** How long the server may take to list the revisions of a list, ms. */
const HISTORY_MS = 10_000
