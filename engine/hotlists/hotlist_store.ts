import type { JetStreamClient, KV } from 'nats'
import { AlprError } from '../errors.js'
import { isWrongLastSequence, natsReason } from '../nats/errors.js'
import { BUCKET } from '../nats/topology.js'
import { contentVersion } from '../runtime/content_version.js'
import {
  deleteLostPieces,
  deleteObject,
  objectNames,
  ObjectUpload,
  readObject,
  readObjectPieces,
} from './entry_objects.js'
import { EntrySorter } from './entry_sorter.js'
import { EntryTable } from './entry_table.js'
import { LIST_ID, MAX_HOT_LISTS, parseHotList, type HotList, type HotListEntry } from './hotlist.js'
import { parseEntryLines } from './hotlist_entries.js'
import { ChangeCounter, type ListChange } from './list_change.js'

/** What a person decides about a list. Version, size and load time follow from the content. */
export type HotListHead = Omit<HotList, 'version' | 'loadedAt' | 'entries'>

/** What a writer of a list may ask for. */
export interface SaveOptions {
  /**
   * Gets what the new content changes, before it is in force; what it throws keeps the list as it is. The list in force
   * is read for it, piece by piece.
   */
  check?: (change: ListChange) => void
  /** Everything but the last step: nothing is stored. */
  dryRun?: boolean
}

/**
 * Stores the entries first and then the record that points to them, so that followers of bucket HOTLISTS see the list
 * change in one step. The entries are an object named `<list>.<version>`. The previous version is kept, so that an
 * engine that is still loading it finds it whole; older ones are deleted.
 * @param entries those of the list, in any order; an `EntrySorter` keeps many of them in little memory
 * @param expectedRevision compare-and-set: the revision that the caller read, 0 for a new list; without it the last
 * writer wins
 * @throws ALPR_ERR_HOTLIST_INVALID when the record is not valid, there are too many lists, or another writer changed
 * the list meanwhile; what `check` throws
 */
export async function saveHotList(
  client: JetStreamClient,
  head: HotListHead,
  entries: readonly HotListEntry[] | EntrySorter,
  expectedRevision?: number,
  { check, dryRun = false }: SaveOptions = {},
): Promise<HotList> {
  const unread = { version: '0'.repeat(16), loadedAt: new Date().toISOString(), entries: 0 }
  // Before the content is sent: it may take a minute.
  parseHotList({ ...head, ...unread })
  const records = await openRecords(client)
  const previous = await readRecord(records, head.id)
  if (!previous?.record) await checkRoom(records, head.id)
  const revision = expectedRevision ?? previous?.revision ?? 0
  const sorted = entries instanceof EntrySorter ? entries : sortedOf(head.id, entries)
  const upload = new ObjectUpload(client)
  let record: HotList
  try {
    const changes = check && new ChangeCounter(await contentOf(client, previous?.record))
    for (const piece of sorted.pieces()) {
      await upload.write(piece)
      await changes?.add(piece)
    }
    const version = (await upload.end()).slice(0, 16)
    record = parseHotList({ ...head, version, loadedAt: new Date().toISOString(), entries: sorted.merged })
    if (changes) check(await changes.end())
    if (dryRun) {
      await upload.abandon()
      return record
    }
    await upload.commit(fileName(record))
  } catch (error) {
    await upload.abandon().catch(() => {})
    throw error
  }
  await putRecord(records, record, revision)
  await dropFiles(client, record.id, [fileName(record), ...(previous?.record ? [fileName(previous.record)] : [])])
  await deleteLostPieces(client)
  return record
}

/**
 * The canonical text of the list in force, piece by piece; undefined when there is no such list, or when its content is
 * missing, which must not keep a new version from mending it.
 */
async function contentOf(client: JetStreamClient, record: HotList | undefined) {
  return record && (await readObjectPieces(client, fileName(record)))
}

/** The list of an id, if there is one. Its record may be invalid: then there is none. */
export async function findHotList(client: JetStreamClient, id: string): Promise<HotList | undefined> {
  return (await readRecord(await openRecords(client), id))?.record
}

/** All lists by id, with their revisions for compare-and-set. Records that are not valid are left out. */
export async function listHotLists(client: JetStreamClient): Promise<{ record: HotList; revision: number }[]> {
  const records = await openRecords(client)
  const lists: { record: HotList; revision: number }[] = []
  for (const id of (await idsOf(records)).sort()) {
    const found = await readRecord(records, id)
    if (found?.record) lists.push({ record: found.record, revision: found.revision })
  }
  return lists
}

/** The plates that are on a list now, each once. @throws ALPR_ERR_NOT_FOUND, ALPR_ERR_HOTLIST_INVALID */
export async function platesOfList(client: JetStreamClient, id: string): Promise<string[]> {
  const found = await readRecord(await openRecords(client), id)
  if (!found?.record) throw new AlprError('ALPR_ERR_NOT_FOUND', { what: `hot list ${id}` })
  const content = await readListContent(client, found.record)
  checkVersion(content, found.record)
  const table = EntryTable.of(content)
  return Array.from(table.starts.subarray(1), (_, plate) => table.at(plate)!)
}

/**
 * The canonical text of a list's entries, as it is stored: whether it has the record's version is not checked.
 * @throws ALPR_ERR_HOTLIST_INVALID when it is missing or cannot be read whole; the signal's reason
 */
export async function readListContent(
  client: JetStreamClient,
  record: HotList,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  let content: Uint8Array<ArrayBuffer> | undefined
  try {
    content = await readObject(client, fileName(record), { signal })
  } catch (error) {
    signal?.throwIfAborted()
    throw invalid(record, `its content cannot be read: ${natsReason(error)}`, error)
  }
  if (!content) throw invalid(record, `content of version ${record.version} is missing`)
  return content
}

/**
 * The entries of a list, in canonical order.
 * @throws ALPR_ERR_HOTLIST_INVALID when the content is missing or does not have the version that the record names
 */
export async function loadHotListEntries(client: JetStreamClient, record: HotList): Promise<HotListEntry[]> {
  const content = await readListContent(client, record)
  checkVersion(content, record)
  return parseEntryLines(content)
}

/**
 * Changes what a person decides about a list; its entries and version stay. Engines apply the change within 2 seconds,
 * between two reads.
 * @throws ALPR_ERR_HOTLIST_UNKNOWN
 * @throws ALPR_ERR_HOTLIST_INVALID when the change is not valid, or another writer changed the list meanwhile
 */
export async function changeHotList(
  client: JetStreamClient,
  id: string,
  change: Partial<Omit<HotListHead, 'id'>>,
): Promise<HotList> {
  const records = await openRecords(client)
  const previous = LIST_ID.test(id) ? await readRecord(records, id) : undefined
  if (!previous?.record) throw new AlprError('ALPR_ERR_HOTLIST_UNKNOWN', { list: id })
  const record = parseHotList({ ...previous.record, ...change })
  await putRecord(records, record, previous.revision)
  return record
}

/** Takes a list out of force and deletes its content. @throws ALPR_ERR_HOTLIST_UNKNOWN */
export async function removeHotList(client: JetStreamClient, id: string): Promise<void> {
  const records = await openRecords(client)
  if (!LIST_ID.test(id) || (await records.get(id))?.operation !== 'PUT')
    throw new AlprError('ALPR_ERR_HOTLIST_UNKNOWN', { list: id })
  await records.delete(id)
  await dropFiles(client, id, [])
}

const fileName = (record: { id: string; version: string }) => `${record.id}.${record.version}`

const invalid = (record: { id: string }, reason: string, cause?: unknown) =>
  new AlprError('ALPR_ERR_HOTLIST_INVALID', { list: record.id, reason }, { cause })

function checkVersion(content: Uint8Array, record: HotList): void {
  const version = contentVersion([content])
  if (version !== record.version)
    throw invalid(record, `content has version ${version}, the record says ${record.version}`)
}

const openRecords = (client: JetStreamClient): Promise<KV> => client.views.kv(BUCKET.hotlists, { bindOnly: true })

async function idsOf(records: KV): Promise<string[]> {
  const ids: string[] = []
  for await (const id of await records.keys()) ids.push(id)
  return ids
}

/** @throws ALPR_ERR_HOTLIST_INVALID when one more list is too many */
async function checkRoom(records: KV, id: string): Promise<void> {
  const others = (await idsOf(records)).filter((other) => other !== id)
  if (others.length >= MAX_HOT_LISTS)
    throw invalid({ id }, `there are ${MAX_HOT_LISTS} lists already; remove one first`)
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

/** Without `record` when the stored one is not valid or was deleted: the next write must name its revision anyway. */
async function readRecord(records: KV, id: string): Promise<{ revision: number; record?: HotList } | undefined> {
  const entry = await records.get(id)
  if (!entry) return undefined
  if (entry.operation !== 'PUT') return { revision: entry.revision }
  try {
    return { revision: entry.revision, record: parseHotList(entry.json()) }
  } catch {
    return { revision: entry.revision }
  }
}

async function dropFiles(client: JetStreamClient, list: string, keep: string[]): Promise<void> {
  for (const name of await objectNames(client))
    if (name.slice(0, name.lastIndexOf('.')) === list && !keep.includes(name)) await deleteObject(client, name)
}

function sortedOf(list: string, entries: readonly HotListEntry[]): EntrySorter {
  const sorter = new EntrySorter(list)
  for (const entry of entries) sorter.add(entry)
  return sorter
}
