import { spawn, type ChildProcess } from 'node:child_process'
import type { Readable } from 'node:stream'
import { createInterface } from 'node:readline'
import { JpegSplitter } from '../feeds/jpeg_splitter.js'
import { type CODEC_IDS, matroskaHeader, matroskaPicture } from './matroska.js'
import { MINIATURE } from './miniature.js'

export interface DecodedPicture {
  /** As given to `decode`. */
  ticket: number
  jpeg: Buffer
  /** Its luma, reduced. */
  miniature: Uint8Array
}

export interface VideoDecoderOptions {
  ffmpeg: string
  codec: keyof typeof CODEC_IDS
  onPicture: (picture: DecodedPicture) => void
}

/** Coded bytes that wait for ffmpeg; beyond, the machine is too slow. About 16 s of a camera of 4 Mbit/s. */
const MOST_WAITING_BYTES = 8_388_608
/** ffmpeg's scale is 2 (best) to 31; `bench -- cameras-live` compares the reads with those of the pictures. */
const JPEG_SCALE = 3
/** The time of a picture is twice its ticket, and one more if it is wanted. */
const FILTER =
  "select='mod(pts,2)',showinfo=checksum=0,split[full][copy];" +
  `[copy]scale=${MINIATURE.width}:${MINIATURE.height}:flags=area,format=gray[small]`

/**
 * Decodes the video of one camera in an ffmpeg of its own, with one thread. ffmpeg gets pictures through a pipe and may
 * open nothing else: no file, no network; it knows neither address nor credentials. Pictures that are not wanted are
 * decoded, since others need them, and go no further.
 */
export class VideoDecoder {
  /** Resolves with the reason when ffmpeg has ended. */
  readonly ended: Promise<string>
  readonly #child: ChildProcess
  readonly #onPicture: VideoDecoderOptions['onPicture']
  readonly #tickets: number[] = []
  readonly #jpegs: Buffer[] = []
  readonly #miniatures: Uint8Array[] = []
  #lastComplaint = ''

  constructor({ ffmpeg, codec, onPicture }: VideoDecoderOptions) {
    this.#onPicture = onPicture
    // Nothing of our environment, which may hold tokens.
    const env = { PATH: process.env.PATH ?? '', LC_ALL: 'C' }
    const child = spawn(ffmpeg, ffmpegArguments(), { stdio: ['pipe', 'pipe', 'pipe', 'pipe'], env })
    this.#child = child
    this.ended = new Promise((resolve) => {
      child.once('error', () => resolve('ffmpeg cannot be started'))
      child.once('exit', (code, signal) =>
        resolve(`ffmpeg ended (${signal ?? `exit code ${code}`}${this.#lastComplaint && `: ${this.#lastComplaint}`})`),
      )
    })
    child.stdin!.on('error', () => {})
    child.stdin!.write(matroskaHeader(codec))
    this.#readJpegs(child.stdout!)
    this.#readMiniatures(child.stdio[3] as Readable)
    createInterface({ input: child.stderr! }).on('line', (line) => this.#readLine(line))
  }

  /** Whether ffmpeg is far behind: what comes now is better left out up to the next key picture. */
  get isBehind(): boolean {
    return this.#child.stdin!.writableLength > MOST_WAITING_BYTES
  }

  /**
   * @param ticket names the picture when it comes out; the order of tickets is that of presentation
   * @param wanted whether it comes out
   */
  decode(data: Buffer, ticket: number, isKey: boolean, wanted: boolean): void {
    this.#child.stdin!.write(matroskaPicture(data, ticket * 2 + Number(wanted), isKey))
  }

  /** Ends ffmpeg at once. */
  close(): void {
    this.#child.kill('SIGKILL')
  }

  #readJpegs(output: Readable): void {
    const splitter = new JpegSplitter()
    output.on('data', (piece: Buffer) => {
      try {
        for (const jpeg of splitter.push(piece)) this.#jpegs.push(jpeg)
        this.#join()
      } catch {
        this.close()
      }
    })
  }

  #readMiniatures(output: Readable): void {
    const bytes = MINIATURE.width * MINIATURE.height
    let part = new Uint8Array(bytes)
    let filled = 0
    output.on('data', (piece: Buffer) => {
      for (let at = 0; at < piece.length; ) {
        const length = Math.min(bytes - filled, piece.length - at)
        part.set(piece.subarray(at, at + length), filled)
        filled += length
        at += length
        if (filled < bytes) continue
        this.#miniatures.push(part)
        part = new Uint8Array(bytes)
        filled = 0
      }
      this.#join()
    })
  }

  /** `[Parsed_showinfo_1 @ 0x5] [info] n:   0 pts:   8401 pts_time:8.401 ...`, else a complaint. */
  #readLine(line: string): void {
    const pts = /\[Parsed_showinfo_\d+ @ \S+\] (?:\[info\] )?n:\s*\d+ pts:\s*(\d+)/.exec(line)?.[1]
    if (pts !== undefined) {
      this.#tickets.push((Number(pts) - 1) / 2)
      this.#join()
    } else if (/\[(error|fatal)\]/.test(line))
      this.#lastComplaint = line.replace(/^.*\[(error|fatal)\] /, '').slice(0, 200)
  }

  /** The n-th ticket, JPEG and miniature belong together. */
  #join(): void {
    while (this.#tickets.length > 0 && this.#jpegs.length > 0 && this.#miniatures.length > 0)
      this.#onPicture({
        ticket: this.#tickets.shift()!,
        jpeg: this.#jpegs.shift()!,
        miniature: this.#miniatures.shift()!,
      })
  }
}

function ffmpegArguments(): string[] {
  return [
    ...['-nostdin', '-hide_banner', '-nostats', '-loglevel', 'level+info', '-protocol_whitelist', 'pipe'],
    // One picture says enough about the stream. (With the flag "nobuffer" those that were looked at would be lost.)
    ...['-analyzeduration', '1', '-fpsprobesize', '0', '-threads', '1'],
    ...['-copyts', '-f', 'matroska', '-i', 'pipe:0', '-filter_threads', '1', '-filter_complex_threads', '1'],
    ...['-filter_complex', FILTER],
    ...['-map', '[full]', '-fps_mode', 'passthrough', '-enc_time_base', '-1', '-c:v', 'mjpeg', '-threads', '1'],
    ...['-pix_fmt', 'yuvj420p', '-q:v', String(JPEG_SCALE), '-flush_packets', '1', '-f', 'image2pipe', 'pipe:1'],
    ...['-map', '[small]', '-fps_mode', 'passthrough', '-enc_time_base', '-1', '-c:v', 'rawvideo', '-threads', '1'],
    ...['-flush_packets', '1', '-f', 'rawvideo', 'pipe:3'],
  ]
}
