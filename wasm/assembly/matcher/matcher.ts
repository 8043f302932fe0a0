import { fill, settle } from './candidates'
import { ABI_VERSION, READ_AT, RESULTS_AT } from './layout'
import { keyOf } from './plate_key'
import { addEntry } from './list_index'
import { takeRead } from './list_read'
import { walk } from './list_walk'
import { clearMatches, matchCount, matchesAt } from './matches'
import { resultCount } from './results'
import { setTables } from './tables'
import { setWorkspace, workspace } from './workspace'

/**
 * The calls of matcher.wasm. Memory is imported and laid out by the host (wasm/matching/); addresses are bytes, all
 * areas 64-byte aligned.
 *
 *     every instance   attach
 *     a build          beginLoad, loadRows or loadLines, sort..., beginBlocks, addBlock (matching/builder.ts)
 *     a dictionary     openDictionary, shareFloor, beginScan, scanBlocks in pieces, matchedPlates, results (matching/dictionary.ts)
 *     a hot list       openIndex, addEntries in pieces, then check for each read (matching/hot_list.ts)
 */
export { beginLoad, consumedBytes, refusedRows, setLoadedRecords, setLoadedRegions, loadedRecords, loadedRegions, loadLines, loadRows } from './bulk_load'
export { countDigits, firstFrom, joinRecords, placeDigits, scatter } from './sort'
export { addBlock, beginBlocks, blockCount, countLarge, planesBytes } from './blocks'
export {
  addFresh, appendPlate, blocksNow, countOf, drainBlock, findPlate, firstOf, freshBytes, freshWithRoom, lastOf, openDictionary, plateCodes, regionOf, touchPlate,
} from './dictionary'
export { beginScan, matchedPlates, scanBlocks } from './scan'
export { shareFloor } from './results'
export { openIndex } from './list_index'
export { textsWalked } from './list_walk'
export { fillTriples, keyOf } from './plate_key'
export { putLarge } from './large_counts'
export { memoryScan } from './memory_scan'

export function abiVersion(): u32 {
  return ABI_VERSION
}

export function describe(): string {
  return 'platestream matcher: bit-sliced dictionary and hot lists'
}

/** First byte that the host may use. */
export function heapBase(): usize {
  return (__heap_base + 63) & ~63
}

export function attach(tables: usize, workspaceAt: usize): void {
  setTables(tables)
  setWorkspace(workspaceAt)
}

/** Results of the scan so far, in no order: 16 bytes each (layout.ts). */
export function resultsAddress(): usize {
  return workspace + RESULTS_AT
}

/** How many; plates that waited are weighed first. */
export function resultsHeld(): u32 {
  settle()
  return resultCount
}

/** The same while the scan goes on: plates with errors that wait are weighed only where results are lacking. */
export function resultsSoFar(): u32 {
  fill()
  return resultCount
}

/** Where the host writes the read and its weights (list_read.ts). */
export function readAddress(): usize {
  return workspace + READ_AT
}

/**
 * Adds entries to a hot list: lines of text from `from` to `end`, each ended by a line feed, numbered from `first` on.
 * A line that is no plate is passed over and its number written to `skipped` (u32 each). @returns how many were passed
 * over
 */
export function addEntries(from: usize, end: usize, first: u32, skipped: usize): u32 {
  let start = from
  let entry = first
  let passed: u32 = 0
  for (let at = from; at < end; at++) {
    if (load<u8>(at) != 10) continue
    const key = keyOf(start, <u32>(at - start))
    if (key != 0) addEntry(key, entry)
    else store<u32>(skipped + (passed++) * 4, entry)
    entry++
    start = at + 1
  }
  return passed
}

/**
 * Checks the read that the host wrote (`count` positions) against the list; `scratch`: 64 bytes. @returns the number of
 * matches, best first at `matchesAddress`; -1 when a position is no distribution
 */
export function checkRead(count: u32, extra: f64, threshold: f64, scratch: usize): i32 {
  clearMatches()
  if (!takeRead(count, extra)) return -1
  walk(threshold, scratch)
  return matchCount
}

export function matchesAddress(): usize {
  return matchesAt()
}
