import { readFile, stat } from 'node:fs/promises'
import { basename, join, sep } from 'node:path'
import { decodePicture } from '../../wasm/load_node.js'
import { kindOf, readOrientation } from '../../wasm/mod.js'
import { AlprError, reasonOf } from '../errors.js'
import { CAMERA_ID } from '../model/camera.js'
import { timeFromExif, timeFromName, type TimeSource } from './capture_time.js'
import type { FeedLog } from './feed_format.js'
import type { FeedWriter } from './feed_writer.js'
import { LeftOut, pictureFiles } from './picture_files.js'
import { decodeJpeg } from '../recognize/decode.js'

export interface FolderOptions {
  folder: string
  /** Camera of all pictures. Without it, each direct subfolder is a camera. */
  camera?: string
  /** Source of the capture times; `auto`: the first of name, EXIF and file time that most pictures have. */
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
  /** Damaged pictures that became frames: they are read in part. */
  damaged: number
  /** Pictures that cannot be read, with the reason. */
  skipped: { file: string; reason: string }[]
  /** Files that were left out, by the reason. */
  leftOut: { reason: string; files: number; first: string }[]
}

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
  const leftOut = new LeftOut()
  const found = await findPictures(options, leftOut)
  const time = options.fps !== undefined ? 'start' : await chooseTime(found, options)
  const pictures = await addTimes(found, time, options, leftOut)
  const summary: FolderSummary = {
    frames: 0,
    cameras: [...new Set(pictures.map((p) => p.camera))].sort(),
    time,
    converted: 0,
    damaged: 0,
    skipped: [],
    leftOut: leftOut.list,
  }
  for (const [done, picture] of pictures.entries()) {
    if (options.signal?.aborted) break
    try {
      const { jpeg, converted, damaged } = await toJpeg(await readFile(picture.path), options.quality)
      await writer.addFrame({ camera: picture.camera, capturedAt: picture.time, headers: {}, jpeg })
      summary.frames++
      if (converted) summary.converted++
      if (damaged) summary.damaged++
    } catch (error) {
      if (error instanceof AlprError && !/^ALPR_ERR_(FRAME|PICTURE)_/.test(error.code)) throw error
      summary.skipped.push({ file: picture.path, reason: reasonOf(error) })
      options.log?.warn({ file: picture.path, reason: reasonOf(error) }, 'skipped a picture that cannot be read')
    }
    options.onProgress?.(done + 1, pictures.length)
  }
  return summary
}

async function findPictures({ folder, camera }: FolderOptions, leftOut: LeftOut): Promise<PictureFile[]> {
  const invalid = (reason: string) => new AlprError('ALPR_ERR_FEED_INVALID', { file: folder, reason })
  const names = await pictureFiles(folder, leftOut).catch((error: unknown) => {
    throw invalid(reasonOf(error))
  })
  const pictures: PictureFile[] = []
  for (const name of names.sort(byNumber)) {
    const top = name.split(sep)
    const own = camera ?? (top.length > 1 ? cameraName(top[0]!) : undefined)
    if (own === undefined)
      throw invalid(
        'which camera took these pictures? give --camera, or put the pictures of each camera into a subfolder',
      )
    if (!CAMERA_ID.test(own)) throw invalid(`the name of subfolder ${top[0]} does not give a camera id (a-z, 0-9, "-")`)
    pictures.push({ path: join(folder, name), camera: own })
  }
  if (pictures.length > 0) return pictures
  const others = leftOut.list.map(({ reason, files }) => `${files} times ${reason}`)
  throw invalid(`it has no pictures that are read here${others.length > 0 ? `: ${others.join('; ')}` : ''}`)
}

/** Sorts `frame10` after `frame9`. */
const collator = new Intl.Collator('en', { numeric: true })
const byNumber = (a: string, b: string): number => collator.compare(a, b)

const cameraName = (folder: string): string =>
  folder
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '')

/**
 * One source for all pictures: a mixture of sources would change their order. Most pictures decide, so that a stray one
 * does not change the times of all.
 */
async function chooseTime(pictures: PictureFile[], options: FolderOptions): Promise<TimeSource> {
  if (options.time !== 'auto') return options.time
  for (const source of ['name', 'exif'] as const) {
    let having = 0
    for (const { path } of pictures) if ((await timeOf(path, source, options.zoneMinutes)) !== undefined) having++
    if (having > pictures.length / 2) return source
  }
  return 'mtime'
}

async function addTimes(
  pictures: PictureFile[],
  source: TimeSource | 'start',
  options: FolderOptions,
  leftOut: LeftOut,
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
    const place = source === 'name' ? 'name' : 'EXIF'
    if (time === undefined && options.time === 'auto') {
      leftOut.add(`a picture without a time in its ${place}, which most have`, picture.path)
      continue
    }
    if (time === undefined)
      throw new AlprError('ALPR_ERR_FEED_INVALID', {
        file: picture.path,
        reason: `there is no time in its ${place}; give another --time, or --start and --fps`,
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

interface FrameJpeg {
  jpeg: Uint8Array
  converted: boolean
  damaged: boolean
}

/**
 * Keeps an upright JPEG byte for byte, once it is known that the stream reads it; encodes other formats and
 * orientations.
 */
async function toJpeg(content: Buffer, quality: number): Promise<FrameJpeg> {
  const { default: sharp } = await import('sharp')
  const kind = kindOf(content)
  let luma: Uint8Array = new Uint8Array(0)
  const target = { lumaBuffer: (width: number, height: number) => (luma = new Uint8Array(width * height)) }
  if ((kind === 'jpeg' || kind === undefined) && readOrientation(content) === 1) {
    const { damage } = decodeJpeg(content, target)
    return { jpeg: content, converted: false, damaged: damage !== undefined }
  }
  // refuses what recognize refuses
  const { width, height, damage } = await decodePicture(content, target)
  const damaged = damage !== undefined
  const encode = (picture: ReturnType<typeof sharp>) => picture.jpeg({ quality }).toBuffer()
  try {
    const jpeg = await encode(sharp(content, { failOn: 'error' }).rotate().flatten({ background: '#808080' }))
    return { jpeg, converted: true, damaged }
  } catch {
    // a kind that only the recognizer's decoder knows: in grey
    return { jpeg: await encode(sharp(luma, { raw: { width, height, channels: 1 } })), converted: true, damaged }
  }
}
