import type { Usage } from '../system/usage.js'

/** What a long run looks like at one moment. */
export interface Sample {
  /** From its beginning. */
  seconds: number
  /** Frames in the ledger. */
  stored: number
  /** By part of the product. */
  parts: Record<string, Usage>
}

/**
 * Where a quantity of a part stood when it had settled, and where it ended: means of a tenth of the samples each. The
 * first tenth is warm-up (pools fill, V8 tiers up) and counts for nothing. Samples before the part was seen are left
 * out.
 */
export function driftOf(
  samples: readonly Sample[],
  part: string,
  of: 'memory' | 'files',
): { first: number; last: number } {
  const values = samples.flatMap(({ parts }) => (parts[part] ? [parts[part][of]] : []))
  const tenth = Math.max(1, Math.floor(values.length / 10))
  const settled = values.length > 2 ? values.slice(tenth) : values
  const mean = (some: readonly number[]) => some.reduce((sum, value) => sum + value, 0) / Math.max(1, some.length)
  return { first: mean(settled.slice(0, tenth)), last: mean(settled.slice(-tenth)) }
}
