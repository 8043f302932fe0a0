import { spawn } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { AlprError } from '../errors.js'
import { findProgram } from '../nats/server.js'
import { JpegSplitter } from './jpeg_splitter.js'
import type { FeedWriter } from './feed_writer.js'

export interface VideoOptions {
  /** Anything that ffmpeg reads: a file, an address. */
  input: string
  camera: string
  /** Frames a second; the video's own when left out. */
  fps?: number
  /**
   * Time of the first frame, ms since 1970 UTC; when left out: what the file says about itself, else its file time less
   * its length.
   */
  start?: number
  /** 1 to 100. */
  quality: number
  /** Stops after so many ms of video. */
  maxMs?: number
  signal?: AbortSignal
  /** `total` is 0 when the length is not known. */
  onProgress?: (done: number, total: number) => void
}

export interface VideoSummary {
  frames: number
  fps: number
  start: number
  /** ffmpeg's last error line, when it did not like all of the input. */
  complaint?: string
}

interface Probe {
  fps?: number
  durationMs?: number
  createdAt?: number
}

const kUsualFps = 10

/**
 * Puts the frames of a video into a feed.
 * @throws ALPR_ERR_SYSTEM_MISSING without ffmpeg
 * @throws ALPR_ERR_FEED_INVALID with ffmpeg's words when it gets no frame out of the input
 */
export async function importVideo(writer: FeedWriter, options: VideoOptions): Promise<VideoSummary> {
  const ffmpeg = findProgram('ffmpeg')
  if (!ffmpeg)
    throw new AlprError('ALPR_ERR_SYSTEM_MISSING', {
      what: 'ffmpeg',
      remedy: 'install it with: sudo apt-get install -y ffmpeg',
    })
  const probe = await probeVideo(options.input)
  const fps = options.fps ?? probe.fps ?? kUsualFps
  const start = options.start ?? startOf(options.input, probe)
  const length = Math.min(probe.durationMs ?? 0, options.maxMs ?? Infinity)
  const total = Math.round((length / 1_000) * fps)
  const args = [
    '-nostdin',
    '-hide_banner',
    '-loglevel',
    'error',
    ...(options.maxMs ? ['-t', String(options.maxMs / 1_000)] : []),
    '-i',
    options.input,
    // A constant rate, so that the number of a frame is its time.
    '-an',
    '-sn',
    '-vf',
    `fps=${fps}`,
    '-f',
    'image2pipe',
    '-c:v',
    'mjpeg',
    '-pix_fmt',
    'yuvj420p',
    '-q:v',
    String(mjpegScale(options.quality)),
    '-',
  ]
  const child = spawn(ffmpeg, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 1)))
  let words = ''
  child.stderr.on('data', (data: Buffer) => {
    words = (words + data.toString('utf8')).slice(-4_000)
  })
  // SIGINT lets ffmpeg finish the frame it is at.
  const stop = () => child.kill('SIGINT')
  options.signal?.addEventListener('abort', stop, { once: true })

  const splitter = new JpegSplitter()
  let frames = 0
  try {
    // Read at the pace of the writing: ffmpeg waits in its pipe meanwhile.
    for await (const piece of child.stdout as AsyncIterable<Buffer>) {
      for (const jpeg of splitter.push(piece)) {
        await writer.addFrame({
          camera: options.camera,
          capturedAt: start + Math.round((frames * 1_000) / fps),
          headers: {},
          jpeg,
        })
        frames++
        options.onProgress?.(frames, total)
      }
    }
  } finally {
    options.signal?.removeEventListener('abort', stop)
    if (child.exitCode === null) child.kill('SIGKILL')
  }
  const code = await ended
  const complaint = words.trim().split('\n').at(-1)?.trim() || undefined
  if (frames === 0 && !options.signal?.aborted) {
    throw new AlprError('ALPR_ERR_FEED_INVALID', {
      file: options.input,
      reason: `ffmpeg gets no frame out of it: ${complaint ?? `exit code ${code}`}`,
    })
  }
  return { frames, fps, start, ...(complaint && code !== 0 && !options.signal?.aborted ? { complaint } : {}) }
}

/** What the container says. A live source or a strange container says little; then nothing is known. */
async function probeVideo(input: string): Promise<Probe> {
  const ffprobe = findProgram('ffprobe')
  if (!ffprobe) return {}
  const args = [
    '-v',
    'error',
    '-select_streams',
    'v:0',
    '-show_entries',
    'stream=avg_frame_rate:format=duration:format_tags=creation_time',
    '-of',
    'json',
    input,
  ]
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
    const [over = 0, under = 0] = (streams[0]?.avg_frame_rate ?? '').split('/').map(Number)
    const duration = Number(format.duration)
    const created = Date.parse(format.tags?.creation_time ?? '')
    return {
      ...(over > 0 && under > 0 && over / under <= 240 ? { fps: Math.round((over / under) * 1_000) / 1_000 } : {}),
      ...(duration > 0 ? { durationMs: Math.round(duration * 1_000) } : {}),
      // Cameras whose clock was never set write 1970 or 1904.
      ...(created > Date.UTC(1990, 0, 1) ? { createdAt: created } : {}),
    }
  } catch {
    return {}
  }
}

function startOf(input: string, { createdAt, durationMs = 0 }: Probe): number {
  if (createdAt !== undefined) return createdAt
  return existsSync(input) ? Math.round(statSync(input).mtimeMs - durationMs) : Date.now()
}

/** 1..100 as people know it to ffmpeg's 31 (worst) .. 2 (best). */
const mjpegScale = (quality: number): number => Math.round(31 - (29 * Math.min(100, Math.max(1, quality))) / 100)
