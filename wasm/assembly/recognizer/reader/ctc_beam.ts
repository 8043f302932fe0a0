import { CLASSES, MAX_BEAM } from '../layout'

/**
 * CTC prefix beam search. A prefix is a u64 of base-37 digits (1..36 = 0-9, A-Z; at most 12 of them), so its parent is
 * prefix / 37 and equality is one compare. Probabilities are linear f64: with at most 128 columns, the best of 37
 * classes, at least 1/37 in each, keeps far from underflow.
 *
 *     entry   u64 prefix, f64 endsInBlank, f64 endsInCharacter
 */
const ENTRY_BYTES: usize = 24
/** Prefixes from here on have 12 characters and are not extended: 37^11. */
const FULL: u64 = 177917621779460413

const first: usize = memory.data(32 * 24, 8)
const second: usize = memory.data(32 * 24, 8)
let current: usize = first
let count: u32 = 0
let next: usize = second
let nextCount: u32 = 0
let limit: u32 = 0

@inline
function prefixOf(entry: usize): u64 {
  return load<u64>(entry)
}

@inline
function totalOf(entry: usize): f64 {
  return load<f64>(entry, 8) + load<f64>(entry, 16)
}

export function beamPrefix(index: u32): u64 {
  return prefixOf(current + index * ENTRY_BYTES)
}

export function beamProbability(index: u32): f64 {
  return totalOf(current + index * ENTRY_BYTES)
}

/**
 * Searches `columns` columns of 37 probabilities (f64; class 0 the blank). Leaves up to `width` texts, most probable
 * first, on ties the smaller prefix; returns their number.
 */
export function searchBeam(probabilities: usize, columns: u32, width: u32): u32 {
  limit = min(width, MAX_BEAM)
  count = 1
  store<u64>(current, 0)
  store<f64>(current, 1, 8)
  store<f64>(current, 0, 16)
  for (let t: u32 = 0; t < columns; t++) {
    nextCount = 0
    advance(probabilities + t * CLASSES * 8)
    const old = current
    current = next
    next = old
    count = nextCount
  }
  return count
}

function advance(p: usize): void {
  const blank = load<f64>(p)
  for (let i: u32 = 0; i < count; i++) {
    const entry = current + i * ENTRY_BYTES
    const prefix = prefixOf(entry)
    let ends: f64 = 0
    if (prefix != 0) {
      const last = <u32>(prefix % CLASSES)
      const parent = find(prefix / CLASSES)
      ends = load<f64>(entry, 16)
      if (parent != 0) ends += extension(parent, last)
      ends *= load<f64>(p + last * 8)
    }
    insert(prefix, totalOf(entry) * blank, ends)
  }
  for (let i: u32 = 0; i < count; i++) extend(current + i * ENTRY_BYTES, p)
}

/**
 * Inserts every extension of `entry` by one character, except those in the beam, which are already counted.
 */
function extend(entry: usize, p: usize): void {
  const prefix = prefixOf(entry)
  if (prefix >= FULL) return
  const children = childrenOf(prefix)
  const total = totalOf(entry)
  const last = <u32>(prefix % CLASSES)
  for (let c: u32 = 1; c < CLASSES; c++) {
    const probability = (c == last ? load<f64>(entry, 8) : total) * load<f64>(p + c * 8)
    // most are far below the worst kept, so this cheap test comes first
    if (nextCount == limit && probability < totalOf(next + (limit - 1) * ENTRY_BYTES)) continue
    if ((children >> c) & 1) continue
    insert(prefix * CLASSES + c, 0, probability)
  }
}

/**
 * Probability of `entry` that the character `c` extends: after the same character only the paths that end in a blank.
 */
@inline
function extension(entry: usize, c: u32): f64 {
  const prefix = prefixOf(entry)
  return prefix != 0 && <u32>(prefix % CLASSES) == c ? load<f64>(entry, 8) : totalOf(entry)
}

function find(prefix: u64): usize {
  for (let i: u32 = 0; i < count; i++) {
    const entry = current + i * ENTRY_BYTES
    if (prefixOf(entry) == prefix) return entry
  }
  return 0
}

/** Bit c is set when prefix + c is in the beam already. */
function childrenOf(prefix: u64): u64 {
  let children: u64 = 0
  for (let i: u32 = 0; i < count; i++) {
    const other = prefixOf(current + i * ENTRY_BYTES)
    if (other != 0 && other / CLASSES == prefix) children |= <u64>1 << (other % CLASSES)
  }
  return children
}

/** Keeps the best `limit` entries of the next column, sorted. */
function insert(prefix: u64, endsInBlank: f64, endsInCharacter: f64): void {
  const total = endsInBlank + endsInCharacter
  let at = nextCount
  if (at == limit) {
    at--
    if (!isBefore(total, prefix, next + at * ENTRY_BYTES)) return
  } else {
    nextCount++
  }
  while (at > 0 && isBefore(total, prefix, next + (at - 1) * ENTRY_BYTES)) {
    memory.copy(next + at * ENTRY_BYTES, next + (at - 1) * ENTRY_BYTES, ENTRY_BYTES)
    at--
  }
  const entry = next + at * ENTRY_BYTES
  store<u64>(entry, prefix)
  store<f64>(entry, endsInBlank, 8)
  store<f64>(entry, endsInCharacter, 16)
}

@inline
function isBefore(total: f64, prefix: u64, entry: usize): bool {
  const other = totalOf(entry)
  return total > other || (total == other && prefix < prefixOf(entry))
}
