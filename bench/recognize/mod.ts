import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import turbo from '@julusian/jpeg-turbo'
import { warmUp } from '../../engine/internal_mod.js'
import { decodeJpeg } from '../../engine/mod.js'
import { loadWasmFile, Recognizer } from '../../wasm/internal_mod.js'
import { defineBenchmark, number, optionalText, text } from '../benchmark.js'
import { measuringPhotos, photoFolder } from '../photos.js'
import { lower, type Measured } from '../report/result.js'
import { quantile } from '../report/statistics.js'
import { TablePrinter } from '../report/table.js'
import { framesOfFeed } from '../system/feed_frames.js'
import { PyramidAlone } from './pyramid_alone.js'

const FEED = 'bench/feeds/sample.mcap'
/** One frame in so many is measured: consecutive pictures are alike. */
const EVERY = 6
const kMultipleGoal = 4

const STAGES = ['decode', 'pyramid', 'coarse', 'fine', 'read', 'recognize', 'all-in', 'luma alone'] as const
type Times = Record<(typeof STAGES)[number], number>

export const benchmark = defineBenchmark({
  question: `What does one frame cost on one core, where does the time go, and how many times as long as libjpeg-turbo
    needs for the luma alone does it take in all?`,
  method: `Frames of the sample feed and, where there is a photo collection, its 1280x720 scenes for measuring and all
    its scenes (or --picture FILE). Each is decoded and recognized in turn, --rounds times after a warm-up, each time
    with a decode alone and a pyramid alone beside it (the latter is part of findBoxes, and is subtracted from the
    coarse stage). The fastest of each picture's rounds counts, stage by stage, since other work on the machine only
    adds; then median and 95th percentile over the pictures. The CPU time of the process, with V8's own threads, is
    printed too.`,
  options: {
    picture: optionalText('FILE', 'measure this JPEG only'),
    rounds: number(10, 'rounds per picture', 1),
    model: optionalText('FILE', 'model file (default: the one of this build)'),
    cascade: text('JSON', '{}', 'cascade settings that replace those of the model'),
  },
  goals: [`all stages, as a multiple of decoding the luma: at most ${kMultipleGoal}`],
  async run({ picture, rounds, model: modelFile, cascade }) {
    const model = modelFile ? new Uint8Array(readFileSync(modelFile)) : await loadWasmFile('platestream.psm')
    const recognizer = await Recognizer.create(await loadWasmFile('recognizer.wasm'), model, {
      cascade: JSON.parse(cascade),
    })
    const pyramid = await PyramidAlone.load()
    warmUp(recognizer)
    const groups = picture
      ? [{ name: picture, pictures: [new Uint8Array(readFileSync(picture))] }]
      : await pictureGroups()
    console.log(`model ${recognizer.modelId}, fastest of ${rounds} rounds, ms median / p95 over the pictures`)
    const table = new TablePrinter([
      { title: 'pictures', width: 27, align: 'left' },
      ...[...STAGES, 'multiple'].map((title) => ({ title, width: 14 })),
    ]).header()
    const rows: GroupRow[] = []
    for (const { name, pictures } of groups) {
      const row = rowOf(
        name,
        pictures.map((one) => fastestOf(one, recognizer, pyramid, rounds)),
      )
      rows.push(row)
      table.row(`${name} (${row.pictures})`, ...row.stages.map(cellOf), `${cellOf(row.multiple)}x`)
    }
    const { user, system } = process.cpuUsage()
    console.log(`CPU of the whole run ${((user + system) / 1e6).toFixed(1)} s`)
    return measuredOf(recognizer, rows)
  },
})

/** Pictures that are measured and reported together. */
interface Group {
  name: string
  pictures: Uint8Array[]
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

/** The fastest of `rounds` for each stage of one picture, ms. */
function fastestOf(picture: Uint8Array, recognizer: Recognizer, pyramid: PyramidAlone, rounds: number): Times {
  const best = Object.fromEntries(STAGES.map((stage) => [stage, Infinity])) as Times
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
    const pyramidMs = pyramid.build(width, height)
    const { find, fine, read } = recognizer.timings
    const times: Times = {
      decode: t2 - t1,
      pyramid: pyramidMs,
      coarse: find - fine - pyramidMs,
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

interface Spread {
  median: number
  p95: number
}

interface GroupRow {
  name: string
  pictures: number
  /** ms. */
  stages: ({ stage: string } & Spread)[]
  /** Of decoding the luma. */
  multiple: Spread
}

const rowOf = (name: string, times: readonly Times[]): GroupRow => ({
  name,
  pictures: times.length,
  stages: STAGES.map((stage) => ({ stage, ...spreadOf(times.map((row) => row[stage])) })),
  multiple: spreadOf(times.map((row) => row['all-in'] / row['luma alone'])),
})

const spreadOf = (values: readonly number[]): Spread => ({
  median: quantile(values, 0.5),
  p95: quantile(values, 0.95),
})

const cellOf = ({ median, p95 }: Spread): string => `${median.toFixed(2)} / ${p95.toFixed(2)}`

const measuredOf = ({ modelId, moduleId }: Recognizer, rows: readonly GroupRow[]): Measured => ({
  workload: {
    model: modelId,
    module: moduleId,
    ...Object.fromEntries(rows.map(({ name, pictures }) => [name, `${pictures} pictures`])),
  },
  figures: rows.flatMap(({ name, stages, multiple }) => [
    ...stages.flatMap(({ stage, median, p95 }) => [
      lower(`${name}: ${stage}, median`, median, 'ms'),
      lower(`${name}: ${stage}, p95`, p95, 'ms'),
    ]),
    lower(`${name}: all-in beside the luma decode`, multiple.median, 'times', kMultipleGoal),
  ]),
  panels: rows.map(({ name, stages }) => ({
    kind: 'bars',
    title: `${name}: one frame, one thread, median`,
    unit: 'ms',
    bars: stages.map(({ stage, median }) => ({ label: stage, value: median })),
  })),
})
