import { joinLanes, narrow } from './lanes'
import {
  ALIGNED_AT, AUTOMATON_ASKED, AUTOMATON_CLASSES, AUTOMATON_STARS, CLASS_BYTES, ENTRY_CODES, ENTRY_LENGTH,
  ENTRY_VARYING, PLACES_AT, PLANE,
} from './layout'
import { workspace } from './workspace'

/**
 * A fragment without errors and with at most one run, or with one at each end, against one block: its elements can
 * stand in a few ways only, and each is asked about by itself, those elements first that fewest characters satisfy,
 * until no plate is left.
 *
 *     run before element r     element j at position j, or from r on at j + length - elements
 *     a run at each end        element j at position j + shift, for each shift that there is room for
 */
let automaton: usize = 0
let classes: usize = 0
let elements: u32 = 0
let run: u32 = 0
let floating: bool = false

/** @returns whether the fragment is one of these */
export function takeAlignments(at: usize, classesAt: usize, edits: u32): bool {
  automaton = at
  classes = classesAt
  elements = load<u32>(at)
  const stars = load<u32>(at, AUTOMATON_STARS)
  floating = stars == ((1 << elements) | 1)
  run = floating ? 0 : stars == 0 ? elements : ctz(stars)
  return edits == 0 && elements > 0 && (floating || (stars & (stars - 1)) == 0)
}

/**
 * Which shifts are not ruled out by what the directory says of the block: bit s for shift s. `possible`: of
 * `fillPossible` (automaton.ts). Also writes where the planes of each position lie.
 */
function shiftsOf(entry: usize, length: u32, possible: usize): u32 {
  const room = length - elements
  let shifts: u32
  if (floating) {
    const whole: u32 = 1 << (elements - 1)
    shifts = 0
    let begun: u32 = 0
    for (let p: u32 = 0; p < length; p++) {
      begun = ((begun << 1) | 1) & takersAt(entry + p, possible)
      if (begun & whole) shifts |= 1 << (p + 1 - elements)
    }
    if (shifts == 0) return 0
  } else {
    for (let j: u32 = 0; j < elements; j++) if (!((takersAt(entry + j + (j < run ? 0 : room), possible) >> j) & 1)) return 0
    shifts = 1 << room
  }
  let plane = load<u32>(entry)
  for (let p: u32 = 0; p < length; p++) {
    store<u32>(workspace + PLACES_AT + (p << 2), plane)
    plane += popcnt<u32>(load<u8>(entry + p, ENTRY_VARYING)) * PLANE
  }
  return shifts
}

/** Elements that take some character that the block may have at the position of `at` in its entry. */
@inline
function takersAt(at: usize, possible: usize): u32 {
  return load<u32>(possible + (<usize>load<u8>(at, ENTRY_VARYING) << 8) + (<usize>load<u8>(at, ENTRY_CODES) << 2))
}

/** Writes to `to` which of the lanes `among` match, 64 bytes each, not the same. @returns whether any does */
export function runAlignments(entry: usize, possible: usize, among: usize, to: usize): bool {
  const length = <u32>load<u8>(entry, ENTRY_LENGTH)
  if (length < elements) return false
  let shifts = shiftsOf(entry, length, possible)
  if (shifts == 0) return false
  const lanes = workspace + ALIGNED_AT
  const asked = automaton + AUTOMATON_ASKED
  const questions = <u32>load<u8>(asked)
  let some = false
  for (; shifts != 0; shifts &= shifts - 1) {
    const shift = ctz(shifts)
    let left = true
    let from = among
    for (let i: u32 = 1; i <= questions; i++) {
      const j = <u32>load<u8>(asked + i)
      const p = j + (j < run ? 0 : shift)
      const varying = <u32>load<u8>(entry + p, ENTRY_VARYING)
      // what all plates of the block have there is taken, or the shift would not be here
      if (varying == 0) continue
      left = narrow(lanes, from, classes + <u32>load<u8>(automaton + j, AUTOMATON_CLASSES) * CLASS_BYTES, load<u32>(workspace + PLACES_AT + (p << 2)), varying, load<u8>(entry + p, ENTRY_CODES))
      if (!left) break
      from = lanes
    }
    if (!left) continue
    if (some) joinLanes(to, from)
    else memory.copy(to, from, PLANE)
    some = true
  }
  return some
}
