import { contentVersion } from '../runtime/content_version.js'
import type { HotListEntry } from './hotlist.js'

/** Longest reason of an entry, in characters. Consoles show it whole, and every hit carries it. */
export const MAX_REASON = 1_000
/** Longest state or country of an entry, in characters. */
export const MAX_REGION = 32

/** The canonical text of an entry: one JSON object, keys in a fixed order, and a line feed. */
export const entryLine = ({ plate, reason, region, from, until }: HotListEntry): string =>
  `${JSON.stringify({ plate, reason, region, from, until })}\n`

/** Entries as text, a line each. Merged entries give the canonical text of a list. */
export function* entryLines(entries: readonly HotListEntry[]): Generator<string> {
  for (const entry of entries) yield entryLine(entry)
}

/**
 * Version of a list's content. The same set of entries has the same version, no matter in which order it was loaded.
 * @param entries merged
 */
export const entriesVersion = (entries: readonly HotListEntry[]): string => contentVersion(entryLines(entries))

/** The entries of a canonical text. @param content bytes that `entryLines` wrote */
export function parseEntryLines(content: Uint8Array): HotListEntry[] {
  const entries: HotListEntry[] = []
  // Line by line: one JSON text of a million entries would be a string near the limit of V8.
  for (let at = 0; at < content.length; ) {
    const found = content.indexOf(0x0a, at)
    const end = found < 0 ? content.length : found
    const line = Buffer.from(content.buffer, content.byteOffset + at, end - at)
    entries.push(JSON.parse(line.toString('utf8')) as HotListEntry)
    at = end + 1
  }
  return entries
}

/** Entries that were merged, and how many lost a part of their reason. */
export interface Merged {
  entries: HotListEntry[]
  /** Entries whose reason was longer than MAX_REASON. */
  cutReasons: number
}

/**
 * Sorts entries by plate, then by the start of their time, and merges them: entries of one plate whose times touch or
 * overlap become one (reasons joined, and regions: `CA/NV`). Other times of one plate stay separate.
 * @param entries plates normalised
 */
export function mergeEntries(entries: readonly HotListEntry[]): Merged {
  const sorted = [...entries].sort((a, b) => (a.plate < b.plate ? -1 : a.plate > b.plate ? 1 : byTime(a, b)))
  const merged: Merged = { entries: [], cutReasons: 0 }
  let open: JoinedEntry | undefined
  const close = () => {
    if (!open) return
    merged.entries.push(open.entry())
    if (open.cut) merged.cutReasons += 1
  }
  for (const entry of sorted) {
    if (open?.touches(entry)) open.add(entry)
    else {
      close()
      open = new JoinedEntry(entry)
    }
  }
  close()
  return merged
}

const fromOf = (entry: HotListEntry) => entry.from ?? -Infinity

/** A total order of different entries of one plate, so that the order of the file never shows in the result. */
function byTime(a: HotListEntry, b: HotListEntry): number {
  // Two open starts, or ends, are Infinity apart from Infinity, which is not a number.
  if (fromOf(a) !== fromOf(b)) return fromOf(a) - fromOf(b)
  if (a.reason !== b.reason) return a.reason < b.reason ? -1 : 1
  if (a.until !== b.until) return (a.until ?? Infinity) - (b.until ?? Infinity)
  return (a.region ?? '') < (b.region ?? '') ? -1 : 1
}

/**
 * Entries of one plate whose times touch, in the order of their start. The text of the reasons is bounded: what is
 * beyond the bound is counted in it.
 */
class JoinedEntry {
  readonly #first: HotListEntry
  readonly #reasons = new Set<string>()
  /** Characters of the reasons, with what separates them. */
  #length = 0
  /** Reasons that did not fit; one that comes twice counts twice. */
  #more = 0
  #cutInside = false
  readonly #regions = new Set<string>()
  #until: number | undefined

  constructor(first: HotListEntry) {
    this.#first = first
    this.#addRegions(first.region)
    this.#until = first.until
    this.#addReasons(first.reason)
  }

  get cut(): boolean {
    return this.#more > 0 || this.#cutInside
  }

  touches(entry: HotListEntry): boolean {
    return entry.plate === this.#first.plate && fromOf(entry) <= (this.#until ?? Infinity)
  }

  /** Adds an entry that begins no earlier than those before. An open end wins over any date. */
  add({ reason, region, until }: HotListEntry): void {
    this.#addReasons(reason)
    this.#addRegions(region)
    this.#until = this.#until === undefined || until === undefined ? undefined : Math.max(this.#until, until)
  }

  entry(): HotListEntry {
    const { plate, from } = this.#first
    const reason = [...this.#reasons, ...(this.#more > 0 ? [`and ${this.#more} more`] : [])].join('; ')
    const region = [...this.#regions].sort().join('/')
    const known = region !== '' && region.length <= MAX_REGION
    return { plate, reason, region: known ? region : undefined, from, until: this.#until }
  }

  #addRegions(text = ''): void {
    for (const region of text.split('/')) if (region !== '') this.#regions.add(region)
  }

  #addReasons(text: string): void {
    for (const reason of text.split('; ')) {
      if (reason === '' || this.#reasons.has(reason)) continue
      const room = MAX_REASON - this.#length
      if (reason.length <= room) this.#keep(reason)
      else if (this.#reasons.size > 0) this.#more += 1
      else {
        this.#keep(`${reason.slice(0, room - 1)}…`)
        this.#cutInside = true
      }
    }
  }

  #keep(reason: string): void {
    this.#reasons.add(reason)
    this.#length += reason.length + 2
  }
}
