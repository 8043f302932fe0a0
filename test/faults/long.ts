import type { MatrixOptions, Result } from './matrix.js'

export interface LongOptions {
  setups: readonly { name: string; options: Pick<MatrixOptions, 'faults' | 'parts'> }[]
  /** For so long new faults begin, ms; the one that runs then is brought to its end. 0: one whole round. */
  ms: number
  /** Of the first round; later ones follow from it. */
  seed: number
  /** Runs one setup once; it stops between two faults when `until` (monotonic clock, ms) is over. */
  run(setup: LongOptions['setups'][number], seed: number, until: number): Promise<Result[]>
  /** Each result as soon as it is there, so that nothing is lost of a night that ends early. */
  append(line: LongLine): void
  say(text: string): void
  now?: () => number
}

/** A line of the results. */
export interface LongLine extends Partial<Result> {
  at: string
  round: number
  seed: number
  setup: string
  held: boolean
}

/**
 * The matrix again and again for a given time, each round with other moments. A round that breaks off (the system does
 * not come up, the judge cannot be asked) counts as broken, and the next one begins.
 * @returns how many faults were brought about, and how many times a promise did not hold
 */
export async function runLong({
  setups,
  ms,
  seed,
  run,
  append,
  say,
  now = () => performance.now(),
}: LongOptions): Promise<{ faults: number; broken: number }> {
  const until = ms > 0 ? now() + ms : Infinity
  const tally = { faults: 0, broken: 0 }
  for (let round = 0; round === 0 || (ms > 0 && now() < until); round++) {
    const own = seedOf(seed, round)
    for (const setup of setups) {
      if (round > 0 && now() >= until) break
      say(`round ${round + 1}, ${setup.name}, seed ${own}`)
      const told = { at: new Date().toISOString(), round, seed: own, setup: setup.name }
      try {
        for (const result of await run(setup, own, until)) {
          const held = result.wrong.length === 0
          append({ ...told, held, ...result })
          if (!held) tally.broken++
          // The undisturbed measure is no fault.
          if (!result.skipped && result.fault !== 'nothing') tally.faults++
        }
      } catch (error) {
        tally.broken++
        const wrong = [`the round broke off: ${error instanceof Error ? error.message : String(error)}`]
        append({ ...told, held: false, wrong })
        say(wrong[0]!)
      }
    }
  }
  return tally
}

/** Six digits, other ones each round, the same from the same first seed. */
export const seedOf = (first: number, round: number): number => (first + round * 104_729) % 1_000_000
