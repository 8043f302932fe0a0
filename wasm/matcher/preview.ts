import { CHARACTERS, NONE } from '../classes.js'
import { WasmError } from '../errors.js'
import type { ConfusionModel } from './confusion_model.js'
import { plainWeights, type PlateSyntax } from './plate_syntax.js'

export interface PreviewQuestion {
  /** Distributions of recent reads, 37 probabilities a position. A few hundred suffice; only the first 5,000 count. */
  reads: readonly (readonly Float32Array[])[]
  /** Thresholds to evaluate, 0.0001 to 1. */
  thresholds: readonly number[]
  /** Number of list entries, 0 or more. */
  entries: number
  /** Reads a day of the cameras that use the list. */
  readsPerDay: number
  /** Region of issue of most traffic, which determines the distribution of plates. */
  region?: string
}

/** What to expect of a threshold. */
export interface PreviewRow {
  threshold: number
  /** Hits on entries that are not the vehicle's. */
  falseHitsPerDay: number
  /** Share of passing listed vehicles that this threshold finds; worse reads are lost. */
  found: number
  /** Number of reads evaluated; with few, the figures are rough. */
  reads: number
}

const MAX_READS = 5_000
/** Texts of one read that are evaluated; a read with more is a blur. */
const MAX_TEXTS = 50_000

/**
 * The expected number of false hits of a list of this size at each threshold, on traffic like `reads`:
 *
 *     per read   sum over its texts of at least the threshold's probability, of
 *                (1 - that probability) * entries * P(a random entry has this text)
 *
 * Assumes that entries are distributed as the region's formats (plate syntax) and independent of the traffic, which a
 * list of one fleet is not.
 * @throws ALPR_ERR_SEARCH_INVALID
 */
export function previewThresholds(question: PreviewQuestion, model: ConfusionModel, syntax: PlateSyntax): PreviewRow[] {
  const { thresholds, entries, readsPerDay } = question
  const reads = question.reads.slice(0, MAX_READS)
  if (reads.length === 0) throw new WasmError('ALPR_ERR_SEARCH_INVALID', { reason: 'a preview needs reads' })
  if (!(entries >= 0 && readsPerDay >= 0))
    throw new WasmError('ALPR_ERR_SEARCH_INVALID', { reason: 'entries and reads a day must be 0 or more' })
  if (thresholds.length === 0 || !thresholds.every((p) => p >= 0.0001 && p <= 1))
    throw new WasmError('ALPR_ERR_SEARCH_INVALID', { reason: 'thresholds must be 0.0001 to 1' })
  const least = Math.min(...thresholds)
  const rows = thresholds.map((threshold) => ({ threshold, falseHitsPerDay: 0, found: 0, reads: reads.length }))
  for (const read of reads) {
    for (const [text, raw] of textsOf(read, model.uncalibrate(least), model, syntax, question.region)) {
      const p = model.calibrate(raw)
      const expected = entries * syntax.probabilityOfText(question.region, text)
      for (const row of rows) {
        if (p < row.threshold) continue
        row.falseHitsPerDay += ((1 - p) * Math.min(1, expected) * readsPerDay) / reads.length
        row.found += p / reads.length
      }
    }
  }
  return rows.map((row) => ({ ...row, found: Math.min(1, row.found) }))
}

/** Every text of a read with at least this uncalibrated probability: a plain form of what matcher.wasm looks up. */
export function textsOf(
  read: readonly Float32Array[],
  least: number,
  model: ConfusionModel,
  syntax?: PlateSyntax,
  region?: string,
): Map<string, number> {
  const { missing, extra } = model.data
  const weights = syntax?.weigh(read, region, missing, true) ?? plainWeights(read.length, missing)
  const emissions = read.map((p) => {
    const row = new Float64Array(NONE)
    for (let r = 0; r < NONE; r++)
      if (p[r]! > 0) for (let c = 0; c < NONE; c++) row[c]! += p[r]! * model.matrix[r * NONE + c]!
    return row
  })
  const skips = read.map((p, i) => p[NONE]! + extra * weights.extras[i]! * (1 - p[NONE]!))
  const best = new Float64Array(read.length + 1).fill(1)
  for (let i = read.length - 1; i >= 0; i--) best[i] = best[i + 1]! * Math.max(skips[i]!, ...emissions[i]!)
  const texts = new Map<string, number>()
  const walk = (i: number, text: string, p: number): void => {
    if (texts.size >= MAX_TEXTS) return
    if (i === read.length) {
      if (text !== '' && p > (texts.get(text) ?? 0)) texts.set(text, p)
    } else {
      for (let c = 0; c < NONE && text.length < 12; c++)
        if (p * emissions[i]![c]! * best[i + 1]! >= least) walk(i + 1, text + CHARACTERS[c], p * emissions[i]![c]!)
      if (p * skips[i]! * best[i + 1]! >= least) walk(i + 1, text, p * skips[i]!)
    }
    if (text.length >= 12) return
    for (let kind = 0; kind < 2; kind++) {
      const q = p * weights.missing[i * 2 + kind]!
      if (q * best[i]! < least) continue
      for (let c = kind === 0 ? 0 : 10; c < (kind === 0 ? 10 : NONE); c++) walk(i, text + CHARACTERS[c], q)
    }
  }
  walk(0, '', 1)
  return texts
}
