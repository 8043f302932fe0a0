import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { AlprError } from '../../engine/runtime/mod.js'
import { median, number, type Figure, type Result } from '../report/result.js'

export interface Verdict {
  name: string
  unit: string
  before: number
  after: number
  /** after / before */
  ratio: number
  /** 95 % interval of that ratio; none when either side was measured once. */
  noise?: [low: number, high: number]
  verdict: 'better' | 'worse' | 'no difference shown' | 'measured once'
}

/** Times that medians are drawn anew to see how much they move. */
const RESAMPLES = 2_000

/**
 * Whether a change made it better or worse. A side is a result or several of the same benchmark: their samples are put
 * together. A difference counts when the 95 % interval of the ratio of the medians (bootstrap, fixed seed) leaves 1
 * out; with one measurement a side the ratio is told and nothing claimed.
 */
export function compareResults(before: readonly Result[], after: readonly Result[]): Verdict[] {
  const [a, b] = [pooled(before), pooled(after)]
  return [...a.keys()].filter((name) => b.has(name)).map((name) => judge(name, a.get(name)!, b.get(name)!))
}

interface Pooled {
  figure: Figure
  samples: number[]
}

function pooled(results: readonly Result[]): Map<string, Pooled> {
  const all = new Map<string, Pooled>()
  for (const { figures } of results) {
    for (const figure of figures) {
      const entry = all.get(figure.name) ?? { figure, samples: [] }
      entry.samples.push(...(figure.samples ?? [figure.value]))
      all.set(figure.name, entry)
    }
  }
  return all
}

function judge(name: string, before: Pooled, after: Pooled): Verdict {
  const { unit, better } = after.figure
  const [from, to] = [median(before.samples), median(after.samples)]
  const row = { name, unit, before: from, after: to, ratio: to / from }
  if (before.samples.length < 2 || after.samples.length < 2) return { ...row, verdict: 'measured once' }
  const random = generator()
  const drawn = (samples: readonly number[]) =>
    median(samples.map(() => samples[Math.floor(random() * samples.length)]!))
  const ratios = Array.from({ length: RESAMPLES }, () => drawn(after.samples) / drawn(before.samples)).sort(
    (x, y) => x - y,
  )
  const noise: [number, number] = [ratios[Math.floor(RESAMPLES * 0.025)]!, ratios[Math.floor(RESAMPLES * 0.975)]!]
  const larger = noise[0] > 1 ? true : noise[1] < 1 ? false : undefined
  return {
    ...row,
    noise,
    verdict: larger === undefined ? 'no difference shown' : larger === (better === 'higher') ? 'better' : 'worse',
  }
}

function generator(): () => number {
  let state = 0x9e3779b9
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 4_294_967_296
  }
}

/** The results in a file, or in all JSON files of a folder. @throws ALPR_ERR_USAGE */
export function readResults(path: string): Result[] {
  try {
    const files = statSync(path).isDirectory()
      ? readdirSync(path)
          .filter((name) => name.endsWith('.json'))
          .map((name) => join(path, name))
      : [path]
    if (files.length === 0) throw new Error('there is no result in this folder')
    return files.map((file) => {
      const result = JSON.parse(readFileSync(file, 'utf8')) as Result
      if (!Array.isArray(result.figures)) throw new Error('is no result of a benchmark')
      return result
    })
  } catch (error) {
    throw new AlprError('ALPR_ERR_USAGE', { reason: `${path}: ${(error as Error).message}` }, { cause: error })
  }
}

/** `bench compare A B`: A and B are results, or folders of several of one benchmark. @throws ALPR_ERR_USAGE */
export function compareCommand([a, b, ...more]: readonly string[]): void {
  if (!a || !b || more.length > 0)
    throw new AlprError('ALPR_ERR_USAGE', { reason: 'compare takes two results, or folders of results' })
  const [before, after] = [readResults(a), readResults(b)]
  const names = new Set([...before, ...after].map(({ benchmark }) => benchmark))
  if (names.size > 1)
    throw new AlprError('ALPR_ERR_USAGE', {
      reason: `these are results of different benchmarks: ${[...names].join(', ')}`,
    })
  const notes = [
    before[0]!.machine.cpu !== after[0]!.machine.cpu && 'different machines',
    JSON.stringify(before[0]!.workload) !== JSON.stringify(after[0]!.workload) && 'different workloads',
    [...before, ...after].some(({ load, machine }) => Math.max(load.start, load.end) > machine.cores * 1.5) &&
      'the machine was shared while measuring',
  ].filter(Boolean)
  console.log(
    `${[...names][0]}: ${before[0]!.versions.platestream} -> ${after[0]!.versions.platestream}${notes.length > 0 ? `; CAUTION: ${notes.join(', ')}` : ''}`,
  )
  for (const { name, unit, before: from, after: to, ratio, noise, verdict } of compareResults(before, after)) {
    console.log(
      `${name.padEnd(44)} ${number(from).padStart(10)} -> ${number(to).padStart(10)} ${unit.padEnd(9)} x${ratio.toFixed(3)} ${(noise ? `[${noise[0].toFixed(3)}, ${noise[1].toFixed(3)}]` : '').padEnd(16)} ${verdict}`,
    )
  }
}
