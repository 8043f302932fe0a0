import { leadOf, ruleVersion, type HotList } from '../../engine/mod.js'
import type { MissingList } from '../live/protocol.js'
import type { RegistryMirror } from './registry_mirror.js'
import type { StatusBoard } from './status_board.js'

/** Beyond its lead time, a list may take this long to be in force, or out of it, ms. */
const GRACE_MS = 5_000
/** Most that are reported: every list on every engine, when the bucket of their contents is lost. */
const MAX_REPORTED = 500

/**
 * Compares the rules that engines report with the registry: which engine does not match reads against a hot list as it
 * is stored, and since when. An engine of an older version reports none and is left out.
 */
export class MissingLists {
  /** When each difference was first seen, wall clock, ms. */
  #since = new Map<string, number>()
  #all: MissingList[] = []
  readonly #versions = new WeakMap<HotList, string>()

  constructor(
    private readonly board: Pick<StatusBoard, 'fresh'>,
    private readonly registry: Pick<RegistryMirror, 'lists' | 'problem'>,
  ) {}

  /** What the last `update` found, by engine and list. */
  all(): readonly MissingList[] {
    return this.#all
  }

  /** Compares; to be called every second or so. @param now wall clock, ms */
  update(now = Date.now()): void {
    // The mirror may be old: what differs then is not the engine's fault.
    if (this.registry.problem() !== '') return
    const before = this.#since
    this.#since = new Map()
    this.#all = []
    for (const missing of this.#differences()) {
      const key = `${missing.engine} ${missing.list} ${missing.version}`
      const since = before.get(key) ?? now
      this.#since.set(key, since)
      if (now - since > missing.graceMs && this.#all.length < MAX_REPORTED) {
        const { graceMs: _, ...rest } = missing
        this.#all.push({ ...rest, since: new Date(since).toISOString() })
      }
    }
  }

  *#differences(): Generator<Omit<MissingList, 'since'> & { graceMs: number }> {
    const lists = this.registry.lists()
    const stored = new Set(lists.map(({ id }) => id))
    for (const { instance: engine, lists: inForce, waiting } of this.board.fresh()) {
      if (typeof inForce !== 'object' || inForce === null) continue
      for (const record of lists) {
        const { id, name, version } = record
        if (inForce[id] === this.#versionOf(record)) continue
        const reason = waiting?.[`hot list ${id}`]
        const graceMs = leadOf(record) + GRACE_MS
        yield { engine, list: id, name, version, graceMs, ...(reason !== undefined && { reason }) }
      }
      for (const id of Object.keys(inForce))
        if (!stored.has(id)) yield { engine, list: id, name: id, version: '', graceMs: GRACE_MS }
    }
  }

  #versionOf(record: HotList): string {
    const known = this.#versions.get(record) ?? ruleVersion(record)
    this.#versions.set(record, known)
    return known
  }
}

/** One sentence for people, without a full stop. */
export const missingText = ({ engine, list, version, since, reason }: MissingList): string =>
  version === ''
    ? `hot list ${list} is removed, and still in force on engine ${engine} since ${since}`
    : `hot list ${list}: version ${version} is not in force on engine ${engine} since ${since}` +
      (reason === undefined ? '' : ` (${reason})`)
