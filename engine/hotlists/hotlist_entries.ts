import { contentVersion } from '../runtime/content_version.js'
import type { HotListEntry } from './hotlist.js'

/** Entries as text: one JSON object a line, keys in a fixed order. Merged entries give their canonical text. */
export function* entryLines(entries: readonly HotListEntry[]): Generator<string> {
  for (const { plate, reason, region, from, until } of entries)
    yield `${JSON.stringify({ plate, reason, region, from, until })}\n`
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
    const end = content.indexOf(0x0a, at)
    const line = Buffer.from(content.buffer, content.byteOffset + at, end - at)
    entries.push(JSON.parse(line.toString('utf8')) as HotListEntry)
    at = end + 1
  }
  return entries
}

/**
 * Sorts entries by plate, then by the start of their time, and merges them: entries of one plate whose times touch or
 * overlap become one (reasons joined, the region kept only if all agree). Other times of one plate stay separate.
 * @param entries plates normalised
 */
export function mergeEntries(entries: readonly HotListEntry[]): HotListEntry[] {
  const from = (entry: HotListEntry) => entry.from ?? -Infinity
  const sorted = [...entries].sort((a, b) =>
    a.plate < b.plate ? -1 : a.plate > b.plate ? 1 : from(a) - from(b) || (a.reason < b.reason ? -1 : 1),
  )
  const merged: HotListEntry[] = []
  for (const entry of sorted) {
    const last = merged.at(-1)
    if (last?.plate === entry.plate && from(entry) <= (last.until ?? Infinity))
      merged[merged.length - 1] = join(last, entry)
    else merged.push(entry)
  }
  return merged
}

/** One entry of two of the same plate; `a` begins no later than `b`. An open end wins over any date. */
function join(a: HotListEntry, b: HotListEntry): HotListEntry {
  const reasons = [...new Set([...a.reason.split('; '), ...b.reason.split('; ')])].filter(Boolean)
  const until = a.until === undefined || b.until === undefined ? undefined : Math.max(a.until, b.until)
  return {
    plate: a.plate,
    reason: reasons.join('; '),
    region: a.region === b.region ? a.region : undefined,
    from: a.from,
    until,
  }
}
