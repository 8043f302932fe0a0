import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, extname, join, relative, sep } from 'node:path'
import { AlprError, logReasonOf, reasonOf } from '../errors.js'
import { CAMERA_ID } from '../model/camera.js'
import { timeFromExif, timeFromName, type TimeSource } from './capture_time.js'
import type { FeedLog } from './feed_format.js'
import type { FeedWriter } from './feed_writer.js'

export interface FolderOptions {
  folder: string
  /** Camera of all pictures. Without it, each direct subfolder is a camera. */
  camera?: string
  /** Source of the capture times; `auto`: the first of name, EXIF and file time that all pictures have. */
  time: TimeSource | 'auto'
  /** Offset from UTC in minutes, positive to the east, for times that do not have one. */
  zoneMinutes: number
  /** Replaces `time`: the first picture of each camera is at `start` (ms since 1970 UTC), then `fps` a second. */
  start?: number
  fps?: number
  /** JPEG quality of pictures that must be encoded, 1 to 100. */
  quality: number
  signal?: AbortSignal
  log?: FeedLog
  onProgress?: (done: number, total: number) => void
}

export interface FolderSummary {
  frames: number
  cameras: string[]
  /** Source of the capture times. */
  time: TimeSource | 'start'
  /** Pictures that were encoded as JPEG, because they had another format or orientation. */
  converted: number
  /** Files that are not pictures, with the reason. */
  skipped: { file: string; reason: string }[]
}

const EXTENSIONS = new Set(['.jpg', '.jpeg', '.png', '.webp', '.tif', '.tiff', '.gif', '.avif', '.bmp'])

/** A picture file that becomes a frame. */
interface PictureFile {
  path: string
  camera: string
}

interface TimedFile extends PictureFile {
  /** Capture time, ms since 1970 UTC. */
  time: number
}

/**
 * Adds the pictures of a folder to a feed, ordered by time.
 * @throws ALPR_ERR_FEED_INVALID when there are no pictures, or the camera or the time of one is unknown
 */
export async function importFolder(writer: FeedWriter, options: FolderOptions): Promise<FolderSummary> {
  const found = await findPictures(options)
  const time = options.fps !== undefined ? 'start' : await chooseTime(found, options)
  const pictures = await addTimes(found, time, options)
  const summary: FolderSummary = {
    frames: 0,
    cameras: [...new Set(pictures.map((p) => p.camera))].sort(),
    time,
    converted: 0,
    skipped: [],
  }
  for (const [done, picture] of pictures.entries()) {
    if (options.signal?.aborted) break
    try {
      const { jpeg, converted } = await toJpeg(await readFile(picture.path), options.quality)
      await writer.addFrame({ camera: picture.camera, capturedAt: picture.time, headers: {}, jpeg })
      summary.frames++
      if (converted) summary.converted++
    } catch (error) {
      if (error instanceof AlprError) throw error
      summary.skipped.push({ file: picture.path, reason: reasonOf(error) })
      options.log?.warn({ file: picture.path, reason: logReasonOf(error) }, 'skipped a file that is not a picture')
    }
    options.onProgress?.(done + 1, pictures.length)
  }
  return summary
}

async function findPictures({ folder, camera }: FolderOptions): Promise<PictureFile[]> {
  const invalid = (reason: string) => new AlprError('ALPR_ERR_FEED_INVALID', { file: folder, reason })
  const names = await readdir(folder, { recursive: true }).catch((error: unknown) => {
    throw invalid(reasonOf(error))
  })
  const pictures: PictureFile[] = []
  for (const name of names.sort(byNumber)) {
    if (!EXTENSIONS.has(extname(name).toLowerCase())) continue
    const path = join(folder, name)
    const top = relative(folder, path).split(sep)
    const own = camera ?? (top.length > 1 ? cameraName(top[0]!) : undefined)
    if (own === undefined)
      throw invalid(
        'which camera took these pictures? give --camera, or put the pictures of each camera into a subfolder',
      )
    if (!CAMERA_ID.test(own)) throw invalid(`the name of subfolder ${top[0]} does not give a camera id (a-z, 0-9, "-")`)
    pictures.push({ path, camera: own })
  }
  if (pictures.length === 0) throw invalid('it has no pictures')
  return pictures
}

/** Sorts `frame10` after `frame9`. */
const collator = new Intl.Collator('en', { numeric: true })
const byNumber = (a: string, b: string): number => collator.compare(a, b)

const cameraName = (folder: string): string =>
  folder
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '')

/** One source for all pictures: a mixture of sources would change their order. */
async function chooseTime(pictures: PictureFile[], options: FolderOptions): Promise<TimeSource> {
  if (options.time !== 'auto') return options.time
  for (const source of ['name', 'exif'] as const)
    if (await allHaveTime(pictures, source, options.zoneMinutes)) return source
  return 'mtime'
}

async function allHaveTime(
  pictures: readonly PictureFile[],
  source: TimeSource,
  zoneMinutes: number,
): Promise<boolean> {
  for (const { path } of pictures) if ((await timeOf(path, source, zoneMinutes)) === undefined) return false
  return true
}

async function addTimes(
  pictures: PictureFile[],
  source: TimeSource | 'start',
  options: FolderOptions,
): Promise<TimedFile[]> {
  const counts = new Map<string, number>()
  const start = options.start ?? Date.now()
  const result: TimedFile[] = []
  for (const picture of pictures) {
    const index = counts.get(picture.camera) ?? 0
    counts.set(picture.camera, index + 1)
    const time =
      source === 'start'
        ? start + Math.round((index * 1_000) / options.fps!)
        : await timeOf(picture.path, source, options.zoneMinutes)
    if (time === undefined)
      throw new AlprError('ALPR_ERR_FEED_INVALID', {
        file: picture.path,
        reason:
          `there is no time in its ${source === 'name' ? 'name' : 'EXIF'}; ` +
          'give another --time, or --start and --fps',
      })
    result.push({ ...picture, time })
  }
  return result.sort((a, b) => a.time - b.time || byNumber(a.path, b.path))
}

async function timeOf(path: string, source: TimeSource, zoneMinutes: number): Promise<number | undefined> {
  if (source === 'name') return timeFromName(basename(path), zoneMinutes)
  if (source === 'mtime') return Math.round((await stat(path)).mtimeMs)
  const { default: sharp } = await import('sharp')
  const { exif } = await sharp(path)
    .metadata()
    .catch(() => ({ exif: undefined }))
  return exif && timeFromExif(exif, zoneMinutes)
}

/** Keeps an upright JPEG byte for byte; encodes other formats and orientations. */
async function toJpeg(content: Buffer, quality: number): Promise<{ jpeg: Uint8Array; converted: boolean }> {
  const { default: sharp } = await import('sharp')
  const { format, orientation = 1 } = await sharp(content).metadata()
  if (format === 'jpeg' && orientation === 1) return { jpeg: content, converted: false }
  return {
    jpeg: await sharp(content).rotate().flatten({ background: '#808080' }).jpeg({ quality }).toBuffer(),
    converted: true,
  }
}
