import type { ConfusionData } from '../../../wasm/mod.js'
import type { ReadWeights } from '../../../wasm/internal_mod.js'
import { CHARACTERS } from '../reads.js'
import { twinConfusion } from './plate_pattern.js'

/**
 * The oracle of hot lists: every entry, every alignment with any number of gaps, no shortcut. Returns probabilities by
 * entry index (before calibration), 0 without an alignment. `weights`: those of plate syntax.
 */
export function matchTwin(
  data: ConfusionData,
  positions: readonly Float32Array[],
  entries: readonly string[],
  weights: ReadWeights,
): number[] {
  const confusion = twinConfusion(data)
  const n = positions.length
  const emit = positions.map((p, i) => {
    const row = [...CHARACTERS].map((truth) => {
      let sum = 0
      ;[...CHARACTERS].forEach((read, r) => {
        if (p[r]! !== 0) sum += p[r]! * confusion(read, truth)
      })
      return sum
    })
    return weighed(row, p, weights.kinds[i]!)
  })
  const skip = positions.map((p, i) => p[36]! + data.extra * weights.extras[i]! * (1 - p[36]!))
  return entries.map((entry) => {
    if (!/^[0-9A-Z]{1,12}$/.test(entry) || n === 0 || n > 16) return 0
    const classes = [...entry].map((c) => CHARACTERS.indexOf(c))
    // best[j]: product of the best alignment of the positions so far with the first j characters
    let best = missed(
      new Array<number>(entry.length + 1).fill(0).map((_, j) => (j === 0 ? 1 : 0)),
      classes,
      weights.missing,
      0,
    )
    for (let i = 0; i < n; i++) {
      const next = best.map((p, j) => Math.max(p * skip[i]!, j > 0 ? best[j - 1]! * emit[i]![classes[j - 1]!]! : 0))
      best = missed(next, classes, weights.missing, i + 1)
    }
    return best[entry.length]!
  })
}

function missed(best: number[], classes: number[], missing: Float64Array, at: number): number[] {
  for (let j = 1; j < best.length; j++)
    best[j] = Math.max(best[j]!, best[j - 1]! * missing[at * 2 + (classes[j - 1]! < 10 ? 0 : 1)]!)
  return best
}

/** Weighs the other kind of character than the top one, capped at the top one; keeps the sum. */
function weighed(row: number[], p: Float32Array, weight: number): number[] {
  if (weight === 1) return row
  let top = 0
  for (let c = 1; c < 36; c++) if (p[c]! > p[top]!) top = c
  const out = row.map((v, c) => (c < 10 === top < 10 || v > row[top]! ? v : Math.min(v * weight, row[top]!)))
  const sum = (values: number[]) => values.reduce((a, b) => a + b, 0)
  const scale = sum(row) / sum(out)
  return out.map((v) => v * scale)
}
