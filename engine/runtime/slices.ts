import { setImmediate as turn } from 'node:timers/promises'

/**
 * Work in slices: a generator that yields after each slice of bounded work and returns the result, so that the caller
 * decides what happens in between.
 */
export type Sliced<T> = Generator<void, T, void>

/** Runs the work at once, on the caller's turn of the event loop. */
export function atOnce<T>(work: Sliced<T>): T {
  for (;;) {
    const step = work.next()
    if (step.done) return step.value
  }
}

/** Runs the work with a turn of the event loop between slices: others wait for one slice, never for the whole. */
export async function inTurns<T>(work: Sliced<T>): Promise<T> {
  for (;;) {
    const step = work.next()
    if (step.done) return step.value
    await turn()
  }
}
