import { extname } from 'node:path'
import type { NatsConnection } from 'nats'
import { CameraRegistry } from '../cameras/camera_registry.js'
import type { FeedLog } from './feed_format.js'
import { FeedWriter } from './feed_writer.js'
import { LiveFrames } from './live_frames.js'

export interface RecordOptions {
  /** File to write. With a bound, files are numbered: `feed.mcap` becomes `feed-0001.mcap`, `feed-0002.mcap` ... */
  out: string
  replace?: boolean
  /** Cameras to record; all when empty. */
  cameras?: readonly string[]
  /** Bounds of one file: bytes, and ms of wall time. The next file begins when one is reached. */
  maxBytes?: number
  maxMs?: number
  /** Ends the recording after this many frames. */
  maxFrames?: number
  signal: AbortSignal
  log?: FeedLog
  /** Called when the recording has begun, and after each frame. */
  onProgress?: (progress: RecordProgress) => void
}

export interface RecordProgress {
  frames: number
  bytes: number
  /** Frames lost because the disk was slower than the cameras. */
  missed: number
  file: string
}

export interface RecordSummary extends RecordProgress {
  files: string[]
  cameras: number
}

/**
 * Records the frames that cameras publish, beside the stream: engines lose nothing. It sees the frames from now on,
 * those that a full stream refuses included. When the signal is aborted, it writes the frames that wait and ends.
 * @throws ALPR_ERR_FEED_INVALID when the file cannot be written
 */
export async function record(connection: NatsConnection, options: RecordOptions): Promise<RecordSummary> {
  const { cameras, maxFrames = Infinity, signal, log } = options
  const registry = await (await CameraRegistry.open(connection)).watch(log)
  const seen = new Set<string>()
  const progress: RecordProgress = { frames: 0, bytes: 0, missed: 0, file: '' }
  let files: FeedFiles | undefined
  let live: LiveFrames | undefined
  try {
    files = await FeedFiles.open(options)
    live = new LiveFrames(connection, { cameras, signal, log })
    options.onProgress?.({ ...progress, bytes: files.bytes, file: files.names[0]! })
    while (progress.frames < maxFrames) {
      const frame = await live.next()
      if (!frame) break
      const writer = await files.current()
      const camera = registry.cameras.get(frame.camera)
      if (camera) await writer.addCamera(camera)
      await writer.addFrame(frame)
      seen.add(frame.camera)
      progress.frames++
      Object.assign(progress, { bytes: files.bytes, missed: live.missed, file: writer.file })
      options.onProgress?.(progress)
    }
  } finally {
    live?.close()
    registry.stop()
    await files?.close()
  }
  const { names, bytes } = files
  return { ...progress, bytes, missed: live.missed, file: names.at(-1)!, files: names, cameras: seen.size }
}

type FileOptions = Pick<RecordOptions, 'out' | 'replace' | 'maxBytes' | 'maxMs'>

/** The files of a recording, one after the other. */
class FeedFiles {
  readonly names: string[] = []
  readonly #options: FileOptions
  #writer!: FeedWriter
  /** Of the files that are complete. */
  #closedBytes = 0
  #openedAt = 0

  private constructor(options: FileOptions) {
    this.#options = options
  }

  /** @throws ALPR_ERR_FEED_INVALID when the first file cannot be created */
  static async open(options: FileOptions): Promise<FeedFiles> {
    const files = new FeedFiles(options)
    await files.#openNext()
    return files
  }

  /** Bytes written to all files. */
  get bytes(): number {
    return this.#closedBytes + this.#writer.bytes
  }

  /** The writer of the next frame: a new one when the file has reached a bound. */
  async current(): Promise<FeedWriter> {
    const { maxBytes = Infinity, maxMs = Infinity } = this.#options
    const full = this.#writer.bytes >= maxBytes || Date.now() - this.#openedAt >= maxMs
    if (full && this.#writer.frames > 0) {
      this.#closedBytes += this.#writer.bytes
      await this.#writer.close()
      await this.#openNext()
    }
    return this.#writer
  }

  close(): Promise<void> {
    return this.#writer.close()
  }

  async #openNext(): Promise<void> {
    const { out, replace, maxBytes, maxMs } = this.#options
    const file = maxBytes === undefined && maxMs === undefined ? out : numbered(out, this.names.length + 1)
    this.#writer = await FeedWriter.create(file, { replace })
    this.names.push(file)
    this.#openedAt = Date.now()
  }
}

function numbered(file: string, number: number): string {
  const extension = extname(file)
  return `${file.slice(0, file.length - extension.length)}-${String(number).padStart(4, '0')}${extension}`
}
