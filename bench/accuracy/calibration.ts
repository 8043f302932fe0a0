/** A read's stated confidence, and whether the read was right. */
export interface Stated {
  confidence: number
  right: boolean
}

/** The reads of one interval of stated confidence. */
export interface Bin {
  from: number
  to: number
  reads: number
  confidence: number
  right: number
}

/**
 * Reads by stated confidence in `count` bins of equal width, without empty bins; `confidence` and `right` are means,
 * 0..1.
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
 * Expected calibration error: the mean distance between stated confidence and share of right reads over the bins,
 * weighted by their reads (Naeini et al., 2015).
 */
export function calibrationError(stated: readonly Stated[]): number {
  return binsOf(stated).reduce(
    (sum, bin) => sum + (bin.reads / stated.length) * Math.abs(bin.confidence - bin.right),
    0,
  )
}
