import { extname } from 'node:path'
import type { Msg, NatsConnection } from 'nats'
import { CAMERA_ID, type Camera } from '../model/camera.js'
import { CameraRegistry } from '../cameras/camera_registry.js'
import { cameraOf, HEADER } from '../nats/topology.js'
import type { FeedFrame } from './feed_format.js'
import type { FeedLog } from './feed_reader.js'
import { FeedWriter } from './feed_writer.js'

export interface RecordOptions {
  /** File to write; with a bound the files are numbered: `feed.mcap` becomes `feed-0001.mcap`, `feed-0002.mcap` ... */
  out: string
  replace?: boolean
  /** Only these; all when empty. */
  cameras?: readonly string[]
  /** A new file is begun when one has this many bytes, or frames of this many ms of wall time. */
  maxBytes?: number
  maxMs?: number
  /** Ends by itself after so many frames. */
  maxFrames?: number
  signal: AbortSignal
  log?: FeedLog
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

/** Frames waiting for the disk, bytes. NATS would buffer without a bound. */
const kMaxWaitingBytes = 268_435_456

/** A publisher that repeats a refused frame sends it again to us as well; so many ids are remembered. */
const kRememberedIds = 10_000

/**
 * Records what cameras publish, beside the stream: it takes nothing away from the engines. It sees the frames from now
 * on, also those that a full stream refuses. Ends in good order when the signal is aborted.
 * @throws ALPR_ERR_FEED_INVALID when the file cannot be written
 */
export async function record(connection: NatsConnection, options: RecordOptions): Promise<RecordSummary> {
  const { signal, log } = options
  const followed = await (await CameraRegistry.open(connection)).watch(log)
  const wanted = options.cameras?.length ? new Set(options.cameras) : undefined
  const files: string[] = []
  const seen = new Set<string>()
  const ids = new Set<string>()
  const progress: RecordProgress = { frames: 0, bytes: 0, missed: 0, file: '' }
  let writer: FeedWriter | undefined
  let bytesBefore = 0
  let openedAt = 0
  let waitingBytes = 0

  const next = async (): Promise<FeedWriter> => {
    const rotates = options.maxBytes !== undefined || options.maxMs !== undefined
    const file = rotates ? numbered(options.out, files.length + 1) : options.out
    const fresh = await FeedWriter.create(file, { replace: options.replace })
    files.push(file)
    progress.file = file
    openedAt = Date.now()
    return fresh
  }
  const isFull = (open: FeedWriter) =>
    open.frames > 0 &&
    ((options.maxBytes !== undefined && open.bytes >= options.maxBytes) ||
      (options.maxMs !== undefined && Date.now() - openedAt >= options.maxMs))

  writer = await next()
  const queue: FeedFrame[] = []
  let wake = () => {}
  const subscription = connection.subscribe('frames.>', {
    callback: (error, message) => {
      if (error) return
      const camera = cameraOf(message.subject)
      if (!CAMERA_ID.test(camera) || (wanted && !wanted.has(camera)) || isRepeated(message, ids)) return
      if (waitingBytes > kMaxWaitingBytes) {
        if (progress.missed++ === 0)
          log?.warn(
            { bound: 'record queue', bytes: kMaxWaitingBytes },
            'the disk is slower than the cameras: frames are missing in the recording',
          )
        return
      }
      // The payload is a view into the client's buffer, which is used again.
      queue.push(toFrame(camera, message))
      waitingBytes += message.data.length
      wake()
    },
  })
  const stop = () => wake()
  signal.addEventListener('abort', stop, { once: true })
  try {
    while (!signal.aborted && !(options.maxFrames !== undefined && progress.frames >= options.maxFrames)) {
      const frame = queue.shift()
      if (!frame) {
        await new Promise<void>((resolve) => {
          wake = resolve
          if (signal.aborted || queue.length > 0) resolve()
        })
        continue
      }
      if (isFull(writer)) {
        bytesBefore += writer.bytes
        await writer.close()
        writer = await next()
      }
      const known: Camera | undefined = followed.cameras.get(frame.camera)
      if (known) await writer.addCamera(known)
      await writer.addFrame(frame)
      seen.add(frame.camera)
      waitingBytes -= frame.jpeg.length
      progress.frames++
      progress.bytes = bytesBefore + writer.bytes
      options.onProgress?.(progress)
    }
    for (const frame of signal.aborted ? queue.splice(0) : []) {
      await writer.addFrame(frame)
      progress.frames++
    }
  } finally {
    signal.removeEventListener('abort', stop)
    subscription.unsubscribe()
    followed.stop()
    await writer.close()
  }
  return { ...progress, bytes: bytesBefore + writer.bytes, files, cameras: seen.size }
}

const RFC3339_UTC = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|\+00:00)$/

/** MCAP's clock, 64 bits of nanoseconds, ends in 2554; ours a little earlier, ms. */
const kLatestMs = 9_000_000_000_000

function isRepeated(message: Msg, ids: Set<string>): boolean {
  const id = message.headers?.get(HEADER.msgId)
  if (!id) return false
  if (ids.has(id)) return true
  ids.add(id)
  if (ids.size > kRememberedIds) ids.delete(ids.values().next().value as string)
  return false
}

function toFrame(camera: string, message: Msg): FeedFrame {
  const recordedAt = Date.now()
  const headers: Record<string, string> = {}
  for (const [name, values] of message.headers ?? []) {
    if (!name.startsWith('Nats-') && name !== HEADER.capturedAt) headers[name] = values.at(-1) ?? ''
  }
  const text = message.headers?.get(HEADER.capturedAt) ?? ''
  const time = RFC3339_UTC.test(text) ? Date.parse(text) : NaN
  // What is no time stays a header, word for word: a replay must send what the camera sent.
  const usable = time >= 0 && time < kLatestMs
  if (!usable) headers[HEADER.capturedAt] = text
  return { camera, capturedAt: usable ? time : recordedAt, recordedAt, headers, jpeg: Uint8Array.from(message.data) }
}

function numbered(file: string, number: number): string {
  const extension = extname(file)
  return `${file.slice(0, file.length - extension.length)}-${String(number).padStart(4, '0')}${extension}`
}
