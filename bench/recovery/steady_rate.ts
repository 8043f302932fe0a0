/** Frames in the ledger at one moment. */
export type Point = [ms: number, stored: number]

/** A checkpoint each second makes the ledger grow in steps; over this window they even out, ms. */
export const kWindowMs = 4_000
/** Share of the previous rate that counts as the full rate. */
const kFull = 0.9
/** Bounds of either half of the window, as shares of the previous rate. */
const kSteady = { least: 0.6, most: 1.3 }

/** Frames per millisecond from the first point to the last. */
export const rateOf = (points: readonly Point[]): number =>
  (points.at(-1)![1] - points[0]![1]) / (points.at(-1)![0] - points[0]![0])

/**
 * The time from which frames are stored at 90 % of `full` (frames per millisecond) over 4 s, with 60 to 130 % of it in
 * either half: frames that waited for the store arrive in one leap, which is not a rate. Undefined until then.
 */
export function fullRateSince(points: readonly Point[], full: number): number | undefined {
  const last = points.at(-1)!
  const before = (ms: number) => points.findLast(([at]) => at <= last[0] - ms)
  const [first, middle] = [before(kWindowMs), before(kWindowMs / 2)]
  if (!first || !middle) return undefined
  const steady = (rate: number) => rate >= kSteady.least * full && rate <= kSteady.most * full
  const isFull =
    rateOf([first, last]) >= kFull * full && steady(rateOf([first, middle])) && steady(rateOf([middle, last]))
  return isFull ? first[0] : undefined
}
