/** A read with a stated confidence, and whether it was right. */
export interface Stated {
  confidence: number
  right: boolean
}

export interface Bin {
  from: number
  to: number
  reads: number
  confidence: number
  right: number
}

/**
 * Reads by stated confidence in `count` bins of equal width; empty bins are left out. `confidence` and `right` are
 * means, 0..1.
 */
export function binsOf(stated: readonly Stated[], count = 10): Bin[] {
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length
  return Array.from({ length: count }, (_, i) => {
    const inside = stated.filter((s) => Math.min(count - 1, Math.floor(s.confidence * count)) === i)
    return {
      from: i / count,
      to: (i + 1) / count,
      reads: inside.length,
      confidence: mean(inside.map((s) => s.confidence)),
      right: mean(inside.map((s) => Number(s.right))),
    }
  }).filter((bin) => bin.reads > 0)
}

/**
 * Expected calibration error: mean distance of stated confidence and truth over the bins, weighed by their reads
 * (Naeini et al., 2015).
 */
export function calibrationError(stated: readonly Stated[]): number {
  return binsOf(stated).reduce(
    (sum, bin) => sum + (bin.reads / stated.length) * Math.abs(bin.confidence - bin.right),
    0,
  )
}
