import { StorageType, type JetStreamClient, type KV, type ObjectStore } from 'nats'
import { AlprError, reasonOf } from '../errors.js'
import { isWrongLastSequence } from '../nats/errors.js'
import { BUCKET, OBJECTS } from '../nats/topology.js'
import { contentVersion } from '../runtime/content_version.js'
import { LIST_ID, parseHotList, type HotList, type HotListEntry } from './hotlist.js'
import { entriesVersion, entryLines, mergeEntries, parseEntryLines } from './hotlist_entries.js'

/** What a person decides about a list. Version, size and load time follow from the content. */
export type HotListHead = Omit<HotList, 'version' | 'loadedAt' | 'entries'>

/**
 * Stores the entries first and then the record that points to them, so that followers of bucket HOTLISTS see the list
 * change in one step. The entries are an object named `<list>.<version>`. The previous version is kept, so that an
 * engine that is still loading it finds it whole; older ones are deleted.
 * @param expectedRevision compare-and-set: the revision that the caller read, 0 for a new list; without it the last
 * writer wins
 * @throws ALPR_ERR_HOTLIST_INVALID when the record is not valid, or another writer changed the list meanwhile
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
    version: entriesVersion(merged),
    loadedAt: new Date().toISOString(),
    entries: merged.length,
  })
  const { records, files } = await openBuckets(client)
  const previous = await readRecord(records, record.id)
  const revision = expectedRevision ?? previous?.revision ?? 0
  if (previous?.record?.version !== record.version) await files.put({ name: fileName(record) }, textStream(merged))
  await putRecord(records, record, revision)
  await dropFiles(files, record.id, [fileName(record), ...(previous?.record ? [fileName(previous.record)] : [])])
  return record
}

/** All lists by id, with their revisions for compare-and-set. Records that are not valid are left out. */
export async function listHotLists(client: JetStreamClient): Promise<{ record: HotList; revision: number }[]> {
  const { records } = await openBuckets(client)
  const lists: { record: HotList; revision: number }[] = []
  const ids: string[] = []
  for await (const id of await records.keys()) ids.push(id)
  for (const id of ids.sort()) {
    const found = await readRecord(records, id)
    if (found?.record) lists.push({ record: found.record, revision: found.revision })
  }
  return lists
}

/** The plates that are on a list now, each once. @throws ALPR_ERR_NOT_FOUND, ALPR_ERR_HOTLIST_INVALID */
export async function platesOfList(client: JetStreamClient, id: string): Promise<string[]> {
  const { records } = await openBuckets(client)
  const found = await readRecord(records, id)
  if (!found?.record) throw new AlprError('ALPR_ERR_NOT_FOUND', { what: `hot list ${id}` })
  return [...new Set((await loadHotListEntries(client, found.record)).map(({ plate }) => plate))]
}

/**
 * The entries of a list, in canonical order.
 * @throws ALPR_ERR_HOTLIST_INVALID when the content is missing or does not have the version that the record names
 */
export async function loadHotListEntries(client: JetStreamClient, record: HotList): Promise<HotListEntry[]> {
  const { files } = await openBuckets(client)
  const invalid = (reason: string, cause?: unknown) =>
    new AlprError('ALPR_ERR_HOTLIST_INVALID', { list: record.id, reason }, { cause })
  let content: Uint8Array | null
  try {
    content = await files.getBlob(fileName(record))
  } catch (error) {
    throw invalid(`its content cannot be read: ${reasonOf(error)}`, error)
  }
  if (content === null) throw invalid(`content of version ${record.version} is missing`)
  const version = contentVersion([content])
  if (version !== record.version) throw invalid(`content has version ${version}, the record says ${record.version}`)
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
  const { records } = await openBuckets(client)
  const previous = LIST_ID.test(id) ? await readRecord(records, id) : undefined
  if (!previous?.record) throw new AlprError('ALPR_ERR_HOTLIST_UNKNOWN', { list: id })
  const record = parseHotList({ ...previous.record, ...change })
  await putRecord(records, record, previous.revision)
  return record
}

/** Takes a list out of force and deletes its content. @throws ALPR_ERR_HOTLIST_UNKNOWN */
export async function removeHotList(client: JetStreamClient, id: string): Promise<void> {
  const { records, files } = await openBuckets(client)
  if (!LIST_ID.test(id) || (await records.get(id))?.operation !== 'PUT')
    throw new AlprError('ALPR_ERR_HOTLIST_UNKNOWN', { list: id })
  await records.delete(id)
  await dropFiles(files, id, [])
}

const fileName = (record: { id: string; version: string }) => `${record.id}.${record.version}`

async function openBuckets(client: JetStreamClient): Promise<{ records: KV; files: ObjectStore }> {
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

async function dropFiles(files: ObjectStore, list: string, keep: string[]): Promise<void> {
  for (const { name } of await files.list()) {
    if (name.slice(0, name.lastIndexOf('.')) === list && !keep.includes(name)) await files.delete(name)
  }
}

/** The canonical text in pieces of 64 KiB, produced on demand. */
function textStream(entries: readonly HotListEntry[]): ReadableStream<Uint8Array> {
  const lines = entryLines(entries)
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
