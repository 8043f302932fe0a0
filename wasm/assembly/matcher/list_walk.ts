import { MAX_LENGTH, READ_AT, READ_TEXTS, WAY_BYTES, WAY_KEY, WAY_LENGTH, WAY_SCALE, WAY_STEP } from './layout'
import { keepListed, lastEntry, nextEntry } from './list_index'
import {
  bestFrom, candidateCount, candidates, listCandidates, missing, otherFrom, positions, skip, way,
} from './list_read'
import { addMatch } from './matches'
import { classOfCode, codeOfRank } from './tables'
import { workspace } from './workspace'

/**
 * Matches a read against a hot list, exactly: instead of scanning the entries, it enumerates every text of the read
 * with at least the threshold's probability and looks each up. There are at most about 1 / threshold of them, because
 * the probabilities of the alignments of one read sum to little more than 1. A branch is pruned when its product so far
 * times the upper bound of the remaining positions is too small.
 *
 * A text is one path: at each position a character of the plate, or nothing (an extra character in the read); before
 * each position and at the end, characters that were not read. Products are taken from left to right, so that a scalar
 * search finds identical numbers.
 *
 * Three things make it fast. Where only the best way on is left, it is taken in one step. The first character that was
 * not read stays open until the end of its path, which is walked once for all its possible characters. Texts are
 * collected and looked up in batches (list_index.ts).
 */
let least: f64 = 1
let threshold: f64 = 1
/** Rank of each class: u8[36]. */
let ranks: usize = 0
let walked: u32 = 0
/** Address of the next text: 16 bytes, u64 key, f64 probability. */
let next: usize = 0
let texts: usize = 0
const MAX_TEXTS: u32 = 1024

/** Slack of bounds: the order of factors changes a product by a few units in the last place. */
const SLACK: f64 = 1 - 1e-9

/** Kind of the open character of a path: a digit, a letter, or none. */
const DIGIT: u32 = 0
const NONE: u32 = 2
/** Classes of a kind: the first ten are digits. */
const FIRST_LETTER: u32 = 10
const CLASS_COUNT: u32 = 36

/** `scratch`: 64 bytes. takeRead must precede. */
export function walk(atLeast: f64, scratch: usize): void {
  threshold = atLeast
  least = atLeast * SLACK
  ranks = scratch
  walked = 0
  texts = workspace + READ_AT + READ_TEXTS
  next = texts
  for (let rank: u32 = 1; rank <= 36; rank++) store<u8>(ranks + classOfCode(codeOfRank(rank)), rank)
  listCandidates(least, ranks)
  if (bestFrom(0) >= least) from(0, 0, 0, 1, NONE, 0)
  lookUp()
}

/** Number of texts looked up by the last walk. */
export function textsWalked(): u32 {
  return walked
}

/**
 * Walks all ways on from a position, with `length` characters in `key` so far.
 * @param open kind of the open character of the key; `scale` is its place value: 37^(characters after it)
 */
function from(position: u32, length: u32, key: u64, product: f64, open: u32, scale: u64): void {
  if (product * otherFrom(position) < least) {
    goOn(position, length, key, product, open, scale)
    return
  }
  if (position == positions) {
    if (length > 0) give(key, product, open, scale)
  } else {
    const rest = bestFrom(position + 1)
    if (length < MAX_LENGTH) {
      const list = candidates(position)
      const count = candidateCount(position)
      for (let k: u32 = 0; k < count; k++) {
        const p = product * load<f64>(list + k * 16)
        if (p * rest < least) break
        from(position + 1, length + 1, key * 37 + load<u32>(list + k * 16, 8), p, open, scale * 37)
      }
    }
    const skipped = product * skip(position)
    if (skipped * rest >= least) from(position + 1, length, key, skipped, open, scale)
  }
  if (length == MAX_LENGTH) return
  const rest = bestFrom(position)
  for (let kind: u32 = DIGIT; kind < NONE; kind++) {
    const p = product * missing(position, kind)
    if (p * rest < least) continue
    if (open == NONE) from(position, length + 1, key * 37, p, kind, 1)
    else {
      for (let c = firstOf(kind); c < endOf(kind); c++) {
        from(position, length + 1, key * 37 + load<u8>(ranks + c), p, open, scale * 37)
      }
    }
  }
}

/** Takes the only way left, the best one. */
function goOn(position: u32, length: u32, key: u64, product: f64, open: u32, scale: u64): void {
  const rest = way(position)
  const whole = length + load<u32>(rest, WAY_LENGTH)
  if (whole == 0 || whole > MAX_LENGTH) return
  const end = way(positions)
  for (let at = rest; at < end; at += WAY_BYTES) product *= load<f64>(at, WAY_STEP)
  const places = load<u64>(rest, WAY_SCALE)
  give(key * places + load<u64>(rest, WAY_KEY), product, open, scale * places)
}

/** Adds a text, or all texts of an open character. */
function give(key: u64, product: f64, open: u32, scale: u64): void {
  if (product < threshold) return
  if (open == NONE) {
    put(key, product)
    return
  }
  for (let c = firstOf(open); c < endOf(open); c++) put(key + <u64>load<u8>(ranks + c) * scale, product)
}

@inline
function firstOf(kind: u32): u32 {
  return kind == DIGIT ? 0 : FIRST_LETTER
}

@inline
function endOf(kind: u32): u32 {
  return kind == DIGIT ? FIRST_LETTER : CLASS_COUNT
}

@inline
function put(key: u64, product: f64): void {
  store<u64>(next, key)
  store<f64>(next, product, 8)
  next += 16
  if (next == texts + MAX_TEXTS * 16) lookUp()
}

function lookUp(): void {
  const count = <u32>((next - texts) >> 4)
  next = texts
  walked += count
  const end = texts + (<usize>keepListed(texts, count) << 4)
  for (let text = texts; text < end; text += 16) {
    const last = lastEntry(load<u64>(text))
    if (last == 0xffffffff) continue
    const product = load<f64>(text, 8)
    let entry = last
    do {
      entry = nextEntry(entry)
      if (!addMatch(product, entry)) break
    } while (entry != last)
  }
}
