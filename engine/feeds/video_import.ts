import { spawn } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { AlprError } from '../errors.js'
import { findProgram } from '../nats/server.js'
import { ffmpegInput, withoutPassword, type FfmpegInput } from './ffmpeg_input.js'
import { FrameTimes } from './frame_times.js'
import { JpegSplitter } from './jpeg_splitter.js'
import type { FeedWriter } from './feed_writer.js'

export interface VideoOptions {
  /** Anything that ffmpeg reads: a file or a URL. */
  input: string
  camera: string
  /**
   * At most this many frames a second: the first of each step. Of a file without times, its rate.
   * @default all frames
   */
  fps?: number
  /**
   * Time of the first frame, ms since 1970 UTC.
   * @default the creation time in the file, else its modification time minus its duration; of a live stream the clock
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
  /** Frames a second on average. */
  fps: number
  start: number
  /**
   * Where the times of the frames come from: the video; the clock, of a live stream without times; or a rate, of a
   * file without times.
   */
  times: 'video' | 'clock' | 'rate'
  /** ffmpeg's last error line, when it could not decode all of the input. */
  complaint?: string
}

interface VideoMetadata {
  fps?: number
  durationMs?: number
  createdAt?: number
  /** ffmpeg's name of the container. */
  format?: string
}

/** Frame rate of a file that has neither times nor a rate, as ffmpeg assumes. */
const DEFAULT_FPS = 25
/** Containers without times: pictures or coded frames one after another. */
const TIMELESS = /^(mpjpeg|mjpeg|jpeg_pipe|image2pipe|h264|hevc|mpegvideo|m4v)(,|$)/

/**
 * Adds the frames of a video to a feed, each with its own time.
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
  const input = ffmpegInput(options.input)
  const probe = await probeVideo(input)
  const timeless = TIMELESS.test(probe.format ?? '')
  const times = !timeless ? 'video' : input.isUrl ? 'clock' : 'rate'
  const rate = options.fps ?? probe.fps ?? DEFAULT_FPS
  const length = Math.min(probe.durationMs ?? 0, options.maxMs ?? Infinity)
  const total = Math.round((length / 1_000) * Math.min(rate, probe.fps ?? rate))
  let start: number | undefined = options.start
  let first = 0
  let last = 0
  let frames = 0
  let step = -1
  const { code, complaint } = await decodeFrames(
    ffmpeg,
    decodeArguments(input, options, times),
    options.signal,
    async (jpeg, inStream) => {
      start ??= startOf(options.input, probe)
      // ffmpeg would give frames that arrive together one time, and drop all but one
      const seconds = times === 'clock' ? performance.now() / 1_000 : inStream
      if (frames === 0) first = seconds
      if (times === 'clock') {
        if (seconds - first > (options.maxMs ?? Infinity) / 1_000) return false
        const its = options.fps === undefined ? step + 1 : Math.floor((seconds - first) * options.fps)
        if (its === step) return true
        step = its
      }
      last = times === 'rate' ? frames / rate : seconds - first
      const capturedAt = start + Math.round(last * 1_000)
      await writer.addFrame({ camera: options.camera, capturedAt, headers: {}, jpeg })
      frames++
      options.onProgress?.(frames, total)
      return true
    },
  )
  const aborted = options.signal?.aborted ?? false
  if (frames === 0 && !aborted)
    throw new AlprError('ALPR_ERR_FEED_INVALID', {
      file: withoutPassword(options.input),
      reason: `ffmpeg gets no frame out of it: ${complaint ?? `exit code ${code}`}`,
    })
  const fps = frames > 1 && last > 0 ? Math.round(((frames - 1) / last) * 1_000) / 1_000 : rate
  return {
    frames,
    fps,
    start: start ?? Date.now(),
    times,
    ...(complaint && code !== 0 && !aborted ? { complaint } : {}),
  }
}

/**
 * Arguments for JPEGs on ffmpeg's standard output, each frame once, and the time of each on standard error. A lower
 * rate takes the first frame of each step: none is copied, and none gets the time of another.
 */
function decodeArguments(
  { options, name }: FfmpegInput,
  { maxMs, quality, fps }: VideoOptions,
  times: VideoSummary['times'],
): string[] {
  const step = (time: string) => `floor(${time}*${fps}+0.001)`
  const select =
    fps === undefined || times !== 'video'
      ? ''
      : `select='isnan(prev_selected_t)+gt(${step('t')},${step('prev_selected_t')})',`
  return [
    ...['-nostdin', '-hide_banner', '-nostats', '-loglevel', 'level+info'],
    ...(maxMs && times !== 'clock' ? ['-t', String(maxMs / 1_000)] : []),
    ...options,
    ...['-i', name, '-an', '-sn', '-dn', '-map', '0:v:0', '-vf', `${select}showinfo=checksum=0`],
    ...['-vsync', 'passthrough', '-enc_time_base', '1:90000'],
    ...['-f', 'image2pipe', '-c:v', 'mjpeg', '-pix_fmt', 'yuvj420p', '-q:v', String(mjpegScale(quality)), '-'],
  ]
}

/**
 * Runs ffmpeg and passes each frame on, with its time in the stream, s. ffmpeg waits in its pipe while a frame is being
 * written.
 * @param onFrame returns false after the last frame that is wanted
 * @returns the exit code, and the last line of ffmpeg's errors if any
 */
async function decodeFrames(
  ffmpeg: string,
  args: string[],
  signal: AbortSignal | undefined,
  onFrame: (jpeg: Buffer, seconds: number) => Promise<boolean>,
): Promise<{ code: number; complaint?: string }> {
  const child = spawn(ffmpeg, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 1)))
  const times = new FrameTimes()
  child.stderr.on('data', (data: Buffer) => times.push(data.toString('utf8')))
  child.stderr.once('end', () => times.end())
  // On SIGINT ffmpeg finishes the current frame.
  const stop = () => child.kill('SIGINT')
  signal?.addEventListener('abort', stop, { once: true })
  const splitter = new JpegSplitter()
  try {
    reading: for await (const piece of child.stdout as AsyncIterable<Buffer>)
      for (const jpeg of splitter.push(piece)) if (!(await onFrame(jpeg, await times.next()))) break reading
  } finally {
    signal?.removeEventListener('abort', stop)
    if (child.exitCode === null) child.kill('SIGKILL')
  }
  return { code: await ended, complaint: times.complaint && withoutPassword(times.complaint) }
}

/** Metadata of the container. A live stream or an unusual container has little or none. */
async function probeVideo({ options, name }: FfmpegInput): Promise<VideoMetadata> {
  const ffprobe = findProgram('ffprobe')
  if (!ffprobe) return {}
  const entries = 'stream=avg_frame_rate:format=format_name,duration:format_tags=creation_time'
  const args = ['-v', 'error', ...options, '-select_streams', 'v:0', '-show_entries', entries, '-of', 'json', name]
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
      format?: { format_name?: string; duration?: string; tags?: { creation_time?: string } }
    }
    const [numerator = 0, denominator = 0] = (streams[0]?.avg_frame_rate ?? '').split('/').map(Number)
    const rate = denominator > 0 ? numerator / denominator : 0
    const duration = Number(format.duration)
    const created = Date.parse(format.tags?.creation_time ?? '')
    return {
      ...(rate > 0 && rate <= 240 ? { fps: Math.round(rate * 1_000) / 1_000 } : {}),
      ...(format.format_name ? { format: format.format_name } : {}),
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
