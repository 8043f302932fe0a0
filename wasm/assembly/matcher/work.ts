/**
 * Work of a search, counted rather than timed, so that the same search has the same work on any machine under any load.
 * A unit is roughly a nanosecond of one core; the weights were fitted to patterns of every kind.
 */
export let work: f64 = 0

/**
 * Units of a block that is looked at; of bounding what it may hold; of finding its alignments; of a question to one.
 */
export const BLOCK_UNITS: u32 = 12
export const ENDINGS_UNITS: u32 = 75
export const FLOATING_UNITS: u32 = 120
export const QUESTION_UNITS: u32 = 45
/** Units of a position of a block, and of a state that some of its plates are in there. */
export const POSITION_UNITS: u32 = 32
export const STATE_UNITS: u32 = 22
/** Units of asking whether a plate without an error can still be among the best. */
export const OFFER_UNITS: u32 = 5
/** Units of weighing a plate, of one order of its fragments, and of a state of it. */
export const WEIGH_UNITS: u32 = 55
export const ORDER_UNITS: u32 = 50
export const SCORE_UNITS: u32 = 7
/** Units of a long plate, and of bounding how it can end well. */
export const LONG_UNITS: u32 = 6
export const LONG_ORDER_UNITS: u32 = 100

export function clearWork(): void {
  work = 0
}

@inline
export function addWork(units: u32): void {
  work += <f64>units
}

/** Work since the search began. */
export function workDone(): f64 {
  return work
}
