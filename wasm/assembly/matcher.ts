import { place } from './arena'
import { fillConfusions } from './matcher/confusion'
import { ABI_VERSION, MAX_LENGTH } from './matcher/layout'
import { clearMatches, matchCount, matches } from './matcher/matches'
import { emissions, input, positions, takeRead } from './matcher/read'
import { prepareScan, scanGroup } from './matcher/scan'

/**
 * The calls of matcher.wasm, in the order the host makes them (wasm/matcher.ts):
 *
 *     once       abiVersion, addGroup(length, plates) for each length that occurs, its planes and indices written
 *     per read   positions written at inputAddress(), begin(count, threshold), scan in pieces, matchesFound, matchesAddress
 */

/** Per length 0..12: address and number of plates (padded to 16). */
const groups: usize = memory.data(13 * 8, 8)
let ready = false

export function abiVersion(): u32 {
  return ABI_VERSION
}

export function describe(): string {
  return 'platestream matcher: SIMD scan over lanes of plates'
}

/** Makes room for `count` plates of `length` characters; address of their planes (matcher/layout.ts), 0 when memory is at its limit. */
export function addGroup(length: u32, count: u32): usize {
  if (length == 0 || length > MAX_LENGTH) return 0
  const padded = (count + 15) & ~15
  const planes = place(padded * (length + 4))
  if (planes == 0) return 0
  memory.fill(planes, 255, padded * length)
  store<u32>(groups + length * 8, <u32>planes)
  store<u32>(groups + length * 8, padded, 4)
  return planes
}

/** Plates in the group of a length, padded. */
export function groupSize(length: u32): u32 {
  return length > MAX_LENGTH ? 0 : load<u32>(groups + length * 8, 4)
}

export function groupAddress(length: u32): usize {
  return length > MAX_LENGTH ? 0 : load<u32>(groups + length * 8)
}

/** Where the host writes up to 16 x 37 f32. */
export function inputAddress(): usize {
  return input
}

/** f64 [16][36]: P(the plate has c at position i) of the read, for explanations. */
export function emissionsAddress(): usize {
  return emissions
}

/** Takes the read of `count` positions; only plates of probability `threshold` or more will match. */
export function begin(count: u32, threshold: f64): void {
  if (!ready) {
    fillConfusions()
    ready = true
  }
  clearMatches()
  takeRead(count)
  prepareScan(threshold)
}

/** Checks plates `from .. from+count-1` (multiples of 16) of one length; in pieces, so that V8 can replace the code between calls. */
export function scan(length: u32, from: u32, count: u32): void {
  if (length + 1 < positions || length > positions + 1) return
  const size = groupSize(length)
  if (from >= size) return
  scanGroup(load<u32>(groups + length * 8), size, length, from, min(count, size - from))
}

export function matchesFound(): u32 {
  return matchCount
}

export function matchesAddress(): usize {
  return matches
}
