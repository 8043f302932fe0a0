/**
 * What one instance writes while it searches; the host gives each instance its own.
 *
 *     0      states of the automaton, two sets of 5 x 20 vectors of 512 bits: 0, 1, 2 errors, 1 and 2 that are all extra characters
 *     12800  64 bytes of zeros, 64 of ones
 *     12928  codes of one plate
 *     12992  how a plate can end well (endings.ts)
 *     14208  results, a heap of up to 10,000 x 16 bytes and one to compare with
 *     174336 what checking a read needs (hot_read.ts), or a pattern
 *     253952 vectors of the elements, 18 x 64 bytes
 *     255104 scoring: two sets of f64[3][20]
 *     256064 accepted lanes by errors made as above, 5 x 64 bytes; lanes to look at, 5 x 64 bytes; strict ones, 5 x 64 bytes
 *     257024 lanes of one alignment, 64 bytes; where the planes of each position lie, u32[12] (alignments.ts)
 *     257152 how plates can end well under each of 24 orders, and those of the block in hand (endings.ts)
 *     264000 (an instance that searches) which elements of a fragment take what a block may have, 4 x 16384 bytes (automaton.ts)
 *     329536 (an instance that searches) plates that wait to be weighed, 1.25 MiB, and u32[5] where the next of a kind goes (candidates.ts)
 */
export const STATES_AT: u32 = 0
export const STATE_SET: u32 = 6400
export const LEVEL_STATES: u32 = 20
export const ZEROS_AT: u32 = 12800
export const ONES_AT: u32 = 12864
export const CODES_AT: u32 = 12928
export const ENDINGS_AT: u32 = 12992
export const RESULTS_AT: u32 = 14208
export const READ_AT: u32 = 174336
export const VECTORS_AT: u32 = 253952
export const SCORES_AT: u32 = 255104
export const SCORE_SET: u32 = 480
export const ACCEPTED_AT: u32 = 256064
export const TAKEN_AT: u32 = 256384
export const STRICT_AT: u32 = 256704
export const ALIGNED_AT: u32 = 257024
export const PLACES_AT: u32 = 257088
export const ORDER_ENDINGS_AT: u32 = 257152
export const BLOCK_ENDINGS_AT: u32 = 263680
/** Of an instance that does not search. */
export const WORKSPACE_BYTES: u32 = 264000
export const POSSIBLE_AT: u32 = 264000
export const WAITING_AT: u32 = 329536
export const WAITING_ENDS_AT: u32 = 1640256
export const SEARCH_WORKSPACE_BYTES: u32 = 1640320

export let workspace: usize = 0

export function setWorkspace(address: usize): void {
  workspace = address
}
