import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { AlprError } from '../../engine/runtime/mod.js'
import { xorshift } from '../random/xorshift.js'
import type { Figure, Result } from '../report/result.js'
import { median, sorted } from '../report/statistics.js'

/** How a figure changed from one side to the other. */
export interface Verdict {
  name: string
  unit: string
  before: number
  after: number
  /** after / before */
  ratio: number
  /** 95 % interval of the ratio; absent when either side was measured once. */
  noise?: [low: number, high: number]
  verdict: 'better' | 'worse' | 'no difference shown' | 'measured once'
}

/** Bootstrap samples of each median. */
const RESAMPLES = 2_000

/**
 * Whether each figure became better or worse. The samples of a side's results are pooled. A difference counts when the
 * 95 % interval of the ratio of the medians (bootstrap, fixed seed) excludes 1; a figure that was measured once gets a
 * ratio and no claim.
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
  const random = xorshift(0x9e3779b9)
  const resampled = (samples: readonly number[]) =>
    median(samples.map(() => samples[Math.floor(random() * samples.length)]!))
  const ratios = sorted(Array.from({ length: RESAMPLES }, () => resampled(after.samples) / resampled(before.samples)))
  const noise: [number, number] = [ratios[Math.floor(RESAMPLES * 0.025)]!, ratios[Math.floor(RESAMPLES * 0.975)]!]
  const larger = noise[0] > 1 ? true : noise[1] < 1 ? false : undefined
  return {
    ...row,
    noise,
    verdict: larger === undefined ? 'no difference shown' : larger === (better === 'higher') ? 'better' : 'worse',
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
    if (files.length === 0) throw new Error('the folder has no result')
    return files.map((file) => {
      const result = JSON.parse(readFileSync(file, 'utf8')) as Result
      if (!Array.isArray(result.figures)) throw new Error('not the result of a benchmark')
      return result
    })
  } catch (error) {
    throw new AlprError('ALPR_ERR_USAGE', { reason: `${path}: ${(error as Error).message}` }, { cause: error })
  }
}
