const KNOTS = 12

/**
 * The rising line through points of probability and outcome (pool adjacent violators), as at most about a dozen knots
 * from [0, 0] to [1, 1], both coordinates strictly rising.
 */
export function risingLine(points: { p: number; right: number; weight?: number }[]): [number, number][] {
  const pools: { p: number; right: number; n: number }[] = []
  for (const { p, right, weight = 1 } of [...points].sort((a, b) => a.p - b.p)) {
    pools.push({ p: p * weight, right: right * weight, n: weight })
    while (pools.length > 1 && pools.at(-2)!.right / pools.at(-2)!.n >= pools.at(-1)!.right / pools.at(-1)!.n) {
      const last = pools.pop()!
      const into = pools.at(-1)!
      into.p += last.p
      into.right += last.right
      into.n += last.n
    }
  }
  const knots: [number, number][] = [[0, 0]]
  const step = Math.max(1, Math.ceil(pools.length / KNOTS))
  for (let i = 0; i < pools.length; i += step) {
    const part = pools.slice(i, i + step)
    const n = part.reduce((sum, pool) => sum + pool.n, 0)
    const x = Number((part.reduce((sum, pool) => sum + pool.p, 0) / n).toFixed(6))
    // One more right and one more wrong: a few points prove neither 0 nor 1.
    const y = Number(((part.reduce((sum, pool) => sum + pool.right, 0) + 0.5) / (n + 1)).toFixed(6))
    const [lastX, lastY] = knots.at(-1)!
    if (x > lastX + 1e-4 && y > lastY + 1e-6 && x < 0.9999 && y < 0.9999) knots.push([x, y])
  }
  knots.push([1, 1])
  return knots
}
