import { joinLanes, narrow } from './lanes'
import {
  ALIGNED_AT, AUTOMATON_ASKED, AUTOMATON_CLASSES, AUTOMATON_STARS, CLASS_BYTES, ENTRY_CODES, ENTRY_LENGTH,
  ENTRY_VARYING, PLACES_AT, PLANE,
} from './layout'
import { addWork, FLOATING_UNITS, QUESTION_UNITS } from './work'
import { workspace } from './workspace'

/**
 * Matches a fragment without errors, with at most one run or with one at each end, against one block. Its elements have
 * only a few possible alignments; each is tested by itself, the most selective elements first, until no plate is left.
 *
 *     run before element r     element j at position j, or from r on at j + length - elements
 *     a run at each end        element j at position j + shift, for each shift that fits
 */
let automaton: usize = 0
let classes: usize = 0
let elements: u32 = 0
let run: u32 = 0
let floating: bool = false

/** Selects a fragment. @returns whether it is of this kind */
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
 * The shifts that the block's directory entry does not rule out: bit s for shift s. `possible`: table of `fillPossible`
 * (automaton.ts). Also writes the addresses of the planes of each position.
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
    for (let j: u32 = 0; j < elements; j++) {
      if (!((takersAt(entry + j + (j < run ? 0 : room), possible) >> j) & 1)) return 0
    }
    shifts = 1 << room
  }
  let plane = load<u32>(entry)
  for (let p: u32 = 0; p < length; p++) {
    store<u32>(workspace + PLACES_AT + (p << 2), plane)
    plane += popcnt<u32>(load<u8>(entry + p, ENTRY_VARYING)) * PLANE
  }
  return shifts
}

/** Elements that accept a character that the block may have at the position of `at` in its entry. */
@inline
function takersAt(at: usize, possible: usize): u32 {
  return load<u32>(possible + (<usize>load<u8>(at, ENTRY_VARYING) << 8) + (<usize>load<u8>(at, ENTRY_CODES) << 2))
}

/** Writes to `to` the lanes of `among` that match (64 bytes each, not overlapping). @returns whether any does */
export function runAlignments(entry: usize, possible: usize, among: usize, to: usize): bool {
  const length = <u32>load<u8>(entry, ENTRY_LENGTH)
  if (length < elements) return false
  let shifts = shiftsOf(entry, length, possible)
  let units: u32 = floating ? FLOATING_UNITS : 0
  if (shifts == 0) {
    addWork(units)
    return false
  }
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
      // all plates of the block have the same character there, which is accepted, or the shift would be ruled out
      if (varying == 0) continue
      const classAt = classes + <u32>load<u8>(automaton + j, AUTOMATON_CLASSES) * CLASS_BYTES
      const planes = load<u32>(workspace + PLACES_AT + (p << 2))
      units += QUESTION_UNITS
      left = narrow(lanes, from, classAt, planes, varying, load<u8>(entry + p, ENTRY_CODES))
      if (!left) break
      from = lanes
    }
    if (!left) continue
    if (some) joinLanes(to, from)
    else memory.copy(to, from, PLANE)
    some = true
  }
  addWork(units)
  return some
}
