/**
 * What one instance writes while it searches; the host gives each instance its own.
 *
 *     0      states of the automaton, two sets of 3 x 20 vectors of 512 bits
 *     7680   vectors of the elements, 18 x 64 bytes
 *     12288  64 bytes of zeros, 64 of ones
 *     12416  scoring: two sets of f64[3][20]
 *     13376  codes of one plate
 *     13440  how a plate can end well (endings.ts)
 *     14208  results, a heap of up to 10,000 x 16 bytes and one to compare with
 *     174336 what checking a read needs (hot_read.ts), or a pattern
 *     253952 accepted lanes by errors made, 3 x 64 bytes; lanes to look at, 3 x 64 bytes; strict lanes, 3 x 64 bytes
 *     254528 how plates can end well under each of 24 orders, and those of the block in hand (endings.ts)
 *     261376 lanes that match when the only errors are extra characters, 3 x 64 bytes
 *     261632 lanes of an alignment, 64 bytes; where the planes of each position lie, u32[12] (alignments.ts)
 *     262144 which elements of a fragment take what a block may have, 4 x 16384 bytes (automaton.ts)
 */
export const STATES_AT: u32 = 0
export const STATE_SET: u32 = 3840
export const LEVEL_STATES: u32 = 20
export const VECTORS_AT: u32 = 7680
export const ZEROS_AT: u32 = 12288
export const ONES_AT: u32 = 12352
export const SCORES_AT: u32 = 12416
export const SCORE_SET: u32 = 480
export const CODES_AT: u32 = 13376
export const ENDINGS_AT: u32 = 13440
export const ORDER_ENDINGS_AT: u32 = 254528
export const BLOCK_ENDINGS_AT: u32 = 261056
export const RESULTS_AT: u32 = 14208
export const READ_AT: u32 = 174336
export const ACCEPTED_AT: u32 = 253952
export const TAKEN_AT: u32 = 254144
export const STRICT_AT: u32 = 254336
export const EXTRAS_AT: u32 = 261376
export const ALIGNED_AT: u32 = 261632
export const PLACES_AT: u32 = 261696
export const POSSIBLE_AT: u32 = 262144
export const WORKSPACE_BYTES: u32 = 327680

export let workspace: usize = 0

export function setWorkspace(address: usize): void {
  workspace = address
}
