/** Reads by camera: those near a sighting of the vehicle in question, and all of the same hours. */
export interface Traffic {
  near: ReadonlyMap<string, number>
  all: ReadonlyMap<string, number>
}

/**
 * How unlikely this many meetings are by chance. If the other vehicle were unrelated to this one, each of its passes at
 * a camera would fall near a sighting as often as any vehicle's does: `near / all` of the camera's traffic, so rush
 * hours are accounted for. The sum over its passes is the expected number of meetings; the probability of the observed
 * number or more is the tail of a Poisson distribution.
 * @param passes of the other vehicle by camera
 * @returns `score` = -log10 of that tail, 0 to 300
 */
export function significanceOf(
  meetings: number,
  passes: ReadonlyMap<string, number>,
  { near, all }: Traffic,
): { expected: number; score: number } {
  let expected = 0
  for (const [camera, count] of passes)
    expected += count * Math.min(1, (near.get(camera) ?? 0) / Math.max(1, all.get(camera) ?? 0))
  return {
    expected: Math.round(expected * 1e4) / 1e4,
    score: Math.round(Math.min(300, Math.max(0, -poissonTail(meetings, Math.max(expected, 1e-9)))) * 100) / 100,
  }
}

/** log10 of P(X >= k) for a Poisson distribution with this mean. */
export function poissonTail(k: number, mean: number): number {
  if (k <= 0) return 0
  // Above the mean the tail is summed from k on; below, it is 1 minus the head.
  const logTerm = (i: number) => i * Math.log(mean) - mean - logFactorial(i)
  if (k > mean) {
    let sum = 0
    let term = 1
    for (let i = 0; i < 1_000 && term > 1e-17; i++) {
      sum += term
      term *= mean / (k + i + 1)
    }
    return (logTerm(k) + Math.log(sum)) / Math.LN10
  }
  let head = 0
  for (let i = 0; i < k; i++) head += Math.exp(logTerm(i))
  return Math.log10(Math.max(1e-300, 1 - head))
}

function logFactorial(n: number): number {
  let sum = 0
  for (let i = 2; i <= n; i++) sum += Math.log(i)
  return sum
}
