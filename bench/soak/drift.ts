import { mean } from '../report/statistics.js'
import type { Usage } from '../system/usage.js'

/** The state of a long run at one moment. */
export interface Sample {
  /** From the start of the run. */
  seconds: number
  /** Frames in the ledger. */
  stored: number
  /** By part of the product. */
  parts: Record<string, Usage>
}

/**
 * The level of a quantity of a part after the warm-up and at the end: means of a tenth of the samples each. The first
 * tenth is warm-up (pools fill, V8 tiers up) and is left out, and so are samples from before the part ran.
 */
export function driftOf(
  samples: readonly Sample[],
  part: string,
  of: 'memory' | 'files',
): { first: number; last: number } {
  const values = samples.flatMap(({ parts }) => (parts[part] ? [parts[part][of]] : []))
  const tenth = Math.max(1, Math.floor(values.length / 10))
  const settled = values.length > 2 ? values.slice(tenth) : values
  return { first: mean(settled.slice(0, tenth)), last: mean(settled.slice(-tenth)) }
}
