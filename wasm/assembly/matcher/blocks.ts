import { codesOf } from './plate_key'
import { putLarge } from './large_counts'
import {
  BLOCK, CODE_BITS, ENTRY_BYTES, ENTRY_CODES, ENTRY_COUNT, ENTRY_KEY, ENTRY_LENGTH, ENTRY_VARYING, PLANE,
  RECORD_BYTES,
} from './layout'

/**
 * Cuts sorted records into blocks of up to 512 plates of one length and writes their directory, planes and meta. The
 * addresses of planes are relative; the host adds their base.
 *
 *     codes of a block, position p   bits equal in all plates  -> in the directory
 *                                    bits that differ          -> one plane of 512 bits each
 */
let directory: usize = 0
let planes: usize = 0
let planesEnd: usize = 0
let lasts: usize = 0
let firsts: usize = 0
let regionBytes: usize = 0
let countBytes: usize = 0
let hour0: u32 = 0
let blocks: u32 = 0
let large: usize = 0
let largeCapacity: u32 = 0
let codes: usize = 0

/**
 * `codesAt`: (512 + 16) x 16 bytes of scratch. The meta arrays have room for all slots, the large counts
 * (large_counts.ts) for all that `countLarge` found.
 */
export function beginBlocks(
  directoryAt: usize, planesAt: usize, lastsAt: usize, firstsAt: usize, regionsAt: usize, countsAt: usize,
  codesAt: usize, largeAt: usize, capacity: u32, hour: u32,
): void {
  directory = directoryAt
  planes = planesAt
  planesEnd = planesAt
  lasts = lastsAt
  firsts = firstsAt
  regionBytes = regionsAt
  countBytes = countsAt
  codes = codesAt
  hour0 = hour
  blocks = 0
  large = largeAt
  largeCapacity = capacity
}

export function blockCount(): u32 {
  return blocks
}

export function planesBytes(): u32 {
  return <u32>(planesEnd - planes)
}

/** Adds a block of `count` records, all of `length` characters. */
export function addBlock(records: usize, count: u32, length: u32): void {
  const entry = directory + blocks * ENTRY_BYTES
  memory.fill(entry, 0, ENTRY_BYTES)
  store<u32>(entry, <u32>(planesEnd - planes))
  store<u16>(entry, count, ENTRY_COUNT)
  store<u8>(entry, length, ENTRY_LENGTH)
  store<u64>(entry, load<u64>(records), ENTRY_KEY)
  // rows of 16 bytes, one for each plate: its codes, then bytes that are ignored
  const row = codes + BLOCK * 16
  codesOf(load<u64>(records), row)
  const first = v128.load(row + 12 - length)
  let differ = i8x16.splat(0)
  for (let i: u32 = 0; i < count; i++) {
    codesOf(load<u64>(records + <usize>i * RECORD_BYTES), row)
    const codesRow = v128.load(row + 12 - length)
    v128.store(codes + i * 16, codesRow)
    differ = v128.or(differ, v128.xor(first, codesRow))
  }
  for (let i = count; i < BLOCK; i++) v128.store(codes + i * 16, first)
  v128.store(row, differ)
  for (let p: u32 = 0; p < length; p++) {
    store<u8>(entry + p, load<u8>(row + p), ENTRY_VARYING)
    store<u8>(entry + p, load<u8>(codes + p), ENTRY_CODES)
  }
  writePlanes(entry, length)
  writeMeta(records, count)
  blocks++
}

/**
 * Transposes sixteen plates at a time to one vector for each position; each bit of the vectors is one bit mask.
 */
function writePlanes(entry: usize, length: u32): void {
  const columns = codes + BLOCK * 16
  for (let lane: u32 = 0; lane < BLOCK; lane += 16) {
    transpose(codes + lane * 16, columns)
    let plane = planesEnd + (lane >> 3)
    for (let p: u32 = 0; p < length; p++) {
      const varying = <u32>load<u8>(entry + p, ENTRY_VARYING)
      const column = v128.load(columns + p * 16)
      for (let bit: i32 = CODE_BITS - 1; bit >= 0; bit--) {
        if (!(varying & (1 << bit))) continue
        store<u16>(plane, <u16>i8x16.bitmask(i8x16.shl(column, 7 - bit)))
        plane += PLANE
      }
    }
  }
  for (let p: u32 = 0; p < length; p++) planesEnd += popcnt<u32>(load<u8>(entry + p, ENTRY_VARYING)) * PLANE
}

/** Transposes 16 x 16 bytes by four rounds of interleaving the first half with the second. */
function transpose(rows: usize, columns: usize): void {
  interleave(rows, columns)
  interleave(columns, rows)
  interleave(rows, columns)
  interleave(columns, rows)
  for (let i: usize = 0; i < 256; i += 16) v128.store(columns + i, v128.load(rows + i))
}

@inline
function interleave(from: usize, to: usize): void {
  for (let i: usize = 0; i < 128; i += 16) {
    const a = v128.load(from + i)
    const b = v128.load(from + i + 128)
    v128.store(to + i * 2, v128.shuffle<u8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23))
    v128.store(to + i * 2 + 16, v128.shuffle<u8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31))
  }
}

function writeMeta(records: usize, count: u32): void {
  const slot = blocks * BLOCK
  for (let i: u32 = 0; i < count; i++) {
    const meta = load<u64>(records + <usize>i * RECORD_BYTES, 8)
    const reads = <u32>(meta >> 8) & 0xffff
    store<u16>(lasts + <usize>(slot + i) * 2, hourOf(<u32>(meta >> 44)))
    store<u16>(firsts + <usize>(slot + i) * 2, hourOf(<u32>(meta >> 24) & 0xfffff))
    store<u8>(regionBytes + slot + i, <u8>meta)
    store<u8>(countBytes + slot + i, min<u32>(reads, 255))
    if (reads >= 255) putLarge(large, largeCapacity, slot + i, reads)
  }
}

/** Number of records whose count does not fit its byte. */
export function countLarge(records: usize, from: u32, to: u32): u32 {
  let found: u32 = 0
  for (let i = from; i < to; i++) {
    if ((<u32>(load<u64>(records + <usize>i * RECORD_BYTES, 8) >> 8) & 0xffff) >= 255) found++
  }
  return found
}

@inline
function hourOf(hour: u32): u32 {
  return hour <= hour0 ? 0 : min<u32>(hour - hour0, 0xffff)
}
