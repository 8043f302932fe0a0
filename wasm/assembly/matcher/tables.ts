import { TABLE_CODE_OF_RANK, TABLE_RANK_OF_ASCII, TABLE_RANK_OF_CODE } from './layout'

/** Address of the tables of the alphabet (drawing in layout.ts), which the host writes once per memory. */
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
