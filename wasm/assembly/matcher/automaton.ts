import { beginEndings, endings, stepEndings, takers } from './endings'
import { enterExtra, enterRight, enterWrong, takersOf } from './lanes'
import {
  ANY, AUTOMATON_CLASSES, AUTOMATON_STARS, AUTOMATON_TAKES, CLASS_BYTES, ENTRY_CODES, ENTRY_LENGTH, ENTRY_VARYING,
  LEVEL_STATES, MAX_LENGTH, ONES_AT, PLANE, STATES_AT, STATE_SET, VECTORS_AT, ZEROS_AT,
} from './layout'
import { addWork, ENDINGS_UNITS, POSITION_UNITS, STATE_UNITS } from './work'
import { workspace } from './workspace'

/**
 * Matches one fragment against one block: the automaton of Wu and Manber, 512 plates at once. State (e, j): j elements
 * consumed, e errors made.
 *
 *     character accepted by j        (e, j) -> (e, j+1)         any run before element j   (e, j) -> (e, j)
 *     misread                        (e, j) -> (e+1, j+1)       extra character            (e, j) -> (e+1, j)
 *     missing character              (e, j) -> (e+1, j+1) without a character
 *
 * A state that every plate of the block is in is a bit of a word, one word for each number of errors; as long as the
 * plates are equal, all states are. From the first position where they differ, the other states are vectors of 512
 * bits. A state without plates is dropped, and with the last state the block; so is a state that every plate is in with
 * fewer errors. States from which the remaining characters cannot end well are not entered: the directory entry bounds
 * the characters of a block at each position, so most blocks are rejected before any plane is read.
 */
let automaton: usize = 0
let classes: usize = 0
let edits: u32 = 0
let elements: u32 = 0
let stars: u32 = 0
/** Elements that accept any character. */
let anys: u32 = 0

export function takeAutomaton(at: usize, classesAt: usize, allowed: u32): void {
  automaton = at
  classes = classesAt
  edits = allowed
  elements = load<u32>(at)
  stars = load<u32>(at, AUTOMATON_STARS)
  anys = 0
  for (let j: u32 = 0; j < elements; j++) if (load<u8>(at + j, AUTOMATON_CLASSES) == ANY) anys |= 1 << j
}

@inline
function takes(code: u32): u32 {
  return load<u32>(automaton + (code << 2), AUTOMATON_TAKES)
}

/** Bytes of a table of `fillPossible`. */
export const POSSIBLE_BYTES: u32 = 16384

/**
 * For each set of bits that vary in a block and each code of the other bits: the elements that accept at least one of
 * these codes. u32[64][64].
 */
export function fillPossible(table: usize): void {
  for (let code: u32 = 0; code < 64; code++) store<u32>(table + (code << 2), takes(code))
  for (let varying: u32 = 1; varying < 64; varying++) {
    const bit = varying & (0 - varying)
    const fewer = table + ((varying ^ bit) << 8)
    const row = table + (varying << 8)
    for (let code: u32 = 0; code < 64; code++) {
      store<u32>(row + (code << 2), load<u32>(fewer + (code << 2)) | load<u32>(fewer + ((code ^ bit) << 2)))
    }
  }
}

/**
 * Writes to `table` (endings.ts) how plates of the block can end well. `possible`: table of `fillPossible`. @returns
 * whether any can match
 */
export function findEndings(entry: usize, possible: usize, table: usize): bool {
  const length = <u32>load<u8>(entry, ENTRY_LENGTH)
  addWork(ENDINGS_UNITS)
  beginEndings(table, elements, stars, edits)
  for (let at = entry + length - 1; at >= entry; at--) {
    stepEndings(
      load<u32>(possible + (<usize>load<u8>(at, ENTRY_VARYING) << 8) + (<usize>load<u8>(at, ENTRY_CODES) << 2)))
  }
  return (endings(table, length, edits) & 1) != 0
}

/** The same for plates of any characters. */
export function findAnyEndings(table: usize): void {
  beginEndings(table, elements, stars, edits)
  for (let i: u32 = 0; i < MAX_LENGTH; i++) stepEndings(-1)
}

/**
 * Number of vectors of accepted lanes: those that match with 0, 1, 2 errors, and with 1 and 2 errors that are all extra
 * characters.
 */
export const LEVELS: u32 = 5
const EXTRA_ONE: u32 = 3
const EXTRA_TWO: u32 = 4
const LEVEL_BYTES: u32 = LEVEL_STATES * PLANE

/**
 * Runs over the block (`table` of `findEndings`) and writes the lanes that match to `accepted`, `LEVELS` x 64 bytes.
 * Lanes whose errors are all extra characters are separate because they are the most probable ones. @returns whether
 * any lane matches
 */
export function runAutomaton(entry: usize, table: usize, accepted: usize): bool {
  const length = <u32>load<u8>(entry, ENTRY_LENGTH)
  const last: u32 = 1 << elements
  const end = (last << 1) - 1
  // states that every plate is in
  let f0: u32 = 1
  let f1: u32 = edits > 0 ? 2 & end : 0
  let f2: u32 = edits > 1 ? 4 & end : 0
  let fx1: u32 = 0
  let fx2: u32 = 0
  // states that some plates are in
  let s0: u32 = 0
  let s1: u32 = 0
  let s2: u32 = 0
  let sx1: u32 = 0
  let sx2: u32 = 0
  let now = workspace + STATES_AT
  let next = now + STATE_SET
  let plane = <usize>load<u32>(entry)
  let positions: u32 = 0
  let states: u32 = 0
  for (let p: u32 = 0; p < length; p++) {
    const varying = <u32>load<u8>(entry + p, ENTRY_VARYING)
    const code = <u32>load<u8>(entry + p, ENTRY_CODES)
    const left = length - p - 1
    const taken = varying == 0 ? takes(code) : takers(table, left + 1)
    const surely = varying == 0 ? taken : taken & anys
    const able0 = endings(table, left, edits)
    // states reached with extra characters only are also states with that many errors
    makeVectors((f0 | f1 | f2 | s0 | s1 | s2) & taken & (able0 >> 1), plane, varying, code)
    const n0 = (((f0 & surely) << 1) | (f0 & stars)) & able0
    const p0 = pullRight(now, next, f0, s0, able0 & ~n0, taken)
    if (edits > 0) {
      const able1 = endings(table, left, edits - 1) & ~n0
      const n1 = (((f1 & surely) << 1) | (f1 & stars) | f0 | ((f0 | n0) << 1)) & able1
      const p1 = pullWrong(now, next, LEVEL_BYTES, 0, f1, s1, s0, p0, able1 & ~n1, taken)
      const nx1 = (((fx1 & surely) << 1) | (fx1 & stars) | f0) & able1
      const px1 = pullExtra(now, next, EXTRA_ONE * LEVEL_BYTES, 0, fx1, sx1, s0, able1 & ~nx1, taken)
      if (edits > 1) {
        const able2 = endings(table, left, edits - 2) & ~(n0 | n1)
        const n2 = (((f2 & surely) << 1) | (f2 & stars) | f1 | ((f1 | n1) << 1)) & able2
        s2 = pullWrong(now, next, 2 * LEVEL_BYTES, LEVEL_BYTES, f2, s2, s1, p1, able2 & ~n2, taken)
        f2 = n2
        const ablex2 = endings(table, left, edits - 2) & ~(n0 | nx1)
        const nx2 = (((fx2 & surely) << 1) | (fx2 & stars) | fx1) & ablex2
        sx2 = pullExtra(
          now, next, EXTRA_TWO * LEVEL_BYTES, EXTRA_ONE * LEVEL_BYTES, fx2, sx2, sx1, ablex2 & ~nx2, taken)
        fx2 = nx2
      }
      f1 = n1
      s1 = p1
      fx1 = nx1
      sx1 = px1
    }
    f0 = n0
    s0 = p0
    positions++
    // sets of at most LEVEL_STATES bits
    states += <u32>popcnt<u64>(<u64>s0 | (<u64>s1 << 20) | (<u64>s2 << 40)) + popcnt<u32>(sx1) + popcnt<u32>(sx2)
    if ((f0 | f1 | f2 | s0 | s1 | s2) == 0) break
    const other = now
    now = next
    next = other
    plane += popcnt<u32>(varying) * PLANE
  }
  addWork(positions * POSITION_UNITS + states * STATE_UNITS)
  if (!((f0 | f1 | f2 | s0 | s1 | s2) & last)) return false
  give(accepted, now, f0 & last, s0 & last, 0)
  give(accepted, now, f1 & last, s1 & last, 1)
  give(accepted, now, f2 & last, s2 & last, 2)
  give(accepted, now, fx1 & last, sx1 & last, EXTRA_ONE)
  give(accepted, now, fx2 & last, sx2 & last, EXTRA_TWO)
  return true
}

@inline
function give(accepted: usize, set: usize, all: u32, some: u32, level: u32): void {
  const to = accepted + level * PLANE
  const from = set + level * LEVEL_BYTES + elements * PLANE
  for (let i: usize = 0; i < PLANE; i += 16) v128.store(to + i, some ? v128.load(from + i) : i8x16.splat(all ? -1 : 0))
}

/**
 * All transitions into the states `wanted` at the next position, from those that every plate is in (`full`) or some
 * plates are in (`states`); pullWrong: also from `less` with one error fewer, and from `lessNow`, those of them just
 * entered. States that every plate is in lead to states that every plate is in.
 *
 *     next(e, j) = now(e, j-1) and class of j-1  |  now(e, j) if there is a run  |  now(e-1, j)  |  now(e-1, j-1)
 *                  |  next(e-1, j-1)
 *
 * @returns those that some plate is in
 */
function pullRight(now: usize, next: usize, full: u32, states: u32, wanted: u32, taken: u32): u32 {
  const zeros = workspace + ZEROS_AT
  const on = ((full | states) & taken) << 1
  const stay = states & stars
  let made: u32 = 0
  for (let todo = (on | stay) & wanted; todo != 0; todo &= todo - 1) {
    const j = ctz(todo)
    const at = j * PLANE
    const from = open(states << 1, j, now + at - PLANE, workspace + ONES_AT)
    const taker = open(on, j, workspace + VECTORS_AT + at - PLANE, zeros)
    const run = open(stay, j, now + at, zeros)
    made |= <u32>enterRight(next + at, from, taker, run) << j
  }
  return made
}

/** `level`, `lower`: offsets in a set of the states with this number of errors and with one fewer, bytes. */
function pullWrong(
  now: usize, next: usize, level: usize, lower: usize, full: u32, states: u32, less: u32, lessNow: u32, wanted: u32,
  taken: u32,
): u32 {
  const zeros = workspace + ZEROS_AT
  const here = now + level
  const before = now + lower
  const to = next + level
  const entered = next + lower
  const on = ((full | states) & taken) << 1
  const stay = states & stars
  let made: u32 = 0
  for (let todo = (on | stay | less | (less << 1) | (lessNow << 1)) & wanted; todo != 0; todo &= todo - 1) {
    const j = ctz(todo)
    const at = j * PLANE
    const from = open(states << 1, j, here + at - PLANE, workspace + ONES_AT)
    const taker = open(on, j, workspace + VECTORS_AT + at - PLANE, zeros)
    const run = open(stay, j, here + at, zeros)
    const extra = open(less, j, before + at, zeros)
    const misread = open(less << 1, j, before + at - PLANE, zeros)
    const missing = open(lessNow << 1, j, entered + at - PLANE, zeros)
    made |= <u32>enterWrong(to + at, from, taker, run, extra, misread, missing) << j
  }
  return made
}

/** The same where the only errors are extra characters. */
function pullExtra(
  now: usize, next: usize, level: usize, lower: usize, full: u32, states: u32, less: u32, wanted: u32, taken: u32,
): u32 {
  const zeros = workspace + ZEROS_AT
  const here = now + level
  const on = ((full | states) & taken) << 1
  const stay = states & stars
  let made: u32 = 0
  for (let todo = (on | stay | less) & wanted; todo != 0; todo &= todo - 1) {
    const j = ctz(todo)
    const at = j * PLANE
    const from = open(states << 1, j, here + at - PLANE, workspace + ONES_AT)
    const taker = open(on, j, workspace + VECTORS_AT + at - PLANE, zeros)
    const run = open(stay, j, here + at, zeros)
    const extra = open(less, j, now + lower + at, zeros)
    made |= <u32>enterExtra(next + level + at, from, taker, run, extra) << j
  }
  return made
}

/** `yes` when bit `j` is set, else `no`. */
@inline
function open(bits: u32, j: u32, yes: usize, no: usize): usize {
  return no + ((yes - no) & (0 - ((bits >> j) & 1)))
}

/** Computes for each of these elements the vector of plates whose character at the current position it accepts. */
function makeVectors(wanted: u32, plane: usize, varying: u32, code: u32): void {
  for (; wanted != 0; wanted &= wanted - 1) {
    const j = ctz(wanted)
    const to = workspace + VECTORS_AT + j * PLANE
    const id = <u32>load<u8>(automaton + j, AUTOMATON_CLASSES)
    if (varying == 0 || id == ANY) memory.copy(to, workspace + ONES_AT, PLANE)
    else takersOf(to, classes + id * CLASS_BYTES, plane, varying, code)
  }
}
