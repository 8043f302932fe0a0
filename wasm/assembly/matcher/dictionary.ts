import { largeCount, putLarge } from './large_counts'
import { metaOf } from './bulk_load'
import {
  BLOCK, CODE_BITS, ENTRY_BYTES, ENTRY_CODES, ENTRY_COUNT, ENTRY_KEY, ENTRY_LENGTH, ENTRY_VARYING, HEADER_BLOCKS,
  HEADER_COUNTS, HEADER_DIRECTORY, HEADER_FIRSTS, HEADER_FRESH_BLOCKS, HEADER_FRESH_DIRECTORY, HEADER_HOUR0,
  HEADER_LARGE, HEADER_LARGE_CAPACITY, HEADER_LARGE_HELD, HEADER_LASTS, HEADER_LONGS, HEADER_LONG_DIRECTORY,
  HEADER_REGIONS, LONG_BYTES, LONG_CHUNK, LONG_COUNT, LONG_FIRST, LONG_LAST, LONG_LENGTH, LONG_REGION, LONG_SLOT,
  MAX_FRESH, MAX_LONG_CHUNKS, META_BYTES, PLANE, RECORD_BYTES,
} from './layout'
import { rankOfCode } from './tables'

/**
 * The dictionary of this instance (header in layout.ts): base blocks, sorted and packed, then fresh blocks, to which
 * one instance appends while others search. A fresh block stores all planes of its length; a lane is valid once the
 * block's count, which is written last, includes it. Plates too long for blocks are a list (layout.ts); one of them is
 * valid once their number includes it.
 */
let header: usize = 0
let directory: usize = 0
export let baseBlocks: u32 = 0
let lasts: usize = 0
let firsts: usize = 0
let regions: usize = 0
let counts: usize = 0
let freshDirectory: usize = 0
let longDirectory: usize = 0
let hour0: u32 = 0

export function openDictionary(headerAt: usize): void {
  header = headerAt
  directory = load<u32>(header, HEADER_DIRECTORY)
  baseBlocks = load<u32>(header, HEADER_BLOCKS)
  lasts = load<u32>(header, HEADER_LASTS)
  firsts = load<u32>(header, HEADER_FIRSTS)
  regions = load<u32>(header, HEADER_REGIONS)
  counts = load<u32>(header, HEADER_COUNTS)
  freshDirectory = load<u32>(header, HEADER_FRESH_DIRECTORY)
  longDirectory = load<u32>(header, HEADER_LONG_DIRECTORY)
  hour0 = load<u32>(header, HEADER_HOUR0)
}

/** Current number of blocks, base and fresh. */
export function blocksNow(): u32 {
  return baseBlocks + atomic.load<u32>(header, HEADER_FRESH_BLOCKS)
}

/** Current number of long plates. */
export function longsNow(): u32 {
  return atomic.load<u32>(header, HEADER_LONGS)
}

/** Address of a long plate. */
@inline
export function longAt(slot: u32): usize {
  const number = slot - LONG_SLOT
  return <usize>load<u32>(longDirectory + (number / LONG_CHUNK) * 4) + (number % LONG_CHUNK) * LONG_BYTES
}

@inline
export function entryOf(block: u32): usize {
  return block < baseBlocks
    ? directory + <usize>block * ENTRY_BYTES
    : freshDirectory + <usize>(block - baseBlocks) * ENTRY_BYTES
}

/** Number of valid plates of a block. */
@inline
export function platesIn(entry: usize): u32 {
  return <u32>atomic.load<u16>(entry, ENTRY_COUNT)
}

/** Start of a fresh block's meta, after its planes. */
@inline
function freshMeta(entry: usize): usize {
  return <usize>load<u32>(entry) + <u32>load<u8>(entry, ENTRY_LENGTH) * CODE_BITS * PLANE
}

@inline
function lastAddress(slot: u32): usize {
  if (slot >= LONG_SLOT) return longAt(slot) + LONG_LAST
  const block = slot / BLOCK
  return block < baseBlocks ? lasts + <usize>slot * 2 : freshMeta(entryOf(block)) + (slot % BLOCK) * 2
}

@inline
function firstAddress(slot: u32): usize {
  if (slot >= LONG_SLOT) return longAt(slot) + LONG_FIRST
  const block = slot / BLOCK
  return block < baseBlocks ? firsts + <usize>slot * 2 : freshMeta(entryOf(block)) + BLOCK * 2 + (slot % BLOCK) * 2
}

@inline
function regionAddress(slot: u32): usize {
  if (slot >= LONG_SLOT) return longAt(slot) + LONG_REGION
  const block = slot / BLOCK
  return block < baseBlocks ? regions + slot : freshMeta(entryOf(block)) + BLOCK * 4 + (slot % BLOCK)
}

@inline
function countAddress(slot: u32): usize {
  const block = slot / BLOCK
  return block < baseBlocks ? counts + slot : freshMeta(entryOf(block)) + BLOCK * 5 + (slot % BLOCK)
}

/** Hour of the last read, after hour 0. */
export function lastOf(slot: u32): u32 {
  return load<u16>(lastAddress(slot))
}

export function firstOf(slot: u32): u32 {
  return load<u16>(firstAddress(slot))
}

export function regionOf(slot: u32): u32 {
  return load<u8>(regionAddress(slot))
}

/** Number of reads; 65535 means that or more, as does 255 when the table of large counts is full. */
export function countOf(slot: u32): u32 {
  if (slot >= LONG_SLOT) return load<u16>(longAt(slot), LONG_COUNT)
  const count = <u32>load<u8>(countAddress(slot))
  if (count < 255) return count
  return largeCount(load<u32>(header, HEADER_LARGE), load<u32>(header, HEADER_LARGE_CAPACITY), slot)
}

/** Writes the codes of a plate as bytes; returns its length. */
export function plateCodes(slot: u32, codes: usize): u32 {
  if (slot >= LONG_SLOT) {
    const at = longAt(slot)
    const characters = <u32>load<u8>(at, LONG_LENGTH)
    memory.copy(codes, at, characters)
    return characters
  }
  const entry = entryOf(slot / BLOCK)
  const lane = slot % BLOCK
  const length = <u32>load<u8>(entry, ENTRY_LENGTH)
  const byte = <usize>(lane >> 3)
  const shift = lane & 7
  let plane = <usize>load<u32>(entry) + byte
  for (let p: u32 = 0; p < length; p++) {
    const varying = <u32>load<u8>(entry + p, ENTRY_VARYING)
    let code = <u32>load<u8>(entry + p, ENTRY_CODES) & ~varying
    for (let left = varying; left != 0;) {
      const bit = 31 - clz(left)
      left ^= 1 << bit
      code |= ((<u32>load<u8>(plane) >> shift) & 1) << bit
      plane += PLANE
    }
    store<u8>(codes + p, code)
  }
  return length
}

/** Writes the lanes of a block that hold exactly this plate to `out`, 512 bits. @returns whether there are any */
function lanesWith(entry: usize, codes: usize, length: u32, count: u32, out: usize): bool {
  memory.fill(out, 0, PLANE)
  for (let lane: u32 = 0; lane < count; lane += 128) {
    const left = count - lane
    let v = i8x16.splat(-1)
    let plane = <usize>load<u32>(entry) + (lane >> 3)
    for (let p: u32 = 0; p < length; p++) {
      const code = <u32>load<u8>(codes + p)
      const varying = <u32>load<u8>(entry + p, ENTRY_VARYING)
      if ((code ^ <u32>load<u8>(entry + p, ENTRY_CODES)) & ~varying) return false
      for (let bit: i32 = CODE_BITS - 1; bit >= 0; bit--) {
        if (!(varying & (1 << bit))) continue
        v = code & (1 << bit) ? v128.and(v, v128.load(plane)) : v128.andnot(v, v128.load(plane))
        plane += PLANE
      }
    }
    v128.store(out + (lane >> 3), v)
    if (left < 128) {
      for (let i = left; i < 128; i++) {
        const at = out + ((lane + i) >> 3)
        store<u8>(at, <u32>load<u8>(at) & ~(1 << (i & 7)))
      }
    }
  }
  let any: u64 = 0
  for (let i: usize = 0; i < PLANE; i += 8) any |= load<u64>(out + i)
  return any != 0
}

/**
 * Slot of a plate in a region in the base blocks (the host finds those in fresh blocks), or 0xffffffff. `codes`: one
 * byte each; `out`: 64 bytes of scratch.
 */
export function findPlate(key: u64, codes: usize, length: u32, region: u32, out: usize): u32 {
  // the last base block whose first key is not above the plate's
  let low: u32 = 0
  let high = baseBlocks
  while (low < high) {
    const middle = (low + high) >> 1
    if (load<u64>(entryOf(middle), ENTRY_KEY) <= key) low = middle + 1
    else high = middle
  }
  // the regions of one text may span blocks
  for (let block = <i32>low - 1; block >= 0; block--) {
    const entry = entryOf(block)
    if (load<u8>(entry, ENTRY_LENGTH) != length) break
    const slot = inBlock(block, entry, codes, length, region, out)
    if (slot != 0xffffffff) return slot
    if (load<u64>(entry, ENTRY_KEY) < key) break
  }
  return 0xffffffff
}

function inBlock(block: u32, entry: usize, codes: usize, length: u32, region: u32, out: usize): u32 {
  if (!lanesWith(entry, codes, length, platesIn(entry), out)) return 0xffffffff
  for (let lane: u32 = 0; lane < BLOCK; lane++) {
    if (!(load<u8>(out + (lane >> 3)) & (1 << (lane & 7)))) continue
    const slot = block * BLOCK + lane
    if (regionOf(slot) == region) return slot
  }
  return 0xffffffff
}

/** Counts one more read of a plate. There is only one writer. */
export function touchPlate(slot: u32, hour: u32): void {
  const at = hourOf(hour)
  if (at > lastOf(slot)) atomic.store<u16>(lastAddress(slot), at)
  if (at < firstOf(slot)) atomic.store<u16>(firstAddress(slot), at)
  const count = countOf(slot) + 1
  if (slot >= LONG_SLOT) {
    atomic.store<u16>(longAt(slot) + LONG_COUNT, <u16>min<u32>(count, 65535))
    return
  }
  const byte = countAddress(slot)
  if (count < 255) {
    atomic.store<u8>(byte, <u8>count)
    return
  }
  const capacity = load<u32>(header, HEADER_LARGE_CAPACITY)
  const held = load<u32>(header, HEADER_LARGE_HELD)
  // at most three quarters full, so that probes stay short
  if (load<u8>(byte) == 255 || held < capacity - (capacity >> 2)) {
    const large = load<u32>(header, HEADER_LARGE)
    const full = held >= capacity - (capacity >> 2)
    if (full && load<u8>(byte) == 255 && largeCount(large, capacity, slot) == 255) return
    if (putLarge(large, capacity, slot, min<u32>(count, 65535))) store<u32>(header, held + 1, HEADER_LARGE_HELD)
  }
  atomic.store<u8>(byte, 255)
}

/** A fresh block of this length with room, or 0xffffffff. */
export function freshWithRoom(length: u32): u32 {
  const end = blocksNow()
  for (let block = end; block > baseBlocks; block--) {
    const entry = entryOf(block - 1)
    if (load<u8>(entry, ENTRY_LENGTH) == length && platesIn(entry) < BLOCK) return block - 1
  }
  return 0xffffffff
}

/** Bytes of a fresh block of a length. */
export function freshBytes(length: u32): u32 {
  return length * CODE_BITS * PLANE + BLOCK * META_BYTES
}

/**
 * Adds an empty fresh block, whose planes and meta (zeroed) the host has allocated. @returns whether the directory had
 * room
 */
export function addFresh(planes: usize, length: u32): bool {
  const fresh = load<u32>(header, HEADER_FRESH_BLOCKS)
  if (fresh == MAX_FRESH) return false
  const entry = freshDirectory + fresh * ENTRY_BYTES
  memory.fill(entry, 0, ENTRY_BYTES)
  store<u32>(entry, <u32>planes)
  store<u8>(entry, length, ENTRY_LENGTH)
  for (let p: u32 = 0; p < length; p++) store<u8>(entry + p, 63, ENTRY_VARYING)
  atomic.store<u32>(header, fresh + 1, HEADER_FRESH_BLOCKS)
  return true
}

/** Adds room for LONG_CHUNK more long plates, when there is none. @returns whether the directory had room */
export function addLongChunk(at: usize): bool {
  const chunk = longsNow() / LONG_CHUNK
  if (chunk == MAX_LONG_CHUNKS) return false
  store<u32>(longDirectory + chunk * 4, <u32>at)
  return true
}

/** Appends a long plate; there is room. Hours are since 1970. @returns its slot. Searches that begin later see it */
export function appendLong(codes: usize, length: u32, region: u32, count: u32, first: u32, last: u32): u32 {
  const slot = LONG_SLOT + longsNow()
  const at = longAt(slot)
  memory.copy(at, codes, length)
  store<u8>(at, length, LONG_LENGTH)
  store<u8>(at, region, LONG_REGION)
  store<u16>(at, hourOf(last), LONG_LAST)
  store<u16>(at, hourOf(first), LONG_FIRST)
  store<u16>(at, min<u32>(count, 65535), LONG_COUNT)
  atomic.store<u32>(header, slot - LONG_SLOT + 1, HEADER_LONGS)
  return slot
}

/** Hours after hour 0, as the meta holds them. */
@inline
function hourOf(hour: u32): u32 {
  return hour <= hour0 ? 0 : min<u32>(hour - hour0, 0xffff)
}

/** Appends a new plate to a fresh block with room; returns its slot. Searches that begin later see it. */
export function appendPlate(block: u32, codes: usize, length: u32, region: u32, hour: u32): u32 {
  const entry = entryOf(block)
  const lane = platesIn(entry)
  let plane = <usize>load<u32>(entry) + (lane >> 3)
  for (let p: u32 = 0; p < length; p++) {
    const code = <u32>load<u8>(codes + p)
    for (let bit: i32 = CODE_BITS - 1; bit >= 0; bit--) {
      if (code & (1 << bit)) store<u8>(plane, <u32>load<u8>(plane) | (1 << (lane & 7)))
      plane += PLANE
    }
  }
  const slot = block * BLOCK + lane
  const at = hourOf(hour)
  store<u16>(lastAddress(slot), at)
  store<u16>(firstAddress(slot), at)
  store<u8>(regionAddress(slot), region)
  store<u8>(countAddress(slot), 1)
  atomic.store<u16>(entry, <u16>(lane + 1), ENTRY_COUNT)
  return slot
}

/**
 * Writes the plates of a block as records (bulk_load.ts) to `out`, `codes` 16 bytes of scratch; returns their number.
 */
export function drainBlock(block: u32, out: usize, codes: usize): u32 {
  const count = platesIn(entryOf(block))
  for (let lane: u32 = 0; lane < count; lane++) {
    const slot = block * BLOCK + lane
    const length = plateCodes(slot, codes)
    let key: u64 = 0
    for (let i: u32 = 0; i < length; i++) key = key * 37 + rankOfCode(load<u8>(codes + i))
    store<u64>(out + lane * RECORD_BYTES, key)
    const meta = metaOf(regionOf(slot), countOf(slot), hour0 + firstOf(slot), hour0 + lastOf(slot))
    store<u64>(out + lane * RECORD_BYTES, meta, 8)
  }
  return count
}
