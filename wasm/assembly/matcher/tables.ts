import { TABLE_CODE_OF_RANK, TABLE_RANK_OF_ASCII, TABLE_RANK_OF_CODE } from './layout'

/**
 * Tables of the alphabet, the same for everybody in a memory, written by the host (wasm/matching/tables.ts):
 *
 *     0    u8[64]   class (0-9 then A-Z: 0..35) of each code, 255 for none
 *     64   u8[128]  rank of each ASCII character, 1..36 in the order of the codes; 0: none, 254: lower case or separator to be looked at
 *     192  u8[64]   code of each rank
 *     256  u8[64]   rank of each code, 0 for none
 */
let tables: usize = 0

export function setTables(address: usize): void {
  tables = address
}

@inline
export function classOfCode(code: u32): u32 {
  return load<u8>(tables + code)
}

@inline
export function rankOfAscii(character: u32): u32 {
  return load<u8>(tables + character, TABLE_RANK_OF_ASCII)
}

@inline
export function codeOfRank(rank: u32): u32 {
  return load<u8>(tables + rank, TABLE_CODE_OF_RANK)
}

@inline
export function rankOfCode(code: u32): u32 {
  return load<u8>(tables + code, TABLE_RANK_OF_CODE)
}
