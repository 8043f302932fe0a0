/**
 * The states of an automaton (automaton.ts) from which the remaining characters can end well, and with how many errors:
 * computed from the end of a plate to its beginning, one character at a time, with states as bits of a word. The
 * forward pass enters only these.
 *
 *     table   u32[17][4]: by the number of remaining characters, the states that need at most 0, 1, 2 more errors, and
 *             the elements that accept the first of these characters
 */
export const ENDINGS_BYTES: u32 = 272

let at: usize = 0
let stars: u32 = 0
let edits: u32 = 0
let e0: u32 = 0
let e1: u32 = 0
let e2: u32 = 0

/** Starts at the end of the plate; writes the first row. */
@inline
export function beginEndings(table: usize, elements: u32, starsOf: u32, allowed: u32): void {
  at = table
  stars = starsOf
  edits = allowed
  e0 = 1 << elements
  e1 = edits > 0 ? e0 | (e0 >> 1) : 0
  e2 = edits > 1 ? e1 | (e1 >> 1) : 0
  write(0)
}

/** Moves one character forward, which the elements `taken` accept; writes the next row. */
@inline
export function stepEndings(taken: u32): void {
  const n0 = ((e0 >> 1) & taken) | (e0 & stars)
  if (edits > 0) {
    const n1 = ((e1 >> 1) & taken) | (e1 & stars) | (e0 >> 1) | e0 | (n0 >> 1)
    if (edits > 1) e2 = ((e2 >> 1) & taken) | (e2 & stars) | (e1 >> 1) | e1 | (n1 >> 1)
    e1 = n1
  }
  e0 = n0
  write(taken)
}

@inline
function write(taken: u32): void {
  store<u32>(at, e0)
  store<u32>(at, e1, 4)
  store<u32>(at, e2, 8)
  store<u32>(at, taken, 12)
  at += 16
}

/** States that end well with at most `errors` more errors when `remaining` characters are left. */
@inline
export function endings(table: usize, remaining: u32, errors: u32): u32 {
  return load<u32>(table + (remaining << 4) + (errors << 2))
}

/** Elements that accept the first of `remaining` characters. */
@inline
export function takers(table: usize, remaining: u32): u32 {
  return load<u32>(table + (remaining << 4), 12)
}
