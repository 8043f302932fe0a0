import { READ_AT, RESULT_BYTES } from './layout.js'
import { MatcherMemory, type SharedMatcherMemory } from './matcher_module.js'

/** What another thread needs to search a dictionary. */
export interface SharedDictionary {
  memory: SharedMatcherMemory
  /** Address of the dictionary's header in that memory. */
  header: number
}

/** An instance of the module that can search a dictionary, for one search at a time. */
export interface SearchInstance {
  memory: MatcherMemory
  /** Address where the search's pattern goes, PATTERN_BYTES long. */
  pattern: number
}

/** What a scan reports of a plate, before its text and its explanation. */
export interface ScanResult {
  /** Not calibrated. */
  probability: number
  slot: number
  /** Hours since 1970 UTC. */
  lastHour: number
}

/**
 * Blocks that one call scans (131,072 plates): usually a fraction of a millisecond, so that V8 can switch to optimised
 * code between calls and the event loop stays responsive.
 */
export const SCAN_PIECE = 256

/** An instance for the calling thread. The pattern shares the part of the workspace that list matching uses. */
export function openSearchInstance(shared: SharedDictionary): SearchInstance {
  const memory = MatcherMemory.attach(shared.memory)
  memory.exports.openDictionary(shared.header)
  return { memory, pattern: shared.memory.workspace + READ_AT }
}

/**
 * The results of an instance's scan.
 * @param done whether the scan is over; before that, plates with errors may still wait to be weighed
 */
export const readResults = (memory: MatcherMemory, hour0: number, done = true): ScanResult[] =>
  decodeResults(resultBytes(memory, done), hour0)

/** The same as the module writes them, RESULT_BYTES each; a view of its memory. */
export function resultBytes({ exports, memory }: MatcherMemory, done: boolean): Uint8Array {
  const held = done ? exports.resultsHeld() : exports.resultsSoFar()
  return new Uint8Array(memory.buffer, exports.resultsAddress(), held * RESULT_BYTES)
}

/** @param hour0 hour 0 of the dictionary, since 1970 UTC */
export function decodeResults(bytes: Uint8Array, hour0: number): ScanResult[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: view.byteLength / RESULT_BYTES }, (_, i) => ({
    probability: view.getFloat64(i * RESULT_BYTES, true),
    slot: view.getUint32(i * RESULT_BYTES + 8, true),
    lastHour: hour0 + view.getUint32(i * RESULT_BYTES + 12, true),
  }))
}
