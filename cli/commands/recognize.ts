import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { AlprError, codeOf, reasonOf } from '../../engine/runtime/mod.js'
import {
  decodePicture,
  enlarged,
  openRecognizer,
  PICTURE_LIMITS,
  WasmError,
  type Damage,
  type Detection,
  type Recognizer,
} from '../../wasm/node.js'
import { ReportedFailure } from '../failure.js'
import { printJson, printLine, progressBar } from '../output.js'
import { terminalWord } from '../terminal_text.js'

/**
 * One line of `--json`: a stable format, see README. Coordinates are pixels of the original picture with its EXIF
 * orientation applied.
 */
interface RecognizeLine {
  file: string
  width: number
  height: number
  ms: { decode: number; recognize: number }
  detections: {
    plate: string
    confidence: number
    quad: [number, number][]
    region: string | null
    alternates: { plate: string; confidence: number }[]
  }[]
  /** Only of a damaged picture, which is read in part; `share` is what is whole of it, 0..1. */
  damaged?: { reason: string; share: number }
}

export function registerRecognize(program: Command): void {
  program
    .command('recognize')
    .description('find and read the plates in picture files; works without a running system')
    .argument('<file...>', 'pictures: JPEG, PNG, WebP, TIFF, GIF, AVIF, BMP; - is standard input')
    .option('--json', 'print one JSON line per file, in order')
    .addHelpText(
      'after',
      `
A file that cannot be read gives an error line; the other files are still processed, and the exit code is 1.

Examples:
  platestream recognize car.jpg
  platestream recognize --json pictures/*.jpg > plates.jsonl`,
    )
    .action(async (files: string[], { json }: { json?: boolean }) => {
      const recognizer = await loadRecognizer()
      const bar = progressBar(files.length, 'files', 'ETA {eta_formatted}', files.length < 20 || process.stdout.isTTY)
      let failed = 0
      for (const [index, file] of files.entries()) {
        try {
          const answer = await recognizeFile(recognizer, file)
          if (json) printJson(answer)
          else printForPeople(answer)
        } catch (error) {
          // A module that trapped has an undefined state and must not process the next file.
          if (error instanceof Error && error.name === 'RuntimeError') throw error
          failed++
          const { code, message } = fileError(file, error)
          if (json) printJson({ file, error: { code, message } })
          else printLine(`${terminalWord(file)}: ${terminalWord(message)}`)
        }
        bar.update(index + 1)
      }
      bar.stop()
      if (failed > 0) throw new ReportedFailure(1)
    })
}

async function loadRecognizer(): Promise<Recognizer> {
  try {
    return await openRecognizer()
  } catch (error) {
    throw new AlprError('ALPR_ERR_MODEL_INVALID', { reason: reasonOf(error) }, { cause: error })
  }
}

/** @throws ALPR_ERR_FRAME_TOO_LARGE as soon as it is larger than a picture may be */
async function standardInput(): Promise<Uint8Array> {
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of process.stdin as AsyncIterable<Buffer>) {
    pieces.push(piece)
    length += piece.length
    if (length > PICTURE_LIMITS.mostBytes) break
  }
  return Buffer.concat(pieces)
}

async function recognizeFile(recognizer: Recognizer, file: string): Promise<RecognizeLine> {
  const bytes = file === '-' ? await standardInput() : await readFile(file)
  const start = performance.now()
  const { width, height, reduced, damage } = await decodePicture(bytes, recognizer)
  const decoded = performance.now()
  const detections = enlarged(recognizer.recognize(width, height), reduced)
  // a damaged picture without a plate says nothing about the scene
  if (damage && detections.length === 0) throw nothingInPart(damage)
  return {
    file,
    width: width * reduced,
    height: height * reduced,
    ms: { decode: rounded(decoded - start, 3), recognize: rounded(performance.now() - decoded, 3) },
    detections: detections.map(detectionLine),
    ...(damage ? { damaged: { reason: damage.reason, share: rounded(damage.share, 3) } } : {}),
  }
}

const nothingInPart = ({ code, reason }: Damage): WasmError =>
  new WasmError(code, { reason: `${reason}; no plate in what is left of it` })

const detectionLine = ({
  plate,
  confidence,
  quad,
  region,
  alternates,
}: Detection): RecognizeLine['detections'][number] => ({
  plate,
  confidence: rounded(confidence, 4),
  quad: quad.map(([x, y]) => [rounded(x, 2), rounded(y, 2)]),
  region,
  alternates: alternates.map((alternate) => ({ plate: alternate.plate, confidence: rounded(alternate.confidence, 4) })),
})

function printForPeople({ file, width, height, ms, detections, damaged }: RecognizeLine): void {
  printLine(
    `${terminalWord(file)}  ${width}x${height}  ${(ms.decode + ms.recognize).toFixed(0)} ms` +
      `${detections.length === 0 ? '  no plate' : ''}`,
  )
  if (damaged)
    printLine(
      `  damaged, read in part (${Math.floor(damaged.share * 100)} %): ${damaged.reason}; confidences are lower`,
    )
  for (const { plate, confidence, region, quad, alternates } of detections) {
    const others = alternates
      .filter((a) => a.confidence >= 0.01)
      .slice(0, 3)
      .map((a) => `${a.plate} ${(a.confidence * 100).toFixed(0)} %`)
    const corners = quad.map(([x, y]) => `${x.toFixed(0)},${y.toFixed(0)}`).join(' ')
    printLine(
      `  ${plate.padEnd(10)} ${(confidence * 100).toFixed(1).padStart(5)} %  ` +
        `${(region ?? '').padEnd(6)} at ${corners}` +
        `${others.length ? `  or ${others.join(', ')}` : ''}`,
    )
  }
}

function fileError(file: string, error: unknown): { code: string; message: string } {
  if (error instanceof WasmError) return { code: error.code, message: error.message.replaceAll('frame', 'picture') }
  if (error instanceof AlprError) return error
  const { code } = error as NodeJS.ErrnoException
  const reasons: Record<string, string> = {
    ENOENT: 'the file does not exist',
    EISDIR: 'it is a folder',
    EACCES: 'permission denied',
  }
  const unreadable = new AlprError('ALPR_ERR_IMAGE_UNREADABLE', {
    file,
    reason: reasons[code ?? ''] ?? reasonOf(error),
  })
  return { code: codeOf(unreadable), message: unreadable.message }
}

function rounded(value: number, digits: number): number {
  const scale = 10 ** digits
  return Math.round(value * scale) / scale
}
