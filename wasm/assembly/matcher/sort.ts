import { BUCKETS, RECORD_BYTES } from './layout'

/**
 * Radix sort of records by key, then region: stable passes of 11 bits from the lowest, in pieces, so that V8 can switch
 * to optimised code between calls. The host skips a pass in which all digits are equal. Pass 0 is the region, passes 1
 * to 6 are the key.
 */
const DIGIT: u64 = 2047

@inline
function digitOf(record: usize, pass: u32): u32 {
  return pass == 0 ? <u32>load<u8>(record, 8) : <u32>((load<u64>(record) >> (11 * (pass - 1))) & DIGIT)
}

/** Counts the digits of records `from .. to-1` for all passes into u32 [7][2048]. */
export function countDigits(records: usize, from: u32, to: u32, counts: usize): void {
  for (let i = from; i < to; i++) {
    const record = records + <usize>i * RECORD_BYTES
    const key = load<u64>(record)
    const region = counts + (<usize>load<u8>(record, 8) << 2)
    store<u32>(region, load<u32>(region) + 1)
    for (let pass: u32 = 0; pass < 6; pass++) {
      const count = counts + <usize>((pass + 1) * BUCKETS * 4) + (<usize>((key >> (11 * pass)) & DIGIT) << 2)
      store<u32>(count, load<u32>(count) + 1)
    }
  }
}

/** Converts the counts of a pass to the first index of each digit. @returns whether the pass changes the order */
export function placeDigits(counts: usize, pass: u32, total: u32): bool {
  const places = counts + pass * BUCKETS * 4
  let sum: u32 = 0
  for (let d: u32 = 0; d < BUCKETS; d++) {
    const count = load<u32>(places + d * 4)
    if (count == total) return false
    store<u32>(places + d * 4, sum)
    sum += count
  }
  return true
}

/** Moves records `from .. to-1` to their places in `target`. */
export function scatter(records: usize, target: usize, from: u32, to: u32, counts: usize, pass: u32): void {
  const places = counts + pass * BUCKETS * 4
  for (let i = from; i < to; i++) {
    const record = records + <usize>i * RECORD_BYTES
    const place = places + (<usize>digitOf(record, pass) << 2)
    const at = load<u32>(place)
    store<u32>(place, at + 1)
    v128.store(target + <usize>at * RECORD_BYTES, v128.load(record))
  }
}

/**
 * Joins neighbours of one key and region in `records[from ..]`, writing from `to` on: adds the counts, keeps the
 * earliest first and the latest last hour. In pieces: `from` is the end of the previous piece, `to` its result.
 * @returns the number of records written so far
 */
export function joinRecords(records: usize, from: u32, end: u32, to: u32): u32 {
  for (let i = from; i < end; i++) {
    const record = records + <usize>i * RECORD_BYTES
    const key = load<u64>(record)
    const meta = load<u64>(record, 8)
    if (to > 0) {
      const last = records + <usize>(to - 1) * RECORD_BYTES
      const before = load<u64>(last, 8)
      if (load<u64>(last) == key && <u8>before == <u8>meta) {
        const count = min<u64>(((before >> 8) & 0xffff) + ((meta >> 8) & 0xffff), 0xffff)
        const first = min<u64>((before >> 24) & 0xfffff, (meta >> 24) & 0xfffff)
        store<u64>(last, (before & 0xff) | (count << 8) | (first << 24) | (max<u64>(before >> 44, meta >> 44) << 44), 8)
        continue
      }
    }
    const place = records + <usize>to * RECORD_BYTES
    store<u64>(place, key)
    store<u64>(place, meta, 8)
    to++
  }
  return to
}

/** Index of the first sorted record whose key is not below `key`. */
export function firstFrom(records: usize, count: u32, key: u64): u32 {
  let low: u32 = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >> 1
    if (load<u64>(records + <usize>middle * RECORD_BYTES) < key) low = middle + 1
    else high = middle
  }
  return low
}
