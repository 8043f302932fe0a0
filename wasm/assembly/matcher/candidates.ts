import { entryOf, lastOf, plateCodes } from './dictionary'
import {
  AUTOMATON_BYTES, BLOCK, CODES_AT, ENTRY_LENGTH, PATTERN_BOUNDS, PATTERN_EDITS, PATTERN_ORDERS, PATTERN_ORDER_COUNT,
  WAITING_AT, WAITING_ENDS_AT,
} from './layout'
import { addResult, full, hopeless, hopelessPlate, leastHopeful, tied } from './results'
import { scorePlate } from './score'
import { addWork, OFFER_UNITS, ORDER_UNITS, WEIGH_UNITS, work } from './work'
import { workspace } from './workspace'

/**
 * Matching plates that may be among the best. A plate without an error is weighed at once. Those with errors wait,
 * because most turn out irrelevant: each further error matches a hundred times as many plates; extra characters are the
 * rarest errors and the most probable, and where such plates fill the results, the plates waiting behind them are
 * dropped unweighed. Waiting plates are weighed when the scan is over, the space is used up or weighing them would take
 * long, the most probable kinds first. Each kind has space in proportion to its frequency, usually enough until better
 * plates fill the results.
 *
 *     waiting   slots by kind: u32[16384], u32[131072], u32[16384], u32[163840]
 */

/** Kinds of plates: without an error; with at least one, all extra characters or not; with at least two, the same. */
export const RIGHT: u32 = 0
export const ONE_EXTRA: u32 = 1
export const ONE_OTHER: u32 = 2
export const TWO_EXTRA: u32 = 3
export const TWO_OTHER: u32 = 4

let pattern: usize = 0
let orders: u32 = 0
let edits: u32 = 0
/** Whether weighing the waiting plates was begun and not finished. */
let settling = false
/** Whether any plates wait. */
let someWait = false

/** Waiting plates are weighed when that would take about this much work. */
const SETTLE_UNITS: u32 = 100_000_000

/** Starts a search for the pattern at this address. */
export function clearCandidates(patternAt: usize): void {
  pattern = patternAt
  edits = load<u32>(pattern, PATTERN_EDITS)
  orders = load<u32>(pattern, PATTERN_ORDER_COUNT)
  settling = false
  someWait = false
  for (let kind = ONE_EXTRA; kind <= TWO_OTHER; kind++) setEnd(kind, waiting(kind))
}

/** Upper bound of the probability of a plate of a kind (layout.ts). */
@inline
function mostOf(kind: u32): f64 {
  const offset =
    kind == RIGHT ? 0 : kind == ONE_EXTRA ? 16 : kind == ONE_OTHER ? 32 : kind == TWO_EXTRA ? 24 : 40
  return load<f64>(pattern + PATTERN_BOUNDS + offset)
}

/** Whether `settle` must finish before the next block, whose plates may all wait. */
@inline
export function mustSettle(): bool {
  return someWait && (settling || tooManyWait())
}

function tooManyWait(): bool {
  let plates: u32 = 0
  for (let kind = ONE_EXTRA; kind <= TWO_OTHER; kind++) {
    const end = endOf(kind)
    if (end + BLOCK * 4 > waiting(kind + 1)) return true
    plates += <u32>(end - waiting(kind)) >> 2
  }
  return plates * orders > SETTLE_UNITS / (WEIGH_UNITS + ORDER_UNITS * 5)
}

/**
 * Offers up to 64 plates (bits of `lanes`) of `length` characters from `slot` on. There is room: `mustSettle` was false
 * before their block.
 */
export function offer(slot: u32, lanes: u64, kind: u32, length: u32): void {
  if (lanes == 0 || hopeless(mostOf(kind))) return
  if (kind == RIGHT) {
    addWork(<u32>popcnt(lanes) * OFFER_UNITS)
    for (let bits = lanes; bits != 0; bits &= bits - 1) weigh(slot + <u32>ctz(bits), RIGHT, length)
    return
  }
  someWait = true
  let end = endOf(kind)
  for (let bits = lanes; bits != 0; bits &= bits - 1) {
    store<u32>(end, slot + <u32>ctz(bits))
    end += 4
  }
  setEnd(kind, end)
}

/**
 * Weighs the waiting plates that can be among the best, until `work` reaches `stopAt`. @returns whether that was all:
 * then the results are those of all plates scanned
 */
export function settle(stopAt: f64): bool {
  settling = true
  for (let kind = ONE_EXTRA; kind <= TWO_OTHER; kind++) {
    const first = waiting(kind)
    const end = endOf(kind)
    for (let at = first; at < end && !hopeless(mostOf(kind)); at += 4) {
      if (work >= stopAt) {
        memory.copy(first, at, end - at)
        setEnd(kind, first + (end - at))
        return false
      }
      const plate = load<u32>(at)
      weigh(plate, kind, load<u8>(entryOf(plate / BLOCK), ENTRY_LENGTH))
    }
    setEnd(kind, first)
  }
  settling = false
  someWait = false
  return true
}

/** Weighs a long plate unless it cannot be among the best; `errors`: the fewest that it matches with. */
export function offerLong(slot: u32, errors: u32, length: u32): void {
  // the bounds of extra characters are those of any errors
  const kind = errors == 0 ? RIGHT : errors == 1 ? ONE_EXTRA : TWO_EXTRA
  if (!hopeless(mostOf(kind))) weigh(slot, kind, length)
}

/**
 * Weighs waiting plates only until there are as many results as wanted: for a page during the scan, which must not be
 * delayed further.
 */
export function fill(): void {
  for (let kind = ONE_EXTRA; kind <= TWO_OTHER; kind++) {
    while (endOf(kind) > waiting(kind) && !full()) {
      const at = endOf(kind) - 4
      setEnd(kind, at)
      const plate = load<u32>(at)
      weigh(plate, kind, load<u8>(entryOf(plate / BLOCK), ENTRY_LENGTH))
    }
  }
}

/** Start of the list of a kind; for the kind after the last, the end of the lists. */
@inline
function waiting(kind: u32): usize {
  const offset =
    kind == ONE_EXTRA ? 0
      : kind == ONE_OTHER ? 65536
        : kind == TWO_EXTRA ? 589824
          : kind == TWO_OTHER ? 655360 : 1310720
  return workspace + WAITING_AT + offset
}

/** Address of the next plate of a kind. */
@inline
function endOf(kind: u32): usize {
  return load<u32>(workspace + WAITING_ENDS_AT + (kind << 2))
}

@inline
function setEnd(kind: u32, end: usize): void {
  store<u32>(workspace + WAITING_ENDS_AT + (kind << 2), <u32>end)
}

function weigh(plate: u32, kind: u32, length: u32): void {
  const most = mostOf(kind)
  // the hour is far away in memory, so it is read only where it decides
  if (tied(most) && hopelessPlate(most, lastOf(plate), plate)) return
  addWork(WEIGH_UNITS)
  const codes = workspace + CODES_AT
  plateCodes(plate, codes)
  const least = leastHopeful()
  let best: f64 = 0
  for (let o: u32 = 0; o < orders; o++) {
    const order = pattern + PATTERN_ORDERS + o * AUTOMATON_BYTES
    best = Math.max(best, scorePlate(pattern, order, edits, codes, length, least))
  }
  if (hopeless(best)) return
  const last = lastOf(plate)
  if (!hopelessPlate(best, last, plate)) addResult(best, plate, last)
}
