import { mkdir, open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { AlprError, reasonOf } from '../errors.js'
import type { CropRef } from '../model/read.js'

/**
 * Crops: pictures in append-only segment files, one a week and engine instance, `2026-W47-<instance>.crops`.
 *
 *     +------+--------+-------+------------------+
 *     | PSC1 | length | crc32 | JPEG             |   numbers: 32 bits, little endian; length and crc32 are of the JPEG
 *     +------+--------+-------+------------------+
 *     0      4        8       12
 *
 * A `CropRef` names the whole record. What a kill leaves half written at the end is not referenced by anything and
 * stays where it is.
 */
const MAGIC = Buffer.from('PSC1')
const HEADER_BYTES = 12
/** Of one picture. */
const MAX_JPEG_BYTES = 16_777_216
/** Segments kept open for writing: this week, and weeks that late frames belong to. */
const MAX_OPEN = 8
export const SEGMENT = /^\d{4}-W\d{2}-[a-zA-Z0-9._-]{1,64}\.crops$/
const INSTANCE = /^[a-zA-Z0-9._-]{1,64}$/
const DAY_MS = 86_400_000

interface Segment {
  name: string
  file: FileHandle
  /** Where the next record begins; grows before the write, so that appends may overlap. */
  end: number
  /** Written since the last sync began. */
  dirty: boolean
  /** The sync under way. */
  syncing?: Promise<void>
  /** Appends under way: not to be closed. */
  users: number
}

/** Appends pictures. One writer for each instance name and folder; several instances may share a folder. */
export class SegmentWriter {
  readonly #folder: string
  readonly #instance: string
  /** In order of use, the least recently used first. */
  readonly #segments = new Map<string, Promise<Segment>>()
  #closed = false

  private constructor(folder: string, instance: string) {
    this.#folder = folder
    this.#instance = instance
  }

  /** @throws ALPR_ERR_SETTINGS_INVALID for a name that is none, ALPR_ERR_CROP_UNWRITABLE */
  static async open(folder: string, instance: string): Promise<SegmentWriter> {
    if (!INSTANCE.test(instance))
      throw new AlprError('ALPR_ERR_SETTINGS_INVALID', {
        key: 'engine.instance',
        reason: 'must be 1 to 64 of a-z, A-Z, 0-9, ".", "_" and "-"',
      })
    await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
      throw unwritable(folder, error)
    })
    return new SegmentWriter(folder, instance)
  }

  /** Appends one picture, see `appendAll`. */
  async append(ts: number, jpeg: Uint8Array): Promise<CropRef> {
    return (await this.appendAll(ts, [jpeg]))[0]!
  }

  /**
   * Appends pictures to the segment of their week, one right behind the other. They survive a crash of the machine only
   * after `sync`.
   * @param ts event time, milliseconds since 1970 UTC
   * @throws ALPR_ERR_CROP_UNWRITABLE (retryable): nothing refers to what was written
   */
  async appendAll(ts: number, jpegs: readonly Uint8Array[]): Promise<CropRef[]> {
    for (const { length } of jpegs)
      if (length === 0 || length > MAX_JPEG_BYTES) throw unwritable(`week of ${ts}`, `a picture of ${length} bytes`)
    const segment = await this.#use(`${isoWeek(ts)}-${this.#instance}.crops`)
    const records = jpegs.map(encode)
    const bytes = Buffer.concat(records)
    const begin = segment.end
    segment.end += bytes.length
    try {
      await writeAll(segment.file, bytes, begin)
      segment.dirty = true
      let offset = begin
      return records.map(({ length }) => ({ segment: segment.name, offset: (offset += length) - length, length }))
    } catch (error) {
      // With nothing behind it the next record takes the place. No truncate: it could meet that record's write.
      if (segment.end === begin + bytes.length) segment.end = begin
      throw unwritable(segment.name, error)
    } finally {
      segment.users--
      await this.#closeOldest()
    }
  }

  /** Resolves when everything appended before the call is on disk. @throws ALPR_ERR_CROP_UNWRITABLE */
  async sync(): Promise<void> {
    await Promise.all(
      [...this.#segments.values()].map(async (opening) => {
        const segment = await opening.catch(() => undefined)
        if (segment) await syncSegment(segment)
      }),
    )
  }

  /** Syncs and closes; the writer is then of no use. */
  async close(): Promise<void> {
    this.#closed = true
    await this.sync()
    const segments = await Promise.all([...this.#segments.values()].map((opening) => opening.catch(() => undefined)))
    this.#segments.clear()
    for (const segment of segments) await segment?.file.close()
  }

  async #use(name: string): Promise<Segment> {
    if (this.#closed) throw unwritable(name, 'the writer is closed')
    const opening = this.#segments.get(name) ?? this.#open(name)
    this.#segments.delete(name)
    this.#segments.set(name, opening)
    let segment: Segment
    try {
      segment = await opening
    } catch (error) {
      // Not kept, so that the next append tries again.
      if (this.#segments.get(name) === opening) this.#segments.delete(name)
      throw unwritable(name, error)
    }
    // Closed for another week's sake while this one waited: once more.
    if (this.#segments.get(name) !== opening) return this.#use(name)
    segment.users++
    return segment
  }

  async #open(name: string): Promise<Segment> {
    const path = join(this.#folder, name)
    let file: FileHandle
    try {
      file = await open(path, 'r+')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      file = await open(path, 'wx+', 0o600)
      await syncFolder(this.#folder)
    }
    return { name, file, end: (await file.stat()).size, dirty: false, users: 0 }
  }

  /** Weeks come and go with late frames; more than a few open segments are closed again, those in use excepted. */
  async #closeOldest(): Promise<void> {
    for (const [name, opening] of [...this.#segments]) {
      if (this.#segments.size <= MAX_OPEN) return
      const segment = await opening.catch(() => undefined)
      if (!segment || segment.users > 0) continue
      // What cannot be synced stays open, so that the next `sync` fails too and no checkpoint relies on it.
      const synced = await syncSegment(segment).then(
        () => true,
        () => false,
      )
      // Looked at again after the wait: it may be in use, written to or closed by now.
      if (!synced || segment.users > 0 || segment.dirty || this.#segments.get(name) !== opening) continue
      this.#segments.delete(name)
      await segment.file.close()
    }
  }
}

/** Reads pictures of any writer of the folder. Keeps no file open. */
export class SegmentReader {
  constructor(private readonly folder: string) {}

  /**
   * @returns the JPEG
   * @throws ALPR_ERR_CROP_CORRUPT when the record is not what was written, ALPR_ERR_NOT_FOUND when it was purged or the
   * name is none
   */
  async read(ref: CropRef): Promise<Buffer> {
    const { segment, offset, length } = ref
    const corrupt = () => new AlprError('ALPR_ERR_CROP_CORRUPT', { segment, offset })
    const missing = () => new AlprError('ALPR_ERR_NOT_FOUND', { what: 'the picture' })
    if (!SEGMENT.test(segment)) throw missing()
    if (
      !Number.isSafeInteger(offset) ||
      offset < 0 ||
      !Number.isInteger(length) ||
      length <= HEADER_BYTES ||
      length > HEADER_BYTES + MAX_JPEG_BYTES
    )
      throw corrupt()
    const file = await open(join(this.folder, segment), 'r').catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? missing() : error
    })
    try {
      const record = Buffer.allocUnsafe(length)
      const { bytesRead } = await file.read(record, 0, length, offset)
      const jpeg = record.subarray(HEADER_BYTES)
      // Where a purged picture was there are zeros.
      if (bytesRead === length && record.every((byte) => byte === 0)) throw missing()
      if (
        bytesRead !== length ||
        !record.subarray(0, 4).equals(MAGIC) ||
        record.readUInt32LE(4) !== jpeg.length ||
        record.readUInt32LE(8) !== crc32(jpeg)
      )
        throw corrupt()
      return jpeg
    } finally {
      await file.close()
    }
  }
}

/** Week of ISO 8601 in UTC, `2026-W47`: weeks begin on Monday, as the partitions of `reads` do. */
export function isoWeek(ts: number): string {
  const day = Math.floor(ts / DAY_MS)
  // 1970-01-01 was a Thursday; a week belongs to the year of its Thursday.
  const thursday = day - ((((day + 3) % 7) + 7) % 7) + 3
  const year = new Date(thursday * DAY_MS).getUTCFullYear()
  const week = Math.floor((thursday - Date.UTC(year, 0, 1) / DAY_MS) / 7) + 1
  return `${String(year).padStart(4, '0')}-W${String(week).padStart(2, '0')}`
}

function encode(jpeg: Uint8Array): Buffer {
  const record = Buffer.allocUnsafe(HEADER_BYTES + jpeg.length)
  MAGIC.copy(record)
  record.writeUInt32LE(jpeg.length, 4)
  record.writeUInt32LE(crc32(jpeg), 8)
  record.set(jpeg, HEADER_BYTES)
  return record
}

/** One write may take only a part, as when the disk is nearly full. */
async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}

/** Two pipelines may ask at once: the second must not be answered before the sync that holds its pictures is over. */
async function syncSegment(segment: Segment): Promise<void> {
  if (!segment.dirty) return segment.syncing
  await segment.syncing?.catch(() => {})
  if (!segment.dirty) return segment.syncing
  segment.dirty = false
  segment.syncing = segment.file
    .datasync()
    .catch((error: unknown) => {
      segment.dirty = true
      throw unwritable(segment.name, error)
    })
    .finally(() => {
      segment.syncing = undefined
    })
  return segment.syncing
}

/** A new file's name is durable only with its folder. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function unwritable(segment: string, reason: unknown): AlprError {
  return reason instanceof AlprError
    ? reason
    : new AlprError(
        'ALPR_ERR_CROP_UNWRITABLE',
        { segment, reason: reasonOf(reason) },
        reason instanceof Error ? { cause: reason } : undefined,
      )
}
