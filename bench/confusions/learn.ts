import { CHARACTERS, NONE, type ConfusionData } from '../../wasm/mod.js'
import { align } from './align.js'
import type { Pair } from './pairs.js'

/** The weight of a rendered plate against a real one: there are many of them, and they resemble the training data. */
export const RENDERED_WEIGHT = 0.1

export const weightOf = ({ kind }: Pick<Pair, 'kind'>): number => (kind === 'real' ? 1 : RENDERED_WEIGHT)

/** `base` with the counts and rates of these pairs, uncalibrated. */
export function learned(base: ConfusionData, pairs: readonly Pair[]): ConfusionData {
  const counts: Record<string, Record<string, number>> = {}
  let missing = 0
  let extra = 0
  let characters = 0
  for (const pair of pairs) {
    const weight = weightOf(pair)
    const { truth, positions } = pair
    for (const [i, j] of align(positions, truth)) {
      characters += weight
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
  // The rates of the base count as a hundred characters: few pictures say little about rare errors.
  const rate = (found: number, before: number) =>
    Math.min(0.25, Math.max(1e-4, (found + 100 * before) / (characters + 100)))
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

/** Sorted, with two decimals, and without counts below 0.01. */
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
