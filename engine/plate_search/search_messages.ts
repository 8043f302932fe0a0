import type { SharedDictionary } from '../../wasm/mod.js'

/** Messages of the pool to a thread. */
export type SearchTask =
  | { kind: 'open'; dictionary: number; shared: SharedDictionary; counters: number }
  | { kind: 'close'; dictionary: number }
  | {
      kind: 'search'
      dictionary: number
      search: number
      program: Uint8Array
      blocks: number
      longs: number
      /** Most work of all threads together, WORK_UNITS each. */
      budget: number
    }
  | { kind: 'stop'; search: number }

/** Messages of a thread to the pool: its best results so far. */
export interface SearchReport {
  search: number
  /** As in the thread's memory: 16 bytes each. */
  results: Uint8Array
  /** Plates that match, of those scanned. */
  matched: number
  /** Blocks and long plates scanned. */
  blocks: number
  longs: number
  /** Units of work (wasm/assembly/matcher/work.ts). */
  work: number
  /** The thread has nothing more to scan, or was stopped. */
  done: boolean
  /** It left something unscanned, because the budget was used up. */
  partial: boolean
}

/**
 * What the threads of a search share in the dictionary's memory, from the address of its counters on: i32 next piece,
 * f32 lower bound for results (wasm/assembly/matcher/results.ts), i32 work done, in WORK_UNITS.
 */
export const FLOOR_OFFSET = 4
export const WORK_INDEX = 2
export const WORK_UNITS = 4_096
