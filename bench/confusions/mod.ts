import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { AlprError } from '../../engine/runtime/mod.js'
import { textsOf } from '../../wasm/internal_mod.js'
import { CHARACTERS, ConfusionModel, NONE, type ConfusionData } from '../../wasm/mod.js'
import { photoFolder } from '../photos.js'
import { collectPairs, type Pair } from './pairs.js'

export const summary = 'fits the confusion model to what the recognizer makes of plates it was not trained on'

/** Texts below this probability say nothing of what a threshold lets through. */
const LEAST = 0.001
const KNOTS = 12
const FOLDS = 5
/** What a rendered plate counts beside a real one: there are many of them, and they are of the training's kind. */
const RENDERED_WEIGHT = 0.1

/**
 * Learns how the reader errs. Method: the recognizer looks at labelled plates of photos that it was not trained on and
 * at rendered ones (confusion_pairs.ts). Truth and read are aligned; where a character stands against a position, each
 * character that the position gives counts with its probability. Gaps give the rates of missing and extra characters.
 * Calibration: each fifth of the pairs is held against a model of the counts of the other four; every text that its
 * reads may be was right or not, and the rising line (pool adjacent violators) through that is the calibration. A
 * rendered plate counts a tenth. Writes the whole file that the matcher loads, with where each part is from.
 */
export async function run(args: string[]): Promise<object> {
  const { values } = parseArgs({
    args,
    options: {
      photos: { type: 'boolean', default: true },
      rendered: { type: 'string' },
      model: { type: 'string' },
      base: { type: 'string', default: 'wasm/models/confusions.json' },
      out: { type: 'string' },
      pairs: { type: 'string' },
    },
    allowNegative: true,
  })
  if (!values.out) throw new AlprError('ALPR_ERR_USAGE', { reason: 'needs --out FILE' })
  const base = JSON.parse(readFileSync(values.base!, 'utf8')) as ConfusionData
  const {
    pairs,
    counts: shown,
    model: reader,
  } = await collectPairs({
    ...(values.photos && { photos: photoFolder() }),
    rendered: values.rendered,
    model: values.model,
  })
  if (values.pairs)
    writeFileSync(
      values.pairs,
      pairs
        .map(
          ({ truth, positions, kind }) =>
            `${JSON.stringify({ truth, kind, positions: positions.map((p) => [...p].map((v) => Number(v.toPrecision(6)))) })}\n`,
        )
        .join(''),
    )
  if (pairs.length < 20) throw new AlprError('ALPR_ERR_USAGE', { reason: `${pairs.length} pairs are too few` })
  const real = pairs.filter(({ kind }) => kind === 'real').length
  for (const [kind, { plates, unread, strange }] of Object.entries(shown))
    console.log(
      `${kind}: ${plates} plates, ${unread} not read, ${strange} read as something else, ${plates - unread - strange} pairs`,
    )

  const points: Point[] = []
  for (let fold = 0; fold < FOLDS; fold++) {
    const model = ConfusionModel.of(
      learned(
        base,
        pairs.filter((_, i) => i % FOLDS !== fold),
      ),
    )
    for (const [i, pair] of pairs.entries()) if (i % FOLDS === fold) points.push(...pointsOf(pair, model))
  }
  const data: ConfusionData = {
    ...learned(base, pairs),
    calibration: risingLine(points),
    origin: [
      ...base.origin.filter(({ part }) => !part.startsWith('counts') && part !== FIRST_RATES),
      {
        part: 'counts, missing, extra, calibration',
        source: `reader ${reader} on ${real} plates of photos that it was not trained on and ${pairs.length - real} rendered ones, which count ${RENDERED_WEIGHT} each; calibration across ${FOLDS} folds; fitted by \`npm run bench -- confusions\``,
      },
    ],
  }
  const fitted = ConfusionModel.of(data)
  writeFileSync(values.out, `${JSON.stringify(data, null, 2)}\n`)
  const ofKind = (kind: Pair['kind'] | 'all') => {
    const of = points.filter((point) => kind === 'all' || point.kind === kind)
    const error = (p: (point: Point) => number) =>
      of.reduce((sum, point) => sum + point.weight * (p(point) - point.right) ** 2, 0) /
      of.reduce((sum, { weight }) => sum + weight, 0)
    return `${kind}: ${of.length} texts, mean squared error ${error(({ p }) => p).toFixed(5)} before the calibration, ${error(({ p }) => fitted.calibrate(p)).toFixed(5)} after`
  }
  console.log(`missing ${data.missing.toFixed(4)}, extra ${data.extra.toFixed(4)}`)
  for (const kind of ['real', 'rendered', 'all'] as const) if (kind !== 'real' || real > 0) console.log(ofKind(kind))
  return {
    benchmark: 'confusions',
    reader,
    real,
    rendered: pairs.length - real,
    missing: data.missing,
    extra: data.extra,
    calibration: data.calibration,
  }
}

/** Set by hand before anything was learned. */
const FIRST_RATES = 'lookAlike, other, missing, extra'

interface Point {
  p: number
  right: number
  weight: number
  kind: Pair['kind']
}

const weightOf = ({ kind }: Pair): number => (kind === 'real' ? 1 : RENDERED_WEIGHT)

/** Every text that a read may be, and whether it was the truth. */
function pointsOf(pair: Pair, model: ConfusionModel): Point[] {
  return [...textsOf(pair.positions, LEAST, model)].map(([text, p]) => ({
    p: Math.min(1, p),
    right: Number(text === pair.truth),
    weight: weightOf(pair),
    kind: pair.kind,
  }))
}

/** The data with the counts and rates of these pairs, not calibrated. */
function learned(base: ConfusionData, pairs: readonly Pair[]): ConfusionData {
  const counts: Record<string, Record<string, number>> = {}
  let missing = 0
  let extra = 0
  let places = 0
  for (const pair of pairs) {
    const weight = weightOf(pair)
    const { truth, positions } = pair
    for (const [i, j] of align(positions, truth)) {
      places += weight
      if (i === undefined) missing += weight
      else if (j === undefined) extra += weight * (1 - positions[i]![NONE]!)
      else {
        for (let c = 0; c < NONE; c++) {
          const share = positions[i]![c]! * weight
          if (share < 0.001) continue
          const row = (counts[CHARACTERS[c]!] ??= {})
          row[truth[j]!] = (row[truth[j]!] ?? 0) + share
        }
      }
    }
  }
  // The rates of the base count as a hundred places: few pictures say little of what is rare.
  const rate = (found: number, before: number) =>
    Math.min(0.25, Math.max(1e-4, (found + 100 * before) / (places + 100)))
  return {
    ...base,
    counts: rounded(counts),
    missing: rate(missing, base.missing),
    extra: rate(extra, base.extra),
    calibration: [
      [0, 0],
      [1, 1],
    ],
  }
}

/** Pairs of position and character under the best agreement; a gap is undefined. */
function align(positions: readonly Float32Array[], truth: string): [number | undefined, number | undefined][] {
  const width = truth.length + 1
  const score = new Float64Array((positions.length + 1) * width)
  const pair = (i: number, j: number) => positions[i]![CHARACTERS.indexOf(truth[j]!)]! - 0.25
  for (let i = 0; i <= positions.length; i++) {
    for (let j = 0; j <= truth.length; j++) {
      if (i === 0 && j === 0) continue
      score[i * width + j] = Math.max(
        i > 0 && j > 0 ? score[(i - 1) * width + j - 1]! + pair(i - 1, j - 1) : -Infinity,
        i > 0 ? score[(i - 1) * width + j]! + positions[i - 1]![NONE]! - 0.3 : -Infinity,
        j > 0 ? score[i * width + j - 1]! - 0.3 : -Infinity,
      )
    }
  }
  const steps: [number | undefined, number | undefined][] = []
  for (let i = positions.length, j = truth.length; i > 0 || j > 0; ) {
    const here = score[i * width + j]!
    if (i > 0 && j > 0 && here === score[(i - 1) * width + j - 1]! + pair(i - 1, j - 1)) steps.push([--i, --j])
    else if (i > 0 && here === score[(i - 1) * width + j]! + positions[i - 1]![NONE]! - 0.3)
      steps.push([--i, undefined])
    else steps.push([undefined, --j])
  }
  return steps.reverse()
}

/** Pool adjacent violators, then at most a dozen knots, both coordinates rising, from [0, 0] to [1, 1]. */
export function risingLine(points: { p: number; right: number; weight?: number }[]): [number, number][] {
  const pools: { p: number; right: number; n: number }[] = []
  for (const { p, right, weight = 1 } of [...points].sort((a, b) => a.p - b.p)) {
    pools.push({ p: p * weight, right: right * weight, n: weight })
    while (pools.length > 1 && pools.at(-2)!.right / pools.at(-2)!.n >= pools.at(-1)!.right / pools.at(-1)!.n) {
      const last = pools.pop()!
      const into = pools.at(-1)!
      into.p += last.p
      into.right += last.right
      into.n += last.n
    }
  }
  const knots: [number, number][] = [[0, 0]]
  const step = Math.max(1, Math.ceil(pools.length / KNOTS))
  for (let i = 0; i < pools.length; i += step) {
    const part = pools.slice(i, i + step)
    const n = part.reduce((sum, pool) => sum + pool.n, 0)
    const x = Number((part.reduce((sum, pool) => sum + pool.p, 0) / n).toFixed(6))
    // one right and one wrong more: a few points say neither 0 nor 1
    const y = Number(((part.reduce((sum, pool) => sum + pool.right, 0) + 0.5) / (n + 1)).toFixed(6))
    const [lastX, lastY] = knots.at(-1)!
    if (x > lastX + 1e-4 && y > lastY + 1e-6 && x < 0.9999 && y < 0.9999) knots.push([x, y])
  }
  knots.push([1, 1])
  return knots
}

function rounded(counts: Record<string, Record<string, number>>): Record<string, Record<string, number>> {
  const sorted = (row: Record<string, number>) =>
    Object.fromEntries(
      Object.entries(row)
        .filter(([, n]) => n >= 0.01)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([truth, n]) => [truth, Number(n.toFixed(2))]),
    )
  return Object.fromEntries(
    Object.entries(counts)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([read, row]) => [read, sorted(row)]),
  )
}
