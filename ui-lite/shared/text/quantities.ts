/** Whole percent, but never 100 for what is not certain, and never 0 for what is possible. */
export function percent(probability: number): string {
  if (probability >= 1) return '100 %'
  if (probability <= 0) return '0 %'
  return `${Math.min(99, Math.max(1, Math.round(probability * 100)))} %`
}

/** A rate per second: one decimal below 10, whole above. */
export const rate = (perSecond: number): string =>
  perSecond < 10 ? perSecond.toFixed(1) : String(Math.round(perSecond))

/** `1 hit`, `2 hits`. */
export const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`
