import { bestFrom, candidateCount, candidates, listCandidates, missing, positions, skip } from './hot_read'
import { lastEntry, nextEntry } from './hot_index'
import { MAX_LENGTH } from './layout'
import { addMatch } from './matches'
import { classOfCode, codeOfRank } from './tables'

/**
 * Checks a read against a hot list, exactly: instead of looking at every entry, it walks through every text that the read may be with at least the
 * threshold's probability, and looks each up. There are about 1 / threshold of them at most, because the probabilities of the alignments of
 * one read add up to little more than 1. The bound that cuts a branch: its product so far times the most that the remaining positions can give.
 *
 * A text is one path: at each position a character of the plate, or nothing (an extra character in the read); before each position and
 * at the end, characters that were not read. Products are taken from left to right, so that a scalar search finds the very same numbers.
 */
let least: f64 = 1
let threshold: f64 = 1
/** Rank of each class: u8[36]. */
let ranks: usize = 0
let walked: u32 = 0

/** Slack for bounds: products in another order differ by a few units in the last place. */
const SLACK: f64 = 1 - 1e-9

/** `scratch`: 64 bytes. The read has been taken. */
export function walk(atLeast: f64, scratch: usize): void {
  threshold = atLeast
  least = atLeast * SLACK
  ranks = scratch
  walked = 0
  for (let rank: u32 = 1; rank <= 36; rank++) store<u8>(ranks + classOfCode(codeOfRank(rank)), rank)
  // missing characters are walked by kind: the first ten classes are digits
  listCandidates(least, ranks)
  if (bestFrom(0) >= least) from(0, 0, 0, 1)
}

/** Texts looked up by the last walk. */
export function textsWalked(): u32 {
  return walked
}

function from(position: u32, length: u32, key: u64, product: f64): void {
  if (position == positions) {
    if (length > 0) lookUp(key, product)
  } else {
    const rest = bestFrom(position + 1)
    if (length < MAX_LENGTH) {
      const list = candidates(position)
      const count = candidateCount(position)
      for (let k: u32 = 0; k < count; k++) {
        const p = product * load<f64>(list + k * 16)
        if (p * rest < least) break
        from(position + 1, length + 1, key * 37 + load<u32>(list + k * 16, 8), p)
      }
    }
    const skipped = product * skip(position)
    if (skipped * rest >= least) from(position + 1, length, key, skipped)
  }
  if (length == MAX_LENGTH) return
  const rest = bestFrom(position)
  for (let kind: u32 = 0; kind < 2; kind++) {
    const p = product * missing(position, kind)
    if (p * rest < least) continue
    const first: u32 = kind == 0 ? 0 : 10
    const end: u32 = kind == 0 ? 10 : 36
    for (let c = first; c < end; c++) from(position, length + 1, key * 37 + load<u8>(ranks + c), p)
  }
}

function lookUp(key: u64, product: f64): void {
  walked++
  const last = lastEntry(key)
  if (last == 0xffffffff || product < threshold) return
  let entry = last
  do {
    entry = nextEntry(entry)
    if (!addMatch(product, entry)) break
  } while (entry != last)
}
