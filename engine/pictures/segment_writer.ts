import { mkdir, open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { AlprError, reasonOf } from '../errors.js'
import type { CropRef } from '../model/read.js'
import { encodeRecord, isoWeek, MAX_JPEG_BYTES } from './segment.js'
import { syncFolder } from './sync_folder.js'

/** Segments kept open for writing: this week's, and those of weeks that late frames belong to. */
const MAX_OPEN = 8
const INSTANCE = /^[a-zA-Z0-9._-]{1,64}$/

interface Segment {
  name: string
  file: FileHandle
  /** Offset of the next record. It grows before the write, so that appends may overlap. */
  end: number
  /** Has data that was written after the last sync began. */
  dirty: boolean
  /** The sync in progress. */
  syncing?: Promise<void>
  /** Appends in progress; the file must stay open for them. */
  users: number
}

/** Appends pictures to segments. One writer for each instance name and folder; instances may share a folder. */
export class SegmentWriter {
  readonly #folder: string
  readonly #instance: string
  /** The least recently used segment first. */
  readonly #segments = new Map<string, Promise<Segment>>()
  #closed = false

  private constructor(folder: string, instance: string) {
    this.#folder = folder
    this.#instance = instance
  }

  /** @throws ALPR_ERR_SETTINGS_INVALID when the instance name is not valid, ALPR_ERR_CROP_UNWRITABLE */
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
   * Appends pictures to the segment of their week, one directly after the other. They survive a crash of the machine
   * only after `sync`.
   * @param ts event time, milliseconds since 1970 UTC
   * @throws ALPR_ERR_CROP_UNWRITABLE (retryable): nothing refers to the bytes that were written
   */
  async appendAll(ts: number, jpegs: readonly Uint8Array[]): Promise<CropRef[]> {
    for (const { length } of jpegs)
      if (length === 0 || length > MAX_JPEG_BYTES) throw unwritable(`week of ${ts}`, `a picture of ${length} bytes`)
    const segment = await this.#use(`${isoWeek(ts)}-${this.#instance}.crops`)
    const records = jpegs.map(encodeRecord)
    const bytes = Buffer.concat(records)
    const begin = segment.end
    segment.end += bytes.length
    try {
      await writeAll(segment.file, bytes, begin)
      segment.dirty = true
      let offset = begin
      return records.map(({ length }) => ({ segment: segment.name, offset: (offset += length) - length, length }))
    } catch (error) {
      // The last record of the file: the next one takes its offset. Truncating could cut that record's write.
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

  /** Syncs and closes; later appends fail. */
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
      // Forgotten, so that the next append tries again.
      if (this.#segments.get(name) === opening) this.#segments.delete(name)
      throw unwritable(name, error)
    }
    // Another append closed this segment while this one waited: open it again.
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

  /** Late frames open many weeks: closes the least recently used segments above the limit, except those in use. */
  async #closeOldest(): Promise<void> {
    for (const [name, opening] of [...this.#segments]) {
      if (this.#segments.size <= MAX_OPEN) return
      const segment = await opening.catch(() => undefined)
      if (!segment || segment.users > 0) continue
      // A segment that cannot be synced stays open, so that the next `sync` fails too and no checkpoint relies on it.
      const synced = await syncSegment(segment).then(
        () => true,
        () => false,
      )
      // Checked again after the wait: it may be in use, written to or closed by now.
      if (!synced || segment.users > 0 || segment.dirty || this.#segments.get(name) !== opening) continue
      this.#segments.delete(name)
      await segment.file.close()
    }
  }
}

/** A write may be short, for example when the disk is nearly full. */
async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}

/** Two pipelines may ask at once: the second must wait for the sync that includes its pictures. */
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

function unwritable(segment: string, reason: unknown): AlprError {
  return reason instanceof AlprError
    ? reason
    : new AlprError(
        'ALPR_ERR_CROP_UNWRITABLE',
        { segment, reason: reasonOf(reason) },
        reason instanceof Error ? { cause: reason } : undefined,
      )
}
