import {
  CHARACTERS, MAX_LENGTH, MAX_ODD_LINES, MAX_REGIONS, RANK_SPECIAL, RECORD_BYTES, REGION_NAME_BYTES,
} from './layout'
import { keyOf } from './plate_key'
import { rankOfAscii } from './tables'

/**
 * Bulk load of rows into a dictionary: records of u64 key and u64 meta, in order of arrival.
 *
 *     meta   bits 0..7 region   8..23 count (65535: that or more)   24..43 first hour   44..63 last hour, since 1970
 *
 * Regions are numbered in order of appearance; a table has their names (length, up to 15 bytes); number 0 is the empty
 * name.
 */
let records: usize = 0
let recordCount: u32 = 0
let regions: usize = 0
let regionCount: u32 = 1
let lastRegion: u32 = 0
let refused: u32 = 0
let consumed: u32 = 0

export function beginLoad(recordsAt: usize, regionsAt: usize): void {
  records = recordsAt
  recordCount = 0
  regions = regionsAt
  regionCount = 1
  lastRegion = 0
  refused = 0
}

export function loadedRecords(): u32 {
  return recordCount
}

/** Called after joining, and when the host has written records itself. */
export function setLoadedRecords(count: u32): void {
  recordCount = count
}

export function loadedRegions(): u32 {
  return regionCount
}

/** Called when the host has written names into the table itself. */
export function setLoadedRegions(count: u32): void {
  regionCount = count
}

/** Number of rows whose plate is not 1 to 12 of [A-Z0-9]. */
export function refusedRows(): u32 {
  return refused
}

/** Bytes that the last call consumed; the rest is the beginning of a row. */
export function consumedBytes(): u32 {
  return consumed
}

@inline
export function metaOf(region: u32, count: u32, first: u32, last: u32): u64 {
  return <u64>region | (<u64>min<u32>(count, 65535) << 8) | (<u64>(first & 0xfffff) << 24) |
    (<u64>(last & 0xfffff) << 44)
}

@inline
function add(key: u64, meta: u64): void {
  const record = records + <usize>recordCount * RECORD_BYTES
  store<u64>(record, key)
  store<u64>(record, meta, 8)
  recordCount++
}

/**
 * Loads whole rows of ClickHouse's RowBinary from `from` to `end`: String plate, String region, UInt32 count, UInt32
 * first hour, UInt32 last hour. The host has reserved (end - from) / 14 records.
 */
export function loadRows(from: usize, end: usize): void {
  let at = from
  let whole = from
  while (at < end) {
    const plateLength = <u32>load<u8>(at)
    // a longer string cannot be a plate; the length has more bytes, so the host skips the row
    if (plateLength >= 128) break
    const plate = at + 1
    at = plate + plateLength
    if (at >= end) break
    const regionLength = <u32>load<u8>(at)
    if (regionLength >= 128) break
    const region = at + 1
    at = region + regionLength + 12
    if (at > end) break
    whole = at
    const key = keyOf(plate, plateLength)
    if (key == 0) {
      refused++
      continue
    }
    add(key, metaOf(regionOf(region, regionLength), load<u32>(at - 12), load<u32>(at - 8), load<u32>(at - 4)))
  }
  consumed = <u32>(whole - from)
}

/**
 * Loads whole lines of text, one plate each, seen once in `hour`. Converts lower case, ignores blanks and dashes. Lines
 * with any other byte are left to the host: up to MAX_ODD_LINES addresses of their starts (u32) are written to `odd`.
 * @returns the number of such lines
 */
export function loadLines(from: usize, end: usize, hour: u32, odd: usize): u32 {
  let at = from
  let whole = from
  let odds: u32 = 0
  while (at < end && odds < MAX_ODD_LINES) {
    const start = at
    let key: u64 = 0
    let length: u32 = 0
    let fine = true
    let byte: u32 = 0
    while (at < end) {
      byte = load<u8>(at++)
      if (byte == 10) break
      let rank: u32 = byte < 128 ? rankOfAscii(byte) : 0
      if (rank == RANK_SPECIAL) {
        if (byte < 97) continue
        rank = rankOfAscii(byte - 32)
      }
      if (rank - 1 >= CHARACTERS) {
        fine = false
        continue
      }
      length++
      if (length <= MAX_LENGTH) key = key * 37 + rank
    }
    if (byte != 10) break
    whole = at
    if (!fine || length > MAX_LENGTH) {
      store<u32>(odd + odds * 4, <u32>start)
      odds++
      continue
    }
    if (length == 0) continue
    add(key, metaOf(0, 1, hour, hour))
  }
  consumed = <u32>(whole - from)
  return odds
}

/** Number of a region's name; at most 255 names, longer or later ones are unknown (0). */
function regionOf(name: usize, length: u32): u32 {
  if (length == 0 || length >= REGION_NAME_BYTES) return 0
  if (sameRegion(lastRegion, name, length)) return lastRegion
  for (let r: u32 = 1; r < regionCount; r++) {
    if (sameRegion(r, name, length)) {
      lastRegion = r
      return r
    }
  }
  if (regionCount == MAX_REGIONS) return 0
  const entry = regions + regionCount * REGION_NAME_BYTES
  store<u8>(entry, length)
  memory.copy(entry + 1, name, length)
  lastRegion = regionCount
  return regionCount++
}

function sameRegion(region: u32, name: usize, length: u32): bool {
  const entry = regions + region * REGION_NAME_BYTES
  if (load<u8>(entry) != length) return false
  for (let i: u32 = 0; i < length; i++) if (load<u8>(entry + 1 + i) != load<u8>(name + i)) return false
  return true
}
