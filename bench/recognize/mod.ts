import turbo from '@julusian/jpeg-turbo'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { decodeJpeg, warmUp } from '../../engine/mod.js'
import { loadRecognizer, type RecognizerExports } from '../../wasm/internal_mod.js'
import { loadWasmFile } from '../../wasm/load_node.js'
import { Recognizer } from '../../wasm/mod.js'
import { framesOfFeed } from '../system/feed_frames.js'
import { measuringPhotos, photoFolder } from '../photos.js'

export const summary =
  'milliseconds for one frame: decode, pyramid, coarse, fine, read, and the multiple of decoding; one thread'

const FEED = 'bench/feeds/sample.mcap'
/** Every so many frames of the feed: pictures in a row are alike. */
const EVERY = 6

const STAGES = ['decode', 'pyramid', 'coarse', 'fine', 'read', 'recognize', 'all-in', 'luma alone'] as const
type Times = Record<(typeof STAGES)[number], number>

/** Pictures that are measured and reported together. */
interface Group {
  name: string
  pictures: Uint8Array[]
}

/**
 * Question: what does one frame cost on one core, where does the time go, and how many times as long as libjpeg-turbo
 * needs for the luma alone does it all take?
 *
 * Method: frames of the sample feed, and, where there is a photo collection, its 1280x720 scenes for measuring and all
 * its scenes (or `--picture FILE`). Each is decoded and recognised in turn, `--rounds` times over after a warm-up, each
 * time with a decode alone and a pyramid alone beside it (the latter is part of what `findBoxes` does, and is taken off
 * the coarse look). Of each picture's rounds the fastest counts, stage by stage, since other work on the machine only
 * ever adds; then median and 95th percentile over the pictures. CPU time of the process, V8's own threads included, is
 * printed too.
 */
export async function run(args: string[]): Promise<object> {
  const { values } = parseArgs({
    args,
    options: {
      picture: { type: 'string' },
      rounds: { type: 'string', default: '10' },
      model: { type: 'string' },
      cascade: { type: 'string', default: '{}' },
    },
  })
  const model = values.model ? new Uint8Array(readFileSync(values.model)) : await loadWasmFile('platestream.psm')
  const recognizer = await Recognizer.create(await loadWasmFile('recognizer.wasm'), model, {
    cascade: JSON.parse(values.cascade!),
  })
  const pyramid = await PyramidAlone.load()
  warmUp(recognizer)
  const groups = values.picture
    ? [{ name: values.picture, pictures: [new Uint8Array(readFileSync(values.picture))] }]
    : await pictureGroups()
  const rounds = Number(values.rounds)
  console.log(`model ${recognizer.modelId}, fastest of ${rounds} rounds, ms median / p95 over the pictures`)
  console.log('pictures'.padEnd(28) + STAGES.map((s) => s.padStart(14)).join('') + '      multiple'.padStart(16))
  const report = []
  for (const group of groups) {
    const rows = group.pictures.map((picture) => measure(picture, recognizer, pyramid, rounds))
    report.push(print(group.name, rows))
  }
  const used = process.cpuUsage()
  console.log(`cpu of the whole run ${((used.user + used.system) / 1e6).toFixed(1)} s`)
  return { benchmark: 'recognize', model: recognizer.modelId, module: recognizer.moduleId, groups: report }
}

/** The fastest of `rounds` for each stage of one picture. */
function measure(picture: Uint8Array, recognizer: Recognizer, pyramid: PyramidAlone, rounds: number): Times {
  const best = Object.fromEntries(STAGES.map((s) => [s, Infinity])) as Times
  const source = Buffer.from(picture.buffer, picture.byteOffset, picture.byteLength)
  const { width, height } = decodeJpeg(picture, recognizer)
  const luma = Buffer.alloc(width * height)
  for (let round = 0; round < rounds; round++) {
    const t0 = performance.now()
    turbo.decompressSync(source, luma, { format: turbo.FORMAT_GRAY })
    const t1 = performance.now()
    decodeJpeg(picture, recognizer)
    const t2 = performance.now()
    recognizer.recognize(width, height)
    const t3 = performance.now()
    const halving = pyramid.build(width, height)
    const { find, fine, read } = recognizer.timings
    const times: Times = {
      decode: t2 - t1,
      pyramid: halving,
      coarse: find - fine - halving,
      fine,
      read,
      recognize: t3 - t2,
      'all-in': t3 - t1,
      'luma alone': t1 - t0,
    }
    for (const stage of STAGES) best[stage] = Math.min(best[stage], times[stage])
  }
  return best
}

function print(name: string, rows: Times[]): object {
  const stages = STAGES.map((stage) => ({ stage, ...spread(rows.map((row) => row[stage])) }))
  const multiple = spread(rows.map((row) => row['all-in'] / row['luma alone']))
  const cell = ({ median, p95 }: { median: number; p95: number }) => `${median.toFixed(2)} / ${p95.toFixed(2)}`
  console.log(
    `${name} (${rows.length})`.padEnd(28) +
      stages.map((s) => cell(s).padStart(14)).join('') +
      `${cell(multiple)}x`.padStart(16),
  )
  return { name, pictures: rows.length, stages, multiple }
}

function spread(times: number[]): { median: number; p95: number } {
  const sorted = [...times].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN
  return { median: at(0.5), p95: at(0.95) }
}

async function pictureGroups(): Promise<Group[]> {
  const groups: Group[] = []
  if (existsSync(FEED)) {
    const { frames } = await framesOfFeed(FEED)
    groups.push({ name: 'sample feed', pictures: frames.filter((_, i) => i % EVERY === 0).map((f) => f.jpeg) })
  }
  if (!process.env.PLATESTREAM_DATA && groups.length > 0) return groups
  const folder = photoFolder()
  const photos = measuringPhotos(folder).filter((p) => p.kind === 'scene' && p.file.endsWith('.jpg'))
  const load = (list: typeof photos) => list.map((p) => new Uint8Array(readFileSync(join(folder, p.file))))
  groups.push({
    name: 'photos of 1280x720',
    pictures: load(photos.filter((p) => p.width === 1280 && p.height === 720)),
  })
  groups.push({ name: 'photos, all sizes', pictures: load(photos) })
  return groups
}

/** The pyramid in a module of its own, timed apart: inside `recognize` it is part of one call. */
class PyramidAlone {
  private size = ''

  private constructor(
    private readonly wasm: RecognizerExports & {
      probePyramid(base: number, width: number, height: number): number
      probeBuildPyramid(): void
    },
  ) {}

  static async load(): Promise<PyramidAlone> {
    return new PyramidAlone((await loadRecognizer(await loadWasmFile('recognizer.wasm'))) as never)
  }

  /** Milliseconds for all levels of a frame of this size; what its pixels are does not matter. */
  build(width: number, height: number): number {
    const size = `${width}x${height}`
    // beyond the module's own memory, which nothing else uses here
    if (size !== this.size) this.wasm.probePyramid(1 << 24, width, height)
    this.size = size
    const start = performance.now()
    this.wasm.probeBuildPyramid()
    return performance.now() - start
  }
}
