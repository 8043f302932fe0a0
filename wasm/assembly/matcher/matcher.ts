import { fill, settle } from './candidates'
import { ABI_VERSION, READ_AT, RESULTS_AT } from './layout'
import { keyOf } from './plate_key'
import { addEntry } from './list_index'
import { takeRead } from './list_read'
import { walk } from './list_walk'
import { clearMatches, matchCount, matchesAt } from './matches'
import { resultCount } from './results'
import { setTables } from './tables'
import { work } from './work'
import { setWorkspace, workspace } from './workspace'

/**
 * The calls of matcher.wasm. The host imports and lays out the memory (wasm/matcher/); addresses are in bytes, all
 * areas 64-byte aligned.
 *
 *     every instance   attach
 *     a build          beginLoad, loadRows or loadLines, sort..., beginBlocks, addBlock (plate_builder.ts)
 *     a dictionary     openDictionary, shareFloor, beginScan, scanLongs and scanBlocks in slices, settleResults,
 *                      matchedPlates, results (dictionary.ts)
 *     a hot list       openIndex, addEntries in pieces, then checkRead for each read (matcher.ts)
 */
export {
  beginLoad, consumedBytes, loadedRecords, loadedRegions, loadLines, loadRows, refusedRows, setLoadedRecords,
  setLoadedRegions,
} from './bulk_load'
export { countDigits, firstFrom, joinRecords, placeDigits, scatter } from './sort'
export { addBlock, beginBlocks, blockCount, countLarge, planesBytes } from './blocks'
export {
  addFresh, addLongChunk, appendLong, appendPlate, blocksNow, countOf, drainBlock, findPlate, firstOf, freshBytes,
  freshWithRoom, lastOf, longsNow, openDictionary, plateCodes, regionOf, touchPlate,
} from './dictionary'
export { beginScan, matchedPlates, scanBlocks, scanLongs } from './scan'
export { workDone } from './work'
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

/** First byte that the host may allocate. */
export function heapBase(): usize {
  return (__heap_base + 63) & ~63
}

export function attach(tables: usize, workspaceAt: usize): void {
  setTables(tables)
  setWorkspace(workspaceAt)
}

/** Address of the scan's results, unordered, RESULT_BYTES each (layout.ts). */
export function resultsAddress(): usize {
  return workspace + RESULTS_AT
}

/**
 * Weighs the plates that wait, until about `limit` units of work are done. @returns whether that was all: only then are
 * the results those of everything scanned
 */
export function settleResults(limit: f64): bool {
  return settle(work + limit)
}

/** Weighs all plates that wait; returns the number of results. */
export function resultsHeld(): u32 {
  settle(Infinity)
  return resultCount
}

/** The same during a scan: weighs waiting plates only where results are lacking. */
export function resultsSoFar(): u32 {
  fill()
  return resultCount
}

/** Address where the host writes the read and its weights (list_read.ts). */
export function readAddress(): usize {
  return workspace + READ_AT
}

/**
 * Adds entries to a hot list: lines of text from `from` to `end`, each ended by a line feed, numbered from `first` on.
 * Skips lines that cannot be a plate and writes their numbers to `skipped` (u32 each). @returns the number of skipped
 * lines
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
 * Matches the read that the host wrote (`count` positions) against the list; `scratch`: 64 bytes. @returns the number
 * of matches, best first at `matchesAddress`; -1 when a position is not a distribution
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
