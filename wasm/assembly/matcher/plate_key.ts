import { MAX_LENGTH } from './layout'
import { codeOfRank, rankOfAscii } from './tables'

/**
 * A plate as one u64: its characters are the digits 1..36 (ranks, in the order of the codes) of a number in base 37. No
 * digit is 0, so a longer plate is always a greater number, and plates of one length are in the order of their codes:
 * neighbours in sorted order share their first codes.
 */

/** Key of `length` bytes of ASCII at `text`; 0 when it is not 1 to 12 of [A-Z0-9]. */
export function keyOf(text: usize, length: u32): u64 {
  if (length == 0 || length > MAX_LENGTH) return 0
  let key: u64 = 0
  for (let i: u32 = 0; i < length; i++) {
    const character = <u32>load<u8>(text + i)
    const rank: u32 = character < 128 ? rankOfAscii(character) : 0
    if (rank - 1 >= 36) return 0
    key = key * 37 + rank
  }
  return key
}

/** 37^3 and 37^6. */
const TRIPLE: u32 = 50653
const HALF: u64 = 2565726409

/** Codes of three digits at a time: u8[3] in a u32, for each of 37^3 numbers. 202,612 bytes. */
let triples: usize = 0

/** Fills the table of triples at this address (needed by a build). */
export function fillTriples(at: usize): void {
  triples = at
  for (let number: u32 = 0; number < TRIPLE; number++) {
    const a = number / (37 * 37)
    const b = (number / 37) % 37
    const c = number % 37
    store<u32>(at + number * 4, codeOfRank(a) | (codeOfRank(b) << 8) | (codeOfRank(c) << 16))
  }
}

/** Writes the codes of a key to the 16 bytes at `row`, right-aligned: the last character at byte 11. */
@inline
export function codesOf(key: u64, row: usize): void {
  // the higher half by f64, corrected by at most one: 64-bit division is many times slower
  let high = <u64>(<f64>key * (1.0 / 2565726409.0))
  const product = high * HALF
  if (product > key) high--
  else if (key - product >= HALF) high++
  const low = <u32>(key - high * HALF)
  const first = <u32>high / TRIPLE
  const third = low / TRIPLE
  store<u32>(row, load<u32>(triples + first * 4))
  store<u32>(row, load<u32>(triples + (<u32>high - first * TRIPLE) * 4), 3)
  store<u32>(row, load<u32>(triples + third * 4), 6)
  store<u32>(row, load<u32>(triples + (low - third * TRIPLE) * 4), 9)
}
