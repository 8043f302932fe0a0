import { ANY, AUTOMATON_CLASSES, AUTOMATON_TAKES, CLASS_BYTES, CLASS_CUBES, CODE_BITS, ENTRY_CODES, ENTRY_LENGTH, ENTRY_VARYING, PLANE } from './layout'
import { LEVEL_STATES, STATE_SET, STATES_AT, VECTORS_AT, workspace } from './workspace'

/**
 * One fragment against one block: the automaton of Wu and Manber, 512 plates at once. State (e, j): j elements are behind us, e errors were made.
 *
 *     character taken by element j   (e, j) -> (e, j+1)         any run before element j   (e, j) -> (e, j)
 *     misread                        (e, j) -> (e+1, j+1)       extra character            (e, j) -> (e+1, j)
 *     missing character              (e, j) -> (e+1, j+1) without a character
 *
 * Where all plates of the block have the same character the states are single bits, one word for each number of errors; from the first
 * position on where they differ, a state is a vector of 512 bits. A state that no plate is in is dropped, and with the last of them the block.
 * States from which the remaining characters cannot end well are not entered.
 */
let automaton: usize = 0
let classes: usize = 0
let edits: u32 = 0
let elements: u32 = 0
let stars: u32 = 0

// states that can still end well when `remaining` characters are left, by errors made
let able0: u32 = 0
let able1: u32 = 0
let able2: u32 = 0

// classes whose vectors stand for the present position, and those whose vector is empty
let known0: u64 = 0
let known1: u64 = 0
let empty0: u64 = 0
let empty1: u64 = 0

export function takeAutomaton(at: usize, classesAt: usize, allowed: u32): void {
  automaton = at
  classes = classesAt
  edits = allowed
  elements = load<u32>(at)
  stars = load<u32>(at, 4)
}

/** States (e, j) from which `remaining` characters can lead to the end: too many elements are missing ones, too many characters extra ones or in a run. */
function able(remaining: i32, left: i32): u32 {
  let states: u32 = 0
  for (let j: u32 = 0; j <= elements; j++) {
    const rest = <i32>(elements - j)
    const runs = stars >> j != 0
    if (rest - remaining <= left && (runs || remaining - rest <= left)) states |= 1 << j
  }
  return states
}

@inline
function setAble(remaining: i32): void {
  able0 = able(remaining, edits)
  if (edits > 0) able1 = able(remaining, <i32>edits - 1)
  if (edits > 1) able2 = able(remaining, <i32>edits - 2)
}

@inline
function takes(code: u32): u32 {
  return load<u32>(automaton + (code << 2), AUTOMATON_TAKES)
}

/** Runs over the block, `ables` of `fillAbles`; the lanes that match with 0, 1, 2 errors go to `accepted`, 64 bytes each. @returns whether there are any */
export function runAutomaton(entry: usize, ables: usize, accepted: usize): bool {
  const length = <u32>load<u8>(entry, ENTRY_LENGTH)
  const end: u32 = (1 << (elements + 1)) - 1
  let s0: u32 = 1
  let s1: u32 = 0
  let s2: u32 = 0
  if (edits > 0) s1 = 2 & end
  if (edits > 1) s2 = 4 & end
  let p: u32 = 0
  // one word for each number of errors while the plates are alike
  for (; p < length && load<u8>(entry + p, ENTRY_VARYING) == 0; p++) {
    const taken = takes(load<u8>(entry + p, ENTRY_CODES))
    const left = length - p - 1
    const n0 = (((s0 & taken) << 1) | (s0 & stars)) & load<u32>(ables + left * 4)
    let n1: u32 = 0
    let n2: u32 = 0
    if (edits > 0) n1 = (((s1 & taken) << 1) | (s1 & stars) | (s0 << 1) | s0 | (n0 << 1)) & load<u32>(ables + left * 4, 64)
    if (edits > 1) n2 = (((s2 & taken) << 1) | (s2 & stars) | (s1 << 1) | s1 | (n1 << 1)) & load<u32>(ables + left * 4, 128)
    s0 = n0
    s1 = n1
    s2 = n2
    if ((s0 | s1 | s2) == 0) return false
  }
  const last: u32 = 1 << elements
  if (p == length) {
    fillLanes(accepted, s0 & last)
    fillLanes(accepted + PLANE, s1 & last)
    fillLanes(accepted + 2 * PLANE, s2 & last)
    return (s0 | s1 | s2) & last ? true : false
  }
  let now = workspace + STATES_AT
  let next = now + STATE_SET
  fillStates(now, s0, 0)
  fillStates(now, s1, 1)
  fillStates(now, s2, 2)
  let plane = <usize>load<u32>(entry)
  for (; p < length; p++) {
    const varying = <u32>load<u8>(entry + p, ENTRY_VARYING)
    const code = <u32>load<u8>(entry + p, ENTRY_CODES)
    const left = length - p - 1
    able0 = load<u32>(ables + left * 4)
    able1 = load<u32>(ables + left * 4, 64)
    able2 = load<u32>(ables + left * 4, 128)
    known0 = 0
    known1 = 0
    empty0 = 0
    empty1 = 0
    made0 = 0
    made1 = 0
    made2 = 0
    const taken = varying == 0 ? takes(code) : 0
    pull(now, next, 0, s0, 0, 0, plane, varying, code, taken)
    if (edits > 0) pull(now, next, 1, s1, s0, made0, plane, varying, code, taken)
    if (edits > 1) pull(now, next, 2, s2, s1, made1, plane, varying, code, taken)
    s0 = made0
    s1 = made1
    s2 = made2
    if ((s0 | s1 | s2) == 0) return false
    const other = now
    now = next
    next = other
    plane += popcnt<u32>(varying) * PLANE
  }
  if (!((s0 | s1 | s2) & last)) return false
  give(accepted, now, s0 & last, 0)
  give(accepted, now, s1 & last, 1)
  give(accepted, now, s2 & last, 2)
  return true
}

@inline
function fillLanes(at: usize, some: u32): void {
  const v = i8x16.splat(some ? -1 : 0)
  for (let i: usize = 0; i < PLANE; i += 16) v128.store(at + i, v)
}

@inline
function give(accepted: usize, set: usize, some: u32, level: u32): void {
  const to = accepted + level * PLANE
  const from = set + (level * LEVEL_STATES + elements) * PLANE
  for (let i: usize = 0; i < PLANE; i += 16) v128.store(to + i, some ? v128.load(from + i) : i8x16.splat(0))
}

/** Fills the table of able states for lengths 0..15: u32 [3][16] at `ables`. */
export function fillAbles(ables: usize): void {
  for (let remaining: u32 = 0; remaining < 16; remaining++) {
    able1 = 0
    able2 = 0
    setAble(remaining)
    store<u32>(ables + remaining * 4, able0)
    store<u32>(ables + remaining * 4, able1, 64)
    store<u32>(ables + remaining * 4, able2, 128)
  }
}

function fillStates(set: usize, states: u32, level: u32): void {
  const ones = i8x16.splat(-1)
  while (states != 0) {
    const at = set + (level * LEVEL_STATES + ctz(states)) * PLANE
    states &= states - 1
    v128.store(at, ones)
    v128.store(at, ones, 16)
    v128.store(at, ones, 32)
    v128.store(at, ones, 48)
  }
}

let made0: u32 = 0
let made1: u32 = 0
let made2: u32 = 0

/**
 * All ways into the states with `level` errors at the next position, from `states` with as many, `less` with one fewer, and `lessNow` of these that were
 * just entered:
 *
 *     next(e, j) = now(e, j-1) and class of j-1  |  now(e, j) if a run stands there  |  now(e-1, j)  |  now(e-1, j-1)  |  next(e-1, j-1)
 */
function pull(now: usize, next: usize, level: u32, states: u32, less: u32, lessNow: u32, plane: usize, varying: u32, code: u32, taken: u32): void {
  const able = level == 0 ? able0 : level == 1 ? able1 : able2
  const here = now + level * (LEVEL_STATES * PLANE)
  const before = here - LEVEL_STATES * PLANE
  const to = next + level * (LEVEL_STATES * PLANE)
  const entered = to - LEVEL_STATES * PLANE
  let made: u32 = 0
  for (let todo = ((states << 1) | (states & stars) | less | (less << 1) | (lessNow << 1)) & able; todo != 0; todo &= todo - 1) {
    const j = ctz(todo)
    const at = j * PLANE
    let a = i8x16.splat(0)
    let b = a
    let c = a
    let d = a
    if (j > 0 && (states >> (j - 1)) & 1) {
      const from = here + at - PLANE
      const id = <u32>load<u8>(automaton + j - 1, AUTOMATON_CLASSES)
      if (varying == 0 ? (taken >> (j - 1)) & 1 : id == ANY) {
        a = v128.load(from)
        b = v128.load(from, 16)
        c = v128.load(from, 32)
        d = v128.load(from, 48)
      } else if (varying != 0 && inClass(id, plane, varying, code)) {
        const vector = workspace + VECTORS_AT + id * PLANE
        a = v128.and(v128.load(from), v128.load(vector))
        b = v128.and(v128.load(from, 16), v128.load(vector, 16))
        c = v128.and(v128.load(from, 32), v128.load(vector, 32))
        d = v128.and(v128.load(from, 48), v128.load(vector, 48))
      }
    }
    if ((states & stars) >> j & 1) {
      const from = here + at
      a = v128.or(a, v128.load(from))
      b = v128.or(b, v128.load(from, 16))
      c = v128.or(c, v128.load(from, 32))
      d = v128.or(d, v128.load(from, 48))
    }
    if ((less >> j) & 1) {
      const from = before + at
      a = v128.or(a, v128.load(from))
      b = v128.or(b, v128.load(from, 16))
      c = v128.or(c, v128.load(from, 32))
      d = v128.or(d, v128.load(from, 48))
    }
    if (j > 0 && (less >> (j - 1)) & 1) {
      const from = before + at - PLANE
      a = v128.or(a, v128.load(from))
      b = v128.or(b, v128.load(from, 16))
      c = v128.or(c, v128.load(from, 32))
      d = v128.or(d, v128.load(from, 48))
    }
    if (j > 0 && (lessNow >> (j - 1)) & 1) {
      const from = entered + at - PLANE
      a = v128.or(a, v128.load(from))
      b = v128.or(b, v128.load(from, 16))
      c = v128.or(c, v128.load(from, 32))
      d = v128.or(d, v128.load(from, 48))
    }
    if (!v128.any_true(v128.or(v128.or(a, b), v128.or(c, d)))) continue
    v128.store(to + at, a)
    v128.store(to + at, b, 16)
    v128.store(to + at, c, 32)
    v128.store(to + at, d, 48)
    made |= 1 << j
  }
  if (level == 0) made0 = made
  else if (level == 1) made1 = made
  else made2 = made
}

/** Makes the vector of a class at the present position, once. @returns whether any plate has a character of the class there */
@inline
function inClass(id: u32, plane: usize, varying: u32, code: u32): bool {
  if (id < 64) {
    const bit: u64 = 1 << <u64>id
    if (known0 & bit) return (empty0 & bit) == 0
    known0 |= bit
    if (makeClass(id, plane, varying, code)) return true
    empty0 |= bit
    return false
  }
  const bit: u64 = 1 << <u64>(id - 64)
  if (known1 & bit) return (empty1 & bit) == 0
  known1 |= bit
  if (makeClass(id, plane, varying, code)) return true
  empty1 |= bit
  return false
}

function makeClass(id: u32, plane: usize, varying: u32, code: u32): bool {
  const at = classes + id * CLASS_BYTES
  const cubes = load<u32>(at, 8)
  let a = i8x16.splat(0)
  let b = a
  let c = a
  let d = a
  for (let k: u32 = 0; k < cubes; k++) {
    const mask = <u32>load<u8>(at + k * 2, CLASS_CUBES)
    const value = <u32>load<u8>(at + k * 2, CLASS_CUBES + 1)
    if ((value ^ code) & mask & ~varying) continue
    let wa = i8x16.splat(-1)
    let wb = wa
    let wc = wa
    let wd = wa
    let from = plane
    for (let bit: i32 = CODE_BITS - 1; bit >= 0; bit--) {
      const one: u32 = 1 << bit
      if (!(varying & one)) continue
      if (mask & one) {
        if (value & one) {
          wa = v128.and(wa, v128.load(from))
          wb = v128.and(wb, v128.load(from, 16))
          wc = v128.and(wc, v128.load(from, 32))
          wd = v128.and(wd, v128.load(from, 48))
        } else {
          wa = v128.andnot(wa, v128.load(from))
          wb = v128.andnot(wb, v128.load(from, 16))
          wc = v128.andnot(wc, v128.load(from, 32))
          wd = v128.andnot(wd, v128.load(from, 48))
        }
      }
      from += PLANE
    }
    a = v128.or(a, wa)
    b = v128.or(b, wb)
    c = v128.or(c, wc)
    d = v128.or(d, wd)
  }
  const to = workspace + VECTORS_AT + id * PLANE
  v128.store(to, a)
  v128.store(to, b, 16)
  v128.store(to, c, 32)
  v128.store(to, d, 48)
  return v128.any_true(v128.or(v128.or(a, b), v128.or(c, d)))
}
