import { runAlignments, takeAlignments } from './alignments'
import {
  fillPossible, findAnyEndings, findEndings, LEVELS, POSSIBLE_BYTES, runAutomaton, takeAutomaton,
} from './automaton'
import {
  clearCandidates, mustSettle, offer, offerLong, ONE_EXTRA, ONE_OTHER, RIGHT, settle, TWO_EXTRA, TWO_OTHER,
} from './candidates'
import { entryOf, longAt, platesIn, regionOf } from './dictionary'
import { beginEndings, endings, ENDINGS_BYTES, stepEndings } from './endings'
import {
  ACCEPTED_AT, AUTOMATON_BYTES, AUTOMATON_STARS, AUTOMATON_TAKES, BLOCK, BLOCK_ENDINGS_AT, ENDINGS_AT, ENTRY_LENGTH,
  LONG_LENGTH, LONG_REGION, LONG_SLOT, ONES_AT, ORDER_ENDINGS_AT, PATTERN_ALL_REGIONS,
  PATTERN_BOUNDS, PATTERN_CLASSES, PATTERN_EDITS, PATTERN_FRAGMENTS, PATTERN_FRAGMENT_COUNT, PATTERN_HAS_STRICT,
  PATTERN_LIMIT, PATTERN_MAX_LENGTH, PATTERN_MIN_LENGTH, PATTERN_ORDERS, PATTERN_ORDER_COUNT, PATTERN_REGIONS,
  PATTERN_STRICT, PLANE, POSSIBLE_AT, STRICT_AT, TAKEN_AT,
} from './layout'
import { clearResults, hopeless } from './results'
import { addWork, BLOCK_UNITS, clearWork, LONG_ORDER_UNITS, LONG_UNITS, work } from './work'
import { workspace } from './workspace'

/**
 * A search: runs blocks through the automata of the pattern. They give, for 512 plates at once, which plates match and
 * with at least how many errors; these are only counted. Plates that can still be among the best, given their number of
 * errors and look-alikes, are offered to candidates.ts.
 */
let pattern: usize = 0
let matched: u32 = 0
let fragments: u32 = 0
let orders: u32 = 0
let edits: u32 = 0
let allRegions: bool = false
let hasStrict: bool = false
/** Whether alignments.ts can match the fragments. */
let aligned: bool = false

/** Tables of endings.ts: of the current block, and of any block under each order. */
@inline
function blockEndings(): usize {
  return workspace + BLOCK_ENDINGS_AT
}

@inline
function orderEndings(order: u32): usize {
  return workspace + ORDER_ENDINGS_AT + order * ENDINGS_BYTES
}

/** Index of the strict form's table; only a single fragment has one. */
const STRICT: u32 = 1

@inline
function possible(fragment: u32): usize {
  return workspace + POSSIBLE_AT + fragment * POSSIBLE_BYTES
}

@inline
function bound(errors: u32): f64 {
  return load<f64>(pattern + PATTERN_BOUNDS + errors * 8)
}

/** Starts a search for the pattern at this address. */
export function beginScan(patternAt: usize): void {
  memory.fill(workspace + ONES_AT, 255, PLANE)
  pattern = patternAt
  matched = 0
  clearWork()
  fragments = load<u32>(pattern, PATTERN_FRAGMENT_COUNT)
  edits = load<u32>(pattern, PATTERN_EDITS)
  orders = load<u32>(pattern, PATTERN_ORDER_COUNT)
  clearResults(load<u32>(pattern, PATTERN_LIMIT))
  clearCandidates(pattern)
  allRegions = load<u32>(pattern, PATTERN_ALL_REGIONS) != 0
  hasStrict = load<u32>(pattern, PATTERN_HAS_STRICT) != 0
  const classes = pattern + PATTERN_CLASSES
  aligned = true
  for (let f: u32 = 0; f < fragments; f++) {
    takeAutomaton(fragmentAt(f), classes, edits)
    fillPossible(possible(f))
    if (!takeAlignments(fragmentAt(f), classes, edits)) aligned = false
  }
  if (aligned && hasStrict) {
    takeAutomaton(pattern + PATTERN_STRICT, classes, 0)
    fillPossible(possible(STRICT))
  }
  for (let o: u32 = 0; fragments > 1 && o < orders; o++) {
    takeAutomaton(orderAt(o), classes, edits)
    findAnyEndings(orderEndings(o))
  }
}

@inline
function fragmentAt(fragment: u32): usize {
  return pattern + PATTERN_FRAGMENTS + fragment * AUTOMATON_BYTES
}

@inline
function orderAt(order: u32): usize {
  return pattern + PATTERN_ORDERS + order * AUTOMATON_BYTES
}

/** Number of matching plates in the blocks scanned so far. */
export function matchedPlates(): u32 {
  return matched
}

/**
 * Scans blocks `from .. to-1`, the last one first, until about `limit` units of work (work.ts) are done. @returns the
 * block that it reached: `from` when it scanned all
 */
export function scanBlocks(from: u32, to: u32, limit: f64): u32 {
  const stopAt = work + limit
  const least = load<u32>(pattern, PATTERN_MIN_LENGTH)
  const most = load<u32>(pattern, PATTERN_MAX_LENGTH)
  const taken = workspace + TAKEN_AT
  if (fragments == 1) takeFragment()
  for (let block = <i32>to - 1; block >= <i32>from; block--) {
    if (work >= stopAt || (mustSettle() && !settle(stopAt))) {
      addWork((to - block - 1) * BLOCK_UNITS)
      return block + 1
    }
    const entry = entryOf(block)
    const length = <u32>load<u8>(entry, ENTRY_LENGTH)
    if (length < least || length > most) continue
    // read before the planes: lanes appended meanwhile are ignored
    const count = platesIn(entry)
    if (fragments > 1) {
      if (joinedMatch(entry, taken)) offerBlock(block, entry, length, count)
    } else if (aligned) {
      if (runAlignments(entry, possible(0), workspace + ONES_AT, taken)) offerBlock(block, entry, length, count)
    } else if (findEndings(entry, possible(0), blockEndings()) && runAutomaton(entry, blockEndings(), taken)) {
      offerBlock(block, entry, length, count)
    }
  }
  addWork((to - from) * BLOCK_UNITS)
  return from
}

/** The same for the long plates `from .. to-1`. @returns the number that it reached */
export function scanLongs(from: u32, to: u32, limit: f64): u32 {
  const stopAt = work + limit
  const least = load<u32>(pattern, PATTERN_MIN_LENGTH)
  const most = load<u32>(pattern, PATTERN_MAX_LENGTH)
  for (let number = <i32>to - 1; number >= <i32>from; number--) {
    if (work >= stopAt) return number + 1
    addWork(LONG_UNITS)
    const at = longAt(LONG_SLOT + number)
    const length = <u32>load<u8>(at, LONG_LENGTH)
    if (length < least || length > most) continue
    if (!allRegions && !load<u8>(pattern + <u32>load<u8>(at, LONG_REGION), PATTERN_REGIONS)) continue
    const errors = leastErrors(at, length)
    if (errors > edits) continue
    matched++
    offerLong(LONG_SLOT + number, errors, length)
  }
  return from
}

/** The fewest errors with which a plate matches any order of the fragments; more than `edits` when it does not. */
function leastErrors(codes: usize, length: u32): u32 {
  const table = workspace + ENDINGS_AT
  let fewest = edits + 1
  for (let o: u32 = 0; o < orders && fewest > 0; o++) {
    const order = orderAt(o)
    addWork(LONG_ORDER_UNITS)
    beginEndings(table, load<u32>(order), load<u32>(order, AUTOMATON_STARS), edits)
    for (let i = length; i > 0; i--) {
      stepEndings(load<u32>(order + (<u32>load<u8>(codes + i - 1) << 2), AUTOMATON_TAKES))
    }
    while (fewest > 0 && endings(table, length, fewest - 1) & 1) fewest--
  }
  return fewest
}

@inline
function takeFragment(): void {
  if (aligned) takeAlignments(fragmentAt(0), pattern + PATTERN_CLASSES, 0)
  else takeAutomaton(fragmentAt(0), pattern + PATTERN_CLASSES, edits)
}

/**
 * With `&`: when every fragment occurs, the orders of the fragments decide; a plate matches when it matches one of
 * them.
 * @returns whether any plate does
 */
function joinedMatch(entry: usize, taken: usize): bool {
  const accepted = workspace + ACCEPTED_AT
  const classes = pattern + PATTERN_CLASSES
  if (aligned) {
    let among = workspace + ONES_AT
    let to = taken
    for (let f: u32 = 0; f < fragments; f++) {
      takeAlignments(fragmentAt(f), classes, 0)
      if (!runAlignments(entry, possible(f), among, to)) return false
      among = to
      to = to == taken ? accepted : taken
    }
    return joinedOrders(entry, taken, accepted)
  }
  for (let f: u32 = 0; f < fragments; f++) {
    takeAutomaton(fragmentAt(f), classes, edits)
    if (!findEndings(entry, possible(f), blockEndings()) || !runAutomaton(entry, blockEndings(), accepted)) return false
    let left = i8x16.splat(0)
    for (let i: usize = 0; i < PLANE; i += 16) {
      let v = v128.or(v128.or(v128.load(accepted + i), v128.load(accepted + i, 64)), v128.load(accepted + i, 128))
      if (f > 0) v = v128.and(v, v128.load(taken + i))
      v128.store(taken + i, v)
      left = v128.or(left, v)
    }
    if (!v128.any_true(left)) return false
  }
  return joinedOrders(entry, taken, accepted)
}

function joinedOrders(entry: usize, taken: usize, accepted: usize): bool {
  const classes = pattern + PATTERN_CLASSES
  memory.fill(taken, 0, LEVELS * PLANE)
  let some = false
  for (let o: u32 = 0; o < orders; o++) {
    takeAutomaton(orderAt(o), classes, edits)
    if (!runAutomaton(entry, orderEndings(o), accepted)) continue
    some = true
    for (let i: usize = 0; i < LEVELS * PLANE; i += 16) {
      v128.store(taken + i, v128.or(v128.load(taken + i), v128.load(accepted + i)))
    }
  }
  return some
}

/**
 * Up to this many lanes of a block are offered directly; filtering them by the strict automaton would take longer.
 */
const FEW: u32 = 3

/** Counts the matching plates and offers those that may be among the best. */
function offerBlock(block: u32, entry: usize, length: u32, count: u32): void {
  const taken = workspace + TAKEN_AT
  // of plates without an error, perhaps only those without a look-alike can still enter the results
  const strict = hasStrict && hopeless(bound(1)) && (aligned || lanesIn(taken) > FEW) ? strictLanes(entry) : taken
  for (let word: u32 = 0; word < count; word += 64) {
    const at = taken + (word >> 3)
    const whole: u64 = count - word < 64 ? (<u64>1 << <u64>(count - word)) - 1 : -1
    const none = load<u64>(at) & whole
    const slot = block * BLOCK + word
    if (none != 0) offerKind(slot, none, RIGHT, length, none & load<u64>(strict + (word >> 3)))
    if (edits == 0) continue
    const one = load<u64>(at, PLANE) & whole & ~none
    const two = load<u64>(at, 2 * PLANE) & whole & ~none & ~one
    if ((one | two) == 0) continue
    const extra = load<u64>(at, 3 * PLANE) | load<u64>(at, 4 * PLANE)
    offerKind(slot, one & extra, ONE_EXTRA, length, -1)
    offerKind(slot, one & ~extra, ONE_OTHER, length, -1)
    offerKind(slot, two & extra, TWO_EXTRA, length, -1)
    offerKind(slot, two & ~extra, TWO_OTHER, length, -1)
  }
}

@inline
function lanesIn(lanes: usize): u32 {
  let count: u64 = 0
  for (let i: usize = 0; i < PLANE; i += 8) count += popcnt(load<u64>(lanes + i))
  return <u32>count
}

/** Lanes that match without an error and without a look-alike: 64 bytes. */
function strictLanes(entry: usize): usize {
  const strict = workspace + STRICT_AT
  const classes = pattern + PATTERN_CLASSES
  if (aligned) {
    takeAlignments(pattern + PATTERN_STRICT, classes, 0)
    if (!runAlignments(entry, possible(STRICT), workspace + TAKEN_AT, strict)) memory.fill(strict, 0, PLANE)
    takeAlignments(fragmentAt(0), classes, 0)
    return strict
  }
  takeAutomaton(pattern + PATTERN_STRICT, classes, 0)
  if (!runAutomaton(entry, blockEndings(), strict)) memory.fill(strict, 0, PLANE)
  takeAutomaton(fragmentAt(0), classes, edits)
  return strict
}

/** Counts up to 64 matching plates of one kind from `slot` on, in wanted regions; offers those in `hopeful`. */
function offerKind(slot: u32, lanes: u64, kind: u32, length: u32, hopeful: u64): void {
  if (lanes == 0) return
  if (!allRegions) {
    let wanted: u64 = 0
    for (let bits = lanes; bits != 0; bits &= bits - 1) {
      const lane = <u32>ctz(bits)
      if (load<u8>(pattern + regionOf(slot + lane), PATTERN_REGIONS)) wanted |= <u64>1 << <u64>lane
    }
    lanes = wanted
  }
  matched += <u32>popcnt(lanes)
  offer(slot, lanes & hopeful, kind, length)
}
