import type { MatrixOptions, Result } from './matrix.js'

export interface LongOptions {
  setups: readonly { name: string; options: Pick<MatrixOptions, 'faults' | 'parts'> }[]
  /** How long new faults are started, ms; the last one runs to its end. 0: one whole round. */
  ms: number
  /** Seed of the first round; the seeds of later rounds are derived from it. */
  seed: number
  /** Runs one setup once. It starts no fault after `until` (monotonic clock, ms). */
  run(setup: LongOptions['setups'][number], seed: number, until: number): Promise<Result[]>
  /** Receives each result at once, so that a run that ends early loses nothing. */
  append(line: LongLine): void
  log(text: string): void
  now?: () => number
}

/** A line of the result file. */
export interface LongLine extends Partial<Result> {
  at: string
  round: number
  seed: number
  setup: string
  held: boolean
}

/**
 * Repeats the matrix for a given time, each round with another seed. A round that fails as a whole (the system does not
 * start, the outcome cannot be queried) counts as one broken promise, and the next round begins.
 * @returns the number of faults caused and of broken promises
 */
export async function runLong({
  setups,
  ms,
  seed,
  run,
  append,
  log,
  now = () => performance.now(),
}: LongOptions): Promise<{ faults: number; broken: number }> {
  const until = ms > 0 ? now() + ms : Infinity
  const tally = { faults: 0, broken: 0 }
  for (let round = 0; round === 0 || (ms > 0 && now() < until); round++) {
    const own = seedOf(seed, round)
    for (const setup of setups) {
      if (round > 0 && now() >= until) break
      log(`round ${round + 1}, ${setup.name}, seed ${own}`)
      const context = { at: new Date().toISOString(), round, seed: own, setup: setup.name }
      try {
        for (const result of await run(setup, own, until)) {
          const held = result.wrong.length === 0
          append({ ...context, held, ...result })
          if (!held) tally.broken++
          // The undisturbed reference run is not a fault.
          if (!result.skipped && result.fault !== 'nothing') tally.faults++
        }
      } catch (error) {
        tally.broken++
        const wrong = [`the round failed: ${error instanceof Error ? error.message : String(error)}`]
        append({ ...context, held: false, wrong })
        log(wrong[0]!)
      }
    }
  }
  return tally
}

/** A seed of up to six digits per round, the same for the same first seed. */
export const seedOf = (first: number, round: number): number => (first + round * 104_729) % 1_000_000
