import { open, readdir, rename, unlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClickHouseClient } from '@clickhouse/client'
import { isoWeek, SEGMENT, syncFolder } from '../pictures/segments.js'
import { checkDatabaseName } from '../store/ddl.js'
import { partitionOf, rowsOf } from '../store/week.js'

/** What became of the pictures of a week. */
export interface PicturePurge {
  segments: number
  /** Bytes of pictures that are gone, and of those that were kept. */
  goneBytes: number
  keptBytes: number
}

interface Place {
  segment: string
  offset: number
  length: number
}

/** Of one copy, bytes. */
const COPY_BYTES = 1_048_576

/**
 * The pictures of a purged week (RET-2), on this node: all but those of held reads (RET-3) and of hits, which are not
 * purged. A segment with pictures that stay is written anew with holes where the others were, so that each keeps its
 * place and every reference to it stays good. Whole again at any moment: a segment is replaced in one step, and a run
 * that was cut short is done again.
 * @param week Monday, ms; its reads must have been purged
 */
export async function purgePictures(
  client: ClickHouseClient,
  database: string,
  folder: string,
  week: number,
): Promise<PicturePurge> {
  const kept = await keptPlaces(client, checkDatabaseName(database), partitionOf(week))
  const prefix = `${isoWeek(week)}-`
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.startsWith(prefix) && SEGMENT.test(name))
  const told: PicturePurge = { segments: names.length, goneBytes: 0, keptBytes: 0 }
  for (const name of names) {
    const path = join(folder, name)
    const stay = kept.filter(({ segment }) => segment === name)
    const { before, after } = stay.length === 0 ? await removed(path) : await thinned(path, stay)
    told.goneBytes += before - after
    told.keptBytes += after
  }
  if (names.length > 0) await syncFolder(folder)
  return told
}

async function keptPlaces(client: ClickHouseClient, db: string, day: string): Promise<Place[]> {
  const of = 'toMonday(ts) = {day:Date}'
  const rows = await rowsOf<{ segment: string; offset: string; length: string }>(
    client,
    `
    SELECT DISTINCT segment, offset, length FROM (
      SELECT crop_segment AS segment, crop_offset AS offset, toUInt64(crop_length) AS length FROM ${db}.reads_held FINAL WHERE ${of}
      UNION ALL SELECT crop_segment, crop_offset + crop_length + picture_gap, toUInt64(picture_length) FROM ${db}.reads_held FINAL WHERE ${of}
      UNION ALL SELECT crop_segment, crop_offset, toUInt64(crop_length) FROM ${db}.hits WHERE ${of}
      UNION ALL SELECT picture_segment, picture_offset, toUInt64(picture_length) FROM ${db}.hits WHERE ${of}
    ) WHERE segment != '' AND length > 0 ORDER BY segment, offset`,
    { day },
  )
  return rows.map(({ segment, offset, length }) => ({ segment, offset: Number(offset), length: Number(length) }))
}

async function removed(path: string): Promise<{ before: number; after: number }> {
  const before = await bytesOf(path)
  await unlink(path)
  return { before, after: 0 }
}

async function thinned(path: string, stay: readonly Place[]): Promise<{ before: number; after: number }> {
  const from = await open(path, 'r')
  // Of a run that was cut short: begun anew.
  const to = await open(`${path}.purging`, 'w', 0o600)
  try {
    const { size } = await from.stat()
    await to.truncate(size)
    let after = 0
    for (const { offset, length } of stay) after += await copy(from, to, offset, Math.min(length, size - offset))
    await to.sync()
    await rename(`${path}.purging`, path)
    return { before: size, after }
  } finally {
    await from.close()
    await to.close()
  }
}

async function copy(from: FileHandle, to: FileHandle, offset: number, length: number): Promise<number> {
  const block = Buffer.allocUnsafe(Math.max(0, Math.min(COPY_BYTES, length)))
  for (let done = 0; done < length; ) {
    const { bytesRead } = await from.read(block, 0, Math.min(block.length, length - done), offset + done)
    if (bytesRead === 0) return done
    for (let put = 0; put < bytesRead; )
      put += (await to.write(block, put, bytesRead - put, offset + done + put)).bytesWritten
    done += bytesRead
  }
  return Math.max(0, length)
}

async function bytesOf(path: string): Promise<number> {
  const file = await open(path, 'r')
  try {
    return (await file.stat()).size
  } finally {
    await file.close()
  }
}
