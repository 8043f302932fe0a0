import { readFileSync, writeFileSync } from 'node:fs'
import { AlprError } from '../../engine/runtime/mod.js'
import { textsOf } from '../../wasm/internal_mod.js'
import { ConfusionModel, type ConfusionData } from '../../wasm/mod.js'
import { defineBenchmark, flag, optionalText, text } from '../benchmark.js'
import { photoFolder } from '../photos.js'
import { learned, RENDERED_WEIGHT, weightOf } from './learn.js'
import { collectPairs, type Pair, type Pairs } from './pairs.js'
import { risingLine } from './rising_line.js'

/** Texts below this probability say nothing about what a threshold lets through. */
const LEAST = 0.001
const FOLDS = 5
const kFewestPairs = 20

export const benchmark = defineBenchmark({
  question: 'How does the reader err, and are the probabilities of the confusion model true?',
  method: `The recognizer runs over labelled plates of photos that it was not trained on and over rendered plates. Truth
    and read are aligned; where a character is aligned with a position, each character of that position counts with its
    probability. Gaps yield the rates of missing and extra characters. Calibration: each fifth of the pairs is compared
    with a model of the other four fifths; every text that its reads may be was right or not, and the rising line (pool
    adjacent violators) through these outcomes is the calibration. A rendered plate has a tenth of the weight of a real
    one. Writes the whole file that the matcher loads, with the origin of each part. bench/confusions/fit_confusions.sh
    renders the plates first.`,
  options: {
    photos: flag(true, 'use the photo collection (PLATESTREAM_DATA)'),
    rendered: optionalText('FOLDER', 'plates rendered by render_plates.py'),
    model: optionalText('FILE', 'model file (default: the one of this build)'),
    base: text('FILE', 'wasm/models/confusions.json', 'the confusion model to start from'),
    out: optionalText('FILE', 'the confusion model to write; required'),
    pairs: optionalText('FILE', 'also write every pair of truth and read, a JSON line each'),
  },
  goals: [],
  async run({ photos, rendered, model, base: baseFile, out, pairs: pairsFile }) {
    if (!out) throw new AlprError('ALPR_ERR_USAGE', { reason: '--out FILE is required' })
    const base = JSON.parse(readFileSync(baseFile, 'utf8')) as ConfusionData
    const collected = await collectPairs({ ...(photos && { photos: photoFolder() }), rendered, model })
    const { pairs } = collected
    if (pairsFile) writeFileSync(pairsFile, pairs.map(lineOf).join(''))
    if (pairs.length < kFewestPairs)
      throw new AlprError('ALPR_ERR_USAGE', { reason: `${pairs.length} pairs are too few: ${kFewestPairs} are needed` })
    printCounts(collected)
    const points = outcomes(base, pairs)
    const data: ConfusionData = {
      ...learned(base, pairs),
      calibration: risingLine(points),
      origin: originOf(base, collected),
    }
    writeFileSync(out, `${JSON.stringify(data, null, 2)}\n`)
    console.log(`missing ${data.missing.toFixed(4)}, extra ${data.extra.toFixed(4)}`)
    printErrors(points, ConfusionModel.of(data))
  },
})

const lineOf = ({ truth, kind, positions }: Pair): string => {
  const rounded = positions.map((position) => [...position].map((p) => Number(p.toPrecision(6))))
  return `${JSON.stringify({ truth, kind, positions: rounded })}\n`
}

function printCounts({ counts }: Pairs): void {
  for (const [kind, { plates, unread, strange }] of Object.entries(counts)) {
    const pairs = plates - unread - strange
    console.log(`${kind}: ${plates} plates, ${unread} not read, ${strange} read as something else, ${pairs} pairs`)
  }
}

/** The part of the first model that was set by hand. */
const FIRST_RATES = 'lookAlike, other, missing, extra'

function originOf(base: ConfusionData, { model, pairs }: Pairs): ConfusionData['origin'] {
  const real = pairs.filter(({ kind }) => kind === 'real').length
  const source = [
    `reader ${model} on ${real} plates of photos that it was not trained on`,
    ` and ${pairs.length - real} rendered ones, which count ${RENDERED_WEIGHT} each;`,
    ` calibration across ${FOLDS} folds; fitted by \`npm run bench -- confusions\``,
  ]
  return [
    ...base.origin.filter(({ part }) => !part.startsWith('counts') && part !== FIRST_RATES),
    { part: 'counts, missing, extra, calibration', source: source.join('') },
  ]
}

/** A text that a read may be: its probability, and whether it was the truth (1) or not (0). */
interface Outcome {
  p: number
  right: number
  weight: number
  kind: Pair['kind']
}

/** The outcomes of every fold, each by a model of the other folds. */
function outcomes(base: ConfusionData, pairs: readonly Pair[]): Outcome[] {
  const folds = Array.from({ length: FOLDS }, (_, fold) => fold)
  return folds.flatMap((fold) => {
    const others = pairs.filter((_, i) => i % FOLDS !== fold)
    const model = ConfusionModel.of(learned(base, others))
    return pairs.filter((_, i) => i % FOLDS === fold).flatMap((pair) => outcomesOf(pair, model))
  })
}

const outcomesOf = (pair: Pair, model: ConfusionModel): Outcome[] =>
  [...textsOf(pair.positions, LEAST, model)].map(([text, p]) => ({
    p: Math.min(1, p),
    right: Number(text === pair.truth),
    weight: weightOf(pair),
    kind: pair.kind,
  }))

function printErrors(points: readonly Outcome[], fitted: ConfusionModel): void {
  for (const kind of ['real', 'rendered', 'all'] as const) {
    const chosen = points.filter((point) => kind === 'all' || point.kind === kind)
    if (kind === 'real' && chosen.length === 0) continue
    const weights = chosen.reduce((sum, { weight }) => sum + weight, 0)
    const error = (of: (p: number) => number) =>
      (chosen.reduce((sum, { p, right, weight }) => sum + weight * (of(p) - right) ** 2, 0) / weights).toFixed(5)
    const calibrated = error((p) => fitted.calibrate(p))
    console.log(`${kind}: ${chosen.length} texts, mean squared error ${error((p) => p)}, calibrated ${calibrated}`)
  }
}
