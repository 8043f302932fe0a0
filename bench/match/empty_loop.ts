let sink = 0

/** A loop that reads nothing from memory. @returns a sum of all calls, which keeps V8 from removing the loop */
export function turn(turns: number): number {
  let sum = 0
  for (let i = 0; i < turns; i++) sum = (sum * 31 + i) | 0
  sink += sum
  return sink
}

/** Turns of the empty loop that take `ms`. */
export function turnsIn(ms: number): number {
  let fastest = Infinity
  for (let k = 0; k < 200; k++) {
    const start = performance.now()
    turn(10_000)
    fastest = Math.min(fastest, performance.now() - start)
  }
  return Math.max(1, Math.round((ms / fastest) * 10_000))
}
