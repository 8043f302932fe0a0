import { open, readdir, rename, unlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClickHouseClient } from '@clickhouse/client'
import { isoWeek, SEGMENT } from '../pictures/segment.js'
import { syncFolder } from '../pictures/sync_folder.js'
import { checkDatabaseName } from '../store/ddl.js'
import { partitionOf } from '../store/week.js'
import { queryRows } from '../store/query_rows.js'

/** The result of purging the pictures of a week. */
export interface PicturePurge {
  segments: number
  /** Bytes of pictures that were deleted, and of those that were kept. */
  goneBytes: number
  keptBytes: number
}

/** Where a picture is, bytes. */
interface PictureRange {
  segment: string
  offset: number
  length: number
}

/** Buffer of a copy, bytes. */
const COPY_BYTES = 1_048_576

/**
 * Deletes the pictures of a purged week (RET-2) on this node, except those of held reads (RET-3) and of hits, which are
 * not purged. A segment that keeps pictures is rewritten with holes in place of the others, so that every reference to
 * a kept picture remains valid. Safe to interrupt: a segment is replaced atomically, and the purge can run again.
 * @param week Monday, ms; its reads must have been purged
 */
export async function purgePictures(
  client: ClickHouseClient,
  database: string,
  folder: string,
  week: number,
): Promise<PicturePurge> {
  const kept = await keptPictures(client, checkDatabaseName(database), partitionOf(week))
  const prefix = `${isoWeek(week)}-`
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.startsWith(prefix) && SEGMENT.test(name))
  const result: PicturePurge = { segments: names.length, goneBytes: 0, keptBytes: 0 }
  for (const name of names) {
    const path = join(folder, name)
    const pictures = kept.filter(({ segment }) => segment === name)
    const { before, after } = pictures.length === 0 ? await removeSegment(path) : await rewriteSegment(path, pictures)
    result.goneBytes += before - after
    result.keptBytes += after
  }
  if (names.length > 0) await syncFolder(folder)
  return result
}

/** Crops and pictures of held reads and of hits. */
async function keptPictures(client: ClickHouseClient, db: string, day: string): Promise<PictureRange[]> {
  const ofWeek = 'toMonday(ts) = {day:Date}'
  const rows = await queryRows<{ segment: string; offset: string; length: string }>(
    client,
    `
    SELECT DISTINCT segment, offset, length FROM (
      SELECT crop_segment AS segment, crop_offset AS offset, toUInt64(crop_length) AS length
        FROM ${db}.reads_held FINAL WHERE ${ofWeek}
      UNION ALL SELECT crop_segment, crop_offset + crop_length + picture_gap, toUInt64(picture_length)
        FROM ${db}.reads_held FINAL WHERE ${ofWeek}
      UNION ALL SELECT crop_segment, crop_offset, toUInt64(crop_length) FROM ${db}.hits WHERE ${ofWeek}
      UNION ALL SELECT picture_segment, picture_offset, toUInt64(picture_length) FROM ${db}.hits WHERE ${ofWeek}
    ) WHERE segment != '' AND length > 0 ORDER BY segment, offset`,
    { day },
  )
  return rows.map(({ segment, offset, length }) => ({ segment, offset: Number(offset), length: Number(length) }))
}

interface SegmentBytes {
  before: number
  after: number
}

async function removeSegment(path: string): Promise<SegmentBytes> {
  const before = await bytesOf(path)
  await unlink(path)
  return { before, after: 0 }
}

/** Replaces a segment with a sparse file that has only these pictures, at their offsets. */
async function rewriteSegment(path: string, pictures: readonly PictureRange[]): Promise<SegmentBytes> {
  const from = await open(path, 'r')
  // Truncates what an interrupted run left.
  const to = await open(`${path}.purging`, 'w', 0o600)
  try {
    const { size } = await from.stat()
    await to.truncate(size)
    let after = 0
    for (const { offset, length } of pictures) after += await copy(from, to, offset, Math.min(length, size - offset))
    await to.sync()
    await rename(`${path}.purging`, path)
    return { before: size, after }
  } finally {
    await from.close()
    await to.close()
  }
}

/** Copies up to `length` bytes at `offset`. @returns bytes copied */
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
