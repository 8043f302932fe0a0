import { alignment, gap, probabilityOf } from './align'
import { CHARACTERS } from './layout'
import { addMatch } from './matches'
import { bestAt, emission, positions } from './read'

/**
 * Exact scan with a SIMD prefilter. An entry can only reach the threshold if every aligned character is plausible: its emission times the
 * most all other positions can give reaches it. With one gap at most, either the first `head` characters stand where they were
 * read (gap behind them), or the last `tail` do, counted from the end. So 16 plates at once are tested on three characters from each end;
 * what passes is computed exactly.
 *
 * A plausible set is three 16-byte tables for i8x16.swizzle, which answers 0 for indices from 16 on: classes 0-15, 16-31, 32-35.
 */
const TESTS: u32 = 3
const SET_BYTES: usize = 48
const headSets: usize = memory.data(3 * 48, 16)
const tailSets: usize = memory.data(3 * 48, 16)
let head: u32 = 0
let tail: u32 = 0
let threshold: f64 = 1

/** Slack for rounding: products in another order differ by a few units in the last place. */
const SLACK: f64 = 1 - 1e-9

/** Prepares the plausible sets of the read taken last. */
export function prepareScan(least: f64): void {
  threshold = least
  head = min<u32>(TESTS, positions >> 1)
  tail = min<u32>(TESTS, positions - head)
  for (let i: u32 = 0; i < TESTS; i++) {
    fillSet(headSets + i * SET_BYTES, i, i < head)
    fillSet(tailSets + i * SET_BYTES, positions - 1 - i, i < tail)
  }
}

/** The characters that may stand at `position`; all of them when the test is not used. */
function fillSet(set: usize, position: u32, used: bool): void {
  memory.fill(set, 0, SET_BYTES)
  let others: f64 = 1
  if (used) for (let i: u32 = 0; i < positions; i++) if (i != position) others *= bestAt(i)
  for (let c: u32 = 0; c < CHARACTERS; c++) {
    if (!used || emission(position, c) * others >= threshold * SLACK) store<u8>(set + c, 255)
  }
}

/** 255 in each lane whose character is in the set. */
@inline
function inSet(set: usize, characters: v128): v128 {
  const low = i8x16.swizzle(v128.load(set), characters)
  const middle = i8x16.swizzle(v128.load(set, 16), i8x16.sub(characters, i8x16.splat(16)))
  const high = i8x16.swizzle(v128.load(set, 32), i8x16.sub(characters, i8x16.splat(32)))
  return v128.or(v128.or(low, middle), high)
}

/**
 * Checks plates `from .. from+count-1` of a group (multiples of 16) against the read. `planes`: the group; `stride`: its padded number
 * of plates; `length`: of its plates, positions - 1 to positions + 1.
 */
export function scanGroup(planes: usize, stride: usize, length: u32, from: u32, count: u32): void {
  const aligned = length == positions
  // a test that is not used reads plane 0, of which every character but the padding passes
  const h1 = head > 1 ? stride : 0
  const h2 = head > 2 ? 2 * stride : 0
  const t0 = tail > 0 ? (length - 1) * stride : 0
  const t1 = tail > 1 ? (length - 2) * stride : 0
  const t2 = tail > 2 ? (length - 3) * stride : 0
  const end = planes + from + count
  for (let at = planes + from; at < end; at += 16) {
    let heads = v128.and(inSet(headSets, v128.load(at)), inSet(headSets + SET_BYTES, v128.load(at + h1)))
    if (aligned && !v128.any_true(heads)) continue
    let tails = v128.and(inSet(tailSets, v128.load(at + t0)), inSet(tailSets + SET_BYTES, v128.load(at + t1)))
    if (!v128.any_true(aligned ? v128.and(heads, tails) : v128.or(heads, tails))) continue
    heads = v128.and(heads, inSet(headSets + 2 * SET_BYTES, v128.load(at + h2)))
    tails = v128.and(tails, inSet(tailSets + 2 * SET_BYTES, v128.load(at + t2)))
    let passed = <u32>i8x16.bitmask(aligned ? v128.and(heads, tails) : v128.or(heads, tails))
    while (passed != 0) {
      const lane = ctz(passed)
      passed &= passed - 1
      checkPlate(planes, <u32>(at - planes) + lane, stride, length)
    }
  }
}

function checkPlate(planes: usize, lane: u32, stride: usize, length: u32): void {
  const probability = probabilityOf(planes + lane, stride, length)
  if (probability < threshold) return
  addMatch(probability, load<u32>(planes + length * stride + lane * 4), alignment, gap, lane)
}
