import { confusion } from './confusion'
import { CHARACTERS, CLASSES, MAX_POSITIONS } from './layout'

/**
 * The read that is being checked. For each position i:
 *
 *     emission[i][c] = sum over r of P(r | i) * confusion(r, c)        the plate has c there
 *     skip[i]        = P(none | i) + EXTRA_PRIOR * (1 - P(none | i))   nothing on the plate is there
 *
 * Positions that are 'none' rather than any character are left out beforehand by the host.
 */
const EXTRA_PRIOR: f64 = 0.02
/** The reader missed a character of the plate. */
export const MISSING_PRIOR: f64 = 0.01

/** f32 [16][37], written by the host. */
export const input: usize = memory.data(16 * 37 * 4, 16)
export const emissions: usize = memory.data(16 * 36 * 8, 8)
const skips: usize = memory.data(16 * 8, 8)

export let positions: u32 = 0

@inline
export function emission(position: u32, character: u32): f64 {
  return load<f64>(emissions + (position * CHARACTERS + character) * 8)
}

@inline
export function skip(position: u32): f64 {
  return load<f64>(skips + position * 8)
}

/** Computes the tables from `input` for `count` positions, at most 16. */
export function takeRead(count: u32): void {
  positions = min(count, MAX_POSITIONS)
  for (let i: u32 = 0; i < positions; i++) {
    const row = input + i * CLASSES * 4
    for (let c: u32 = 0; c < CHARACTERS; c++) {
      let sum: f64 = 0
      for (let r: u32 = 0; r < CHARACTERS; r++) sum += <f64>load<f32>(row + r * 4) * confusion(r, c)
      store<f64>(emissions + (i * CHARACTERS + c) * 8, sum)
    }
    const none = <f64>load<f32>(row + CHARACTERS * 4)
    store<f64>(skips + i * 8, none + EXTRA_PRIOR * (1 - none))
  }
}

/** The most that position i can contribute to a probability. */
export function bestAt(position: u32): f64 {
  let best = skip(position)
  for (let c: u32 = 0; c < CHARACTERS; c++) best = max(best, emission(position, c))
  return best
}
