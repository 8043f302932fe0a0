import { createHash } from 'node:crypto'
import { StorageType, type JetStreamClient, type KV, type ObjectStore } from 'nats'
import { AlprError, reasonOf } from '../errors.js'
import { isWrongLastSequence } from '../nats/errors.js'
import { BUCKET, OBJECTS } from '../nats/topology.js'
import { strictPlate } from '../../wasm/mod.js'
import { LIST_ID, parseHotList, type HotList, type HotListEntry } from './hotlist.js'

/** What a person decides about a list; version, size and time of loading come from the content. */
export type HotListHead = Omit<HotList, 'version' | 'loadedAt' | 'entries'>

/**
 * Entries in canonical order and form: one JSON object a line, sorted by plate, then by the start of its time. The same
 * entries give the same text, and so the same version, whatever order they came in.
 */
export function* canonicalLines(entries: readonly HotListEntry[]): Generator<string> {
  for (const { plate, reason, region, from, until } of entries)
    yield `${JSON.stringify({ plate, reason, region, from, until })}\n`
}

/** First 16 hex digits of the SHA-256 of the canonical text. */
export function versionOf(entries: readonly HotListEntry[]): string {
  const hash = createHash('sha256')
  for (const line of canonicalLines(entries)) hash.update(line)
  return hash.digest('hex').slice(0, 16)
}

/**
 * Sorts and merges: entries of one plate whose times touch or overlap become one (reasons joined, a region only if all
 * agree); entries of one plate for different times stay apart.
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

/** `a` begins no later than `b`. An open end wins over any date. */
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

/**
 * Stores the entries and then the record that points to them; followers of the bucket HOTLISTS see the list in one
 * step. The entries are an object named `<list>.<version>`, so that whoever still loads the list of a moment ago finds
 * it whole; the one before is kept, older ones go.
 * @param expectedRevision compare-and-set: the revision that the caller saw, 0 for a new list; without it the last
 * writer wins
 * @throws ALPR_ERR_HOTLIST_INVALID when the record is not valid, or somebody else changed the list meanwhile
 */
export async function saveHotList(
  client: JetStreamClient,
  head: HotListHead,
  entries: readonly HotListEntry[],
  expectedRevision?: number,
): Promise<HotList> {
  const merged = mergeEntries(entries)
  const record = parseHotList({
    ...head,
    version: versionOf(merged),
    loadedAt: new Date().toISOString(),
    entries: merged.length,
  })
  const { records, files } = await open(client)
  const before = await readRecord(records, record.id)
  const revision = expectedRevision ?? before?.revision ?? 0
  if (before?.record?.version !== record.version) await files.put({ name: fileName(record) }, textStream(merged))
  await putRecord(records, record, revision)
  await dropFiles(files, record.id, [fileName(record), ...(before?.record ? [fileName(before.record)] : [])])
  return record
}

/** All lists by id, with the revision for compare-and-set. Records that are not valid are left out. */
export async function listHotLists(client: JetStreamClient): Promise<{ record: HotList; revision: number }[]> {
  const { records } = await open(client)
  const found: { record: HotList; revision: number }[] = []
  const ids: string[] = []
  for await (const id of await records.keys()) ids.push(id)
  for (const id of ids.sort()) {
    const one = await readRecord(records, id)
    if (one?.record) found.push({ record: one.record, revision: one.revision })
  }
  return found
}

/** All plates of a list as it stands now, each once. @throws ALPR_ERR_NOT_FOUND, ALPR_ERR_HOTLIST_INVALID */
export async function platesOfList(client: JetStreamClient, id: string): Promise<string[]> {
  const { records } = await open(client)
  const found = await readRecord(records, id)
  if (!found?.record) throw new AlprError('ALPR_ERR_NOT_FOUND', { what: `hot list ${id}` })
  return [...new Set((await loadHotListEntries(client, found.record)).map(({ plate }) => plate))]
}

/**
 * The entries of a list, in canonical order.
 * @throws ALPR_ERR_HOTLIST_INVALID when the content is missing or does not have the digest that the record says
 */
export async function loadHotListEntries(client: JetStreamClient, record: HotList): Promise<HotListEntry[]> {
  const { files } = await open(client)
  const invalid = (reason: string, cause?: unknown) =>
    new AlprError('ALPR_ERR_HOTLIST_INVALID', { list: record.id, reason }, { cause })
  let content: Uint8Array | null
  try {
    content = await files.getBlob(fileName(record))
  } catch (error) {
    throw invalid(`its content cannot be read: ${reasonOf(error)}`, error)
  }
  if (content === null) throw invalid(`content of version ${record.version} is missing`)
  const version = createHash('sha256').update(content).digest('hex').slice(0, 16)
  if (version !== record.version) throw invalid(`content has version ${version}, the record says ${record.version}`)
  const entries: HotListEntry[] = []
  // Line by line: a million entries as one JSON text would need a string near the engine's limit.
  for (let at = 0; at < content.length; ) {
    const end = content.indexOf(0x0a, at)
    entries.push(
      JSON.parse(Buffer.from(content.buffer, content.byteOffset + at, end - at).toString('utf8')) as HotListEntry,
    )
    at = end + 1
  }
  return entries
}

/**
 * Changes what a person decides about a list; its entries and version stay. Engines have it within 2 seconds, between
 * two reads.
 * @throws ALPR_ERR_HOTLIST_UNKNOWN, ALPR_ERR_HOTLIST_INVALID when it is not valid, or somebody else changed the list
 * meanwhile
 */
export async function changeHotList(
  client: JetStreamClient,
  id: string,
  change: Partial<Omit<HotListHead, 'id'>>,
): Promise<HotList> {
  const { records } = await open(client)
  const before = LIST_ID.test(id) ? await readRecord(records, id) : undefined
  if (!before?.record) throw new AlprError('ALPR_ERR_HOTLIST_UNKNOWN', { list: id })
  const record = parseHotList({ ...before.record, ...change })
  await putRecord(records, record, before.revision)
  return record
}

/** Takes a list out of force and its content away. @throws ALPR_ERR_HOTLIST_UNKNOWN */
export async function removeHotList(client: JetStreamClient, id: string): Promise<void> {
  const { records, files } = await open(client)
  if (!LIST_ID.test(id) || (await records.get(id))?.operation !== 'PUT')
    throw new AlprError('ALPR_ERR_HOTLIST_UNKNOWN', { list: id })
  await records.delete(id)
  await dropFiles(files, id, [])
}

/** A plate as a list may state it, normalised, or the reason why it cannot be one. */
export function listedPlate(text: string): { plate: string } | { reason: string } {
  if (kPlain.test(text)) return { plate: text }
  // A pattern would lose its wildcard by normalising and then match another plate.
  const strict = strictPlate(text)
  if ('odd' in strict) return { reason: `the plate has the character "${strict.odd}"` }
  const { plate } = strict
  if (plate === '') return { reason: 'the plate is empty' }
  if (plate.length > MAX_PLATE) return { reason: `the plate has more than ${MAX_PLATE} characters` }
  return { plate }
}

/** Characters of a plate: what the matcher takes. */
export const MAX_PLATE = 12

/** What nearly every line of a long list looks like. */
const kPlain = new RegExp(`^[A-Z0-9]{1,${MAX_PLATE}}$`)

const fileName = (record: { id: string; version: string }) => `${record.id}.${record.version}`

async function open(client: JetStreamClient): Promise<{ records: KV; files: ObjectStore }> {
  return {
    records: await client.views.kv(BUCKET.hotlists, { bindOnly: true }),
    files: await client.views.os(OBJECTS.hotlistFiles, { storage: StorageType.File }),
  }
}

async function putRecord(records: KV, record: HotList, revision: number): Promise<void> {
  try {
    await records.put(record.id, JSON.stringify(record), { previousSeq: revision })
  } catch (error) {
    if (!isWrongLastSequence(error)) throw error
    throw new AlprError(
      'ALPR_ERR_HOTLIST_INVALID',
      { list: record.id, reason: 'somebody else changed it at the same time; try again' },
      { cause: error },
    )
  }
}

/** `record` is missing when what is stored is not a valid one; its revision counts all the same. */
async function readRecord(records: KV, id: string): Promise<{ revision: number; record?: HotList } | undefined> {
  const entry = await records.get(id)
  if (!entry) return undefined
  // A deleted key still has a revision that the next write must name.
  if (entry.operation !== 'PUT') return { revision: entry.revision }
  try {
    return { revision: entry.revision, record: parseHotList(entry.json()) }
  } catch {
    return { revision: entry.revision }
  }
}

async function dropFiles(files: ObjectStore, list: string, keep: string[]): Promise<void> {
  for (const { name } of await files.list()) {
    if (name.slice(0, name.lastIndexOf('.')) === list && !keep.includes(name)) await files.delete(name)
  }
}

/** 64 KiB pieces, made as they are asked for. */
function textStream(entries: readonly HotListEntry[]): ReadableStream<Uint8Array> {
  const lines = canonicalLines(entries)
  return new ReadableStream({
    pull(controller) {
      const piece: string[] = []
      for (let length = 0; length < 65_536; ) {
        const { value, done } = lines.next()
        if (done) break
        piece.push(value)
        length += value.length
      }
      if (piece.length > 0) controller.enqueue(Buffer.from(piece.join('')))
      else controller.close()
    },
  })
}
