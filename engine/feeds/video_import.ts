import { spawn } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { AlprError } from '../errors.js'
import { findProgram } from '../nats/server.js'
import { JpegSplitter } from './jpeg_splitter.js'
import type { FeedWriter } from './feed_writer.js'

export interface VideoOptions {
  /** Anything that ffmpeg reads: a file or a URL. */
  input: string
  camera: string
  /** Frames a second. @default the rate of the video */
  fps?: number
  /**
   * Time of the first frame, ms since 1970 UTC.
   * @default the creation time in the file, else its modification time minus its duration
   */
  start?: number
  /** 1 to 100. */
  quality: number
  /** Stops after this many ms of video. */
  maxMs?: number
  signal?: AbortSignal
  /** `total` is 0 when the duration is unknown. */
  onProgress?: (done: number, total: number) => void
}

export interface VideoSummary {
  frames: number
  fps: number
  start: number
  /** ffmpeg's last error line, when it could not decode all of the input. */
  complaint?: string
}

interface VideoMetadata {
  fps?: number
  durationMs?: number
  createdAt?: number
}

/** Frame rate of an input that does not state one. */
const DEFAULT_FPS = 10

/**
 * Adds the frames of a video to a feed.
 * @throws ALPR_ERR_SYSTEM_MISSING without ffmpeg
 * @throws ALPR_ERR_FEED_INVALID with ffmpeg's message when it gets no frame from the input
 */
export async function importVideo(writer: FeedWriter, options: VideoOptions): Promise<VideoSummary> {
  const ffmpeg = findProgram('ffmpeg')
  if (!ffmpeg)
    throw new AlprError('ALPR_ERR_SYSTEM_MISSING', {
      what: 'ffmpeg',
      remedy: 'install it with: sudo apt-get install -y ffmpeg',
    })
  const probe = await probeVideo(options.input)
  const fps = options.fps ?? probe.fps ?? DEFAULT_FPS
  const start = options.start ?? startOf(options.input, probe)
  const length = Math.min(probe.durationMs ?? 0, options.maxMs ?? Infinity)
  const total = Math.round((length / 1_000) * fps)
  let frames = 0
  const { code, complaint } = await decodeFrames(
    ffmpeg,
    decodeArguments(options, fps),
    options.signal,
    async (jpeg) => {
      const capturedAt = start + Math.round((frames * 1_000) / fps)
      await writer.addFrame({ camera: options.camera, capturedAt, headers: {}, jpeg })
      frames++
      options.onProgress?.(frames, total)
    },
  )
  const aborted = options.signal?.aborted ?? false
  if (frames === 0 && !aborted)
    throw new AlprError('ALPR_ERR_FEED_INVALID', {
      file: options.input,
      reason: `ffmpeg gets no frame out of it: ${complaint ?? `exit code ${code}`}`,
    })
  return { frames, fps, start, ...(complaint && code !== 0 && !aborted ? { complaint } : {}) }
}

/** Arguments for JPEGs on ffmpeg's standard output, at a constant rate: the index of a frame gives its time. */
function decodeArguments({ input, maxMs, quality }: VideoOptions, fps: number): string[] {
  return [
    ...['-nostdin', '-hide_banner', '-loglevel', 'error'],
    ...(maxMs ? ['-t', String(maxMs / 1_000)] : []),
    ...['-i', input, '-an', '-sn', '-vf', `fps=${fps}`],
    ...['-f', 'image2pipe', '-c:v', 'mjpeg', '-pix_fmt', 'yuvj420p', '-q:v', String(mjpegScale(quality)), '-'],
  ]
}

/**
 * Runs ffmpeg and passes each frame on. ffmpeg waits in its pipe while a frame is being written.
 * @returns the exit code, and the last line of ffmpeg's errors if any
 */
async function decodeFrames(
  ffmpeg: string,
  args: string[],
  signal: AbortSignal | undefined,
  onFrame: (jpeg: Buffer) => Promise<void>,
): Promise<{ code: number; complaint?: string }> {
  const child = spawn(ffmpeg, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 1)))
  let errors = ''
  child.stderr.on('data', (data: Buffer) => {
    errors = (errors + data.toString('utf8')).slice(-4_000)
  })
  // On SIGINT ffmpeg finishes the current frame.
  const stop = () => child.kill('SIGINT')
  signal?.addEventListener('abort', stop, { once: true })
  const splitter = new JpegSplitter()
  try {
    for await (const piece of child.stdout as AsyncIterable<Buffer>)
      for (const jpeg of splitter.push(piece)) await onFrame(jpeg)
  } finally {
    signal?.removeEventListener('abort', stop)
    if (child.exitCode === null) child.kill('SIGKILL')
  }
  return { code: await ended, complaint: errors.trim().split('\n').at(-1)?.trim() || undefined }
}

/** Metadata of the container. A live stream or an unusual container has little or none. */
async function probeVideo(input: string): Promise<VideoMetadata> {
  const ffprobe = findProgram('ffprobe')
  if (!ffprobe) return {}
  const entries = 'stream=avg_frame_rate:format=duration:format_tags=creation_time'
  const args = ['-v', 'error', '-select_streams', 'v:0', '-show_entries', entries, '-of', 'json', input]
  const text = await new Promise<string>((resolve) => {
    const child = spawn(ffprobe, args, { stdio: ['ignore', 'pipe', 'ignore'], timeout: 20_000 })
    let output = ''
    child.stdout.on('data', (data: Buffer) => {
      output += data.toString('utf8')
    })
    child.once('error', () => resolve(''))
    child.once('close', () => resolve(output))
  })
  try {
    const { streams = [], format = {} } = JSON.parse(text) as {
      streams?: { avg_frame_rate?: string }[]
      format?: { duration?: string; tags?: { creation_time?: string } }
    }
    const [numerator = 0, denominator = 0] = (streams[0]?.avg_frame_rate ?? '').split('/').map(Number)
    const rate = denominator > 0 ? numerator / denominator : 0
    const duration = Number(format.duration)
    const created = Date.parse(format.tags?.creation_time ?? '')
    return {
      ...(rate > 0 && rate <= 240 ? { fps: Math.round(rate * 1_000) / 1_000 } : {}),
      ...(duration > 0 ? { durationMs: Math.round(duration * 1_000) } : {}),
      // A camera whose clock was never set writes 1970 or 1904.
      ...(created > Date.UTC(1990, 0, 1) ? { createdAt: created } : {}),
    }
  } catch {
    return {}
  }
}

function startOf(input: string, { createdAt, durationMs = 0 }: VideoMetadata): number {
  if (createdAt !== undefined) return createdAt
  return existsSync(input) ? Math.round(statSync(input).mtimeMs - durationMs) : Date.now()
}

/** Maps a JPEG quality of 1 to 100 to ffmpeg's scale of 31 (worst) to 2 (best). */
const mjpegScale = (quality: number): number => Math.round(31 - (29 * Math.min(100, Math.max(1, quality))) / 100)
