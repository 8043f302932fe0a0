import { readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, extname } from 'node:path'
import type { Command } from 'commander'
import { FeedWriter, importFolder, importVideo, type TimeSource } from '../../engine/feeds/mod.js'
import type { Camera } from '../../engine/mod.js'
import { AlprError, reasonOf } from '../../engine/runtime/mod.js'
import { usage } from '../failure.js'
import { interruptSignal } from '../interrupt.js'
import { bytesText, printJson, printLine, progressBar, printNote } from '../output.js'
import { cameraId, collect, decimal, oneOf, parseDuration, parseTime, parseZone, wholeNumber } from '../parse.js'
import { loadEngine } from '../system.js'
import { terminalWord } from '../terminal_text.js'

interface ImportOptions {
  out: string
  camera?: string
  name?: string
  kind: Camera['kind']
  lat?: number
  lon?: number
  heading?: number
  agency: string
  cameras?: string
  time: TimeSource | 'auto'
  utcOffset: number
  start?: number
  fps?: number
  quality: number
  duration?: number
  attach?: string[]
  force?: boolean
  json?: boolean
}

export function registerImport(program: Command): void {
  program
    .command('import')
    .description('make a feed (MCAP) from a folder of pictures or a video')
    .argument('<source>', 'folder of pictures, or a file or URL that ffmpeg can read')
    .requiredOption('--out <file>', 'feed to write')
    .option('--camera <id>', 'camera of all frames; without it, each subfolder is a camera', cameraId)
    .option('--name <text>', 'display name of the camera (default: its id)')
    .option('--kind <kind>', 'fixed, mobile or trailer', oneOf('fixed', 'mobile', 'trailer'), 'fixed' as const)
    .option('--lat <degrees>', 'position of the camera, WGS 84', decimal(-90, 90))
    .option('--lon <degrees>', 'position of the camera, WGS 84', decimal(-180, 180))
    .option('--heading <degrees>', 'viewing direction, clockwise from north', decimal(0, 359.999))
    .option('--agency <text>', 'agency that owns it', '')
    .option('--cameras <file>', 'JSON array of camera records, instead of the options above')
    .option(
      '--time <source>',
      'capture time of pictures: name, exif, mtime or auto',
      oneOf('auto', 'name', 'exif', 'mtime'),
      'auto' as const,
    )
    .option('--utc-offset <offset>', 'zone of times that do not state one, e.g. -07:00', parseZone, 0)
    .option('--start <time>', 'time of the first frame, e.g. 2026-05-01T08:30:00Z', parseTime)
    .option(
      '--fps <n>',
      'frames per second: of pictures or a video without times; of other videos, at most so many are taken',
      decimal(0.001, 240),
    )
    .option('--quality <n>', 'JPEG quality of converted pictures, 1 to 100', wholeNumber(1, 100), 90)
    .option('--duration <time>', 'import only this much of a video, e.g. 90s', parseDuration)
    .option('--attach <file>', 'attach a file to the feed, e.g. truth.jsonl; repeatable', collect(String))
    .option('--force', 'overwrite an existing file')
    .option('--json', 'print one JSON line at the end')
    .addHelpText(
      'after',
      `
JPEG files are copied byte for byte; other pictures are converted. Videos require ffmpeg. With --lat and --lon, the
feed registers its camera when it is replayed.

Examples:
  platestream import pictures/ --out gate.mcap --camera gate-1 --lat 37.77 --lon -122.42
  platestream import frames/ --out lot.mcap --camera lot --start 2026-05-01T08:30:00Z --fps 5
  platestream import drive.mp4 --out drive.mcap --camera car-7 --kind mobile --fps 8`,
    )
    .action(async (source: string, options: ImportOptions) => {
      const signal = interruptSignal()
      if (options.start !== undefined && options.fps === undefined && isFolder(source))
        throw usage('--start for pictures requires --fps')
      const cameras = await camerasOf(options)
      // Written under another name first: a feed under its final name is complete.
      const aside = `${options.out}.part`
      if (!options.force && exists(options.out))
        throw new AlprError('ALPR_ERR_FEED_INVALID', {
          file: options.out,
          reason: 'this file already exists; --force overwrites it',
        })
      const writer = await FeedWriter.create(aside, { replace: true })
      try {
        for (const camera of cameras) await writer.addCamera(camera)
        const result = isFolder(source)
          ? await fromFolder(source, writer, options, signal)
          : await fromVideo(source, writer, options, signal)
        for (const file of options.attach ?? [])
          await writer.addAttachment(basename(file), mediaType(file), readFileSync(file))
        await writer.close()
        renameSync(aside, options.out)
        const bytes = statSync(options.out).size
        if (options.json) printJson({ out: options.out, bytes, interrupted: signal.aborted, ...result.summary })
        else
          printLine(
            `${result.text}\n${writer.frames} frames (${bytesText(bytes)}) in ${options.out}; ` +
              `replay with: platestream replay ${options.out}`,
          )
      } catch (error) {
        rmSync(aside, { force: true })
        throw error
      }
    })
}

interface Result {
  summary: object
  text: string
}

async function fromFolder(
  folder: string,
  writer: FeedWriter,
  options: ImportOptions,
  signal: AbortSignal,
): Promise<Result> {
  const bar = progressBar(1, 'pictures', 'ETA {eta_formatted}', options.json)
  const summary = await importFolder(writer, {
    folder,
    camera: options.camera,
    time: options.time,
    zoneMinutes: options.utcOffset,
    start: options.start,
    fps: options.fps,
    quality: options.quality,
    signal,
    log: { warn: (fields, message) => printNote(skippedText(fields as { file: string; reason: string }, message)) },
    onProgress: (done, total) => bar.update(done, {}, total),
  })
  bar.stop()
  for (const { reason, files, first } of summary.leftOut)
    printNote(`left out ${files} ${files === 1 ? 'file' : 'files'}: ${reason}, e.g. ${terminalWord(first)}`)
  const sources = { name: 'file names', exif: 'EXIF', mtime: 'file times', start: '--fps' }
  const rest = [
    summary.converted ? `${summary.converted} converted to JPEG` : '',
    summary.damaged ? `${summary.damaged} damaged, read in part` : '',
    summary.skipped.length ? `${summary.skipped.length} skipped` : '',
  ].filter(Boolean)
  return {
    summary,
    text: [`cameras ${summary.cameras.join(', ')}; times from ${sources[summary.time]}`, ...rest].join('; '),
  }
}

const skippedText = ({ file, reason }: { file: string; reason: string }, message: string): string =>
  `${terminalWord(file)}: ${message}: ${terminalWord(reason)}`

async function fromVideo(
  input: string,
  writer: FeedWriter,
  options: ImportOptions,
  signal: AbortSignal,
): Promise<Result> {
  if (!options.camera) throw usage('a video requires --camera')
  const bar = progressBar(1, 'frames', 'ETA {eta_formatted}', options.json)
  const summary = await importVideo(writer, {
    input,
    camera: options.camera,
    fps: options.fps,
    start: options.start,
    quality: options.quality,
    maxMs: options.duration,
    signal,
    onProgress: (done, total) => bar.update(done, {}, total),
  })
  bar.stop()
  if (summary.times === 'rate' && options.fps === undefined)
    printNote(`this video has no times: ${summary.fps} frames per second are assumed; --fps states its rate`)
  if (summary.complaint) printNote(`ffmpeg reported: ${summary.complaint}`)
  return {
    summary,
    text:
      `camera ${options.camera}; ${summary.fps} frames per second from ${new Date(summary.start).toISOString()}, ` +
      { video: 'times of the video', clock: 'times of arrival', rate: 'counted: the file has no times' }[summary.times],
  }
}

async function camerasOf(options: ImportOptions): Promise<Camera[]> {
  const { parseCamera } = await loadEngine()
  if (options.cameras) {
    try {
      const value: unknown = JSON.parse(readFileSync(options.cameras, 'utf8'))
      if (!Array.isArray(value)) throw new Error('not a JSON array')
      return value.map(parseCamera)
    } catch (error) {
      throw error instanceof AlprError ? error : usage(`--cameras ${options.cameras}: ${reasonOf(error)}`)
    }
  }
  const { camera, lat, lon, kind } = options
  if (!camera || (kind === 'fixed' && (lat === undefined || lon === undefined))) return []
  return [
    parseCamera(
      withoutUndefined({
        id: camera,
        name: options.name ?? camera,
        kind,
        lat,
        lon,
        heading: options.heading,
        agency: options.agency,
      }),
    ),
  ]
}

const withoutUndefined = (value: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined))
const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
const exists = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined
const mediaType = (file: string): string =>
  ({ '.json': 'application/json', '.jsonl': 'application/jsonl', '.csv': 'text/csv', '.txt': 'text/plain' })[
    extname(file)
  ] ?? 'application/octet-stream'
