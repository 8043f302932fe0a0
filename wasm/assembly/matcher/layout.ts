/**
 * Memory map of matcher.wasm; one instance holds one list, so a list goes when its instance goes.
 *
 *     0            constants and fixed tables (memory.data)
 *     __heap_base  groups, one for each plate length that occurs, each 64-byte aligned:
 *
 *         plane 0   [first characters of all plates of this length, one byte each    ]  padded to a multiple of 16 with 255
 *         plane 1   [second characters                                               ]
 *         ...       length planes in all
 *         indices   [u32 index of each plate in the list as given                    ]
 *
 * A byte is a character's class, 0-9 then A-Z: 0..35. One load takes the same character of 16 plates.
 */
export const ABI_VERSION: u32 = 1

/** Longest plate on a list, longest read in positions, characters, and classes of a position (characters and 'none'). */
export const MAX_LENGTH: u32 = 12
export const MAX_POSITIONS: u32 = 16
export const CHARACTERS: u32 = 36
export const CLASSES: u32 = 37

/** Matches kept, the most probable ones. */
export const MAX_MATCHES: u32 = 256

/**
 * A match, 24 bytes: f64 probability, u32 index in the list, u32 alignment, u32 gap position, u32 lane in its group.
 * Alignment: 0 position by position, 1 the read has one character more (at gap), 2 the read lacks one (the listed one at gap).
 */
export const MATCH_BYTES: u32 = 24
export const ALIGNED: u32 = 0
export const EXTRA: u32 = 1
export const MISSING: u32 = 2
