/**
 * Memory map of matcher.wasm. The memory is the host's (imported, shared): it places everything and tells each instance
 * where it is, so that many threads can look at one dictionary. An instance has no static scratch: what it writes while
 * it searches lies in its own workspace.
 *
 *     tables      written once by the host (tables.ts)
 *     pattern     written by the host for a search, read by all threads of it (pattern.ts)
 *     workspace   one for each instance (workspace.ts)
 *     dictionary  header, directory, planes, meta (dictionary.ts); or a hot list (hot_index.ts); or what a build needs (stage.ts)
 */
export const ABI_VERSION: u32 = 3

/** Longest plate in lanes and on lists, in characters; a text is one u64 then (37^12 < 2^63). */
export const MAX_LENGTH: u32 = 12
/** Longest read, in positions. */
export const MAX_POSITIONS: u32 = 16
export const CHARACTERS: u32 = 36
export const CLASSES: u32 = 37
export const CODE_BITS: u32 = 6

/** Plates of a block: one bit for each in a plane. */
export const BLOCK: u32 = 512
/** Bytes of one bit plane of a block. */
export const PLANE: u32 = 64

/**
 * Entry of the directory, one for each block:
 *
 *     0   u32 address of its planes     4  u16 plates in it    6  u8 characters of each plate   7  u8 unused
 *     8   u8[12] for each position the bits in which its plates differ; only their planes are stored, position by position, highest bit first
 *     20  u8[12] for each position the code of the first plate: the bits in which they do not differ
 *     32  u64 key of the first plate
 */
export const ENTRY_BYTES: u32 = 40
export const ENTRY_COUNT: u32 = 4
export const ENTRY_LENGTH: u32 = 6
export const ENTRY_VARYING: u32 = 8
export const ENTRY_CODES: u32 = 20
export const ENTRY_KEY: u32 = 32

/**
 * Header of a dictionary:
 *
 *     0 directory  4 blocks  8 meta: last  12 meta: first  16 meta: region  20 meta: count  24 large counts  28 their capacity (power of 2)
 *     32 fresh directory  36 fresh blocks (atomic)  40 hour 0 of the meta, since 1970  44 large counts held  48 u64 unused
 *
 * Meta of the base is four arrays by slot (block * 512 + lane): u16 last, u16 first (hours after hour 0), u8 region, u8
 * count (255: look in the large counts). A fresh block has its own meta behind its planes, in the same order.
 */
export const HEADER_BYTES: u32 = 64
/** Meta bytes of a plate. */
export const META_BYTES: u32 = 6
/** Fresh blocks a dictionary takes before it must be built anew. */
export const MAX_FRESH: u32 = 1024

/** Errors that a pattern may allow; elements of a pattern; fragments; orders of fragments; classes of characters. */
export const MAX_EDITS: u32 = 2
export const MAX_ELEMENTS: u32 = 18
export const MAX_FRAGMENTS: u32 = 4
export const MAX_ORDERS: u32 = 24
export const MAX_CLASSES: u32 = 72
/** A class that every character is in. */
export const ANY: u32 = 255

/**
 * A pattern:
 *
 *     0 u32 fragments   4 u32 edits   8 u32 orders   12 u32 least length   16 u32 longest length   20 u32 results wanted   24 u32 all regions wanted
 *     32 u8[256] regions wanted   288 f64 weight of an extra character   296 f64 weight of a missing `?`
 *     304 u32 whether there is a strict form
 *     320  fragments, each an automaton       320 bytes: u32 elements, u32 stars (bit j: any run before element j), u8[32] class of each element,
 *                                             at 40: u8 how many elements tell something, u8[18] these, the most telling first; at 64: u32[64] the elements that take a code
 *     1600 orders: each the whole pattern     the same form
 *     9280 strict: the whole pattern without look-alikes, when it is one fragment
 *     9600 most probable: f64 without a look-alike, with one at least, with one error at least, with two; with one error at least that is no extra
 *          character, with two of which one is none
 *     9664 classes of characters              576 bytes: u64 codes, u32 cubes, u32 -, 20 x (u8 mask, u8 value), f64 weight when missing, f64[64] weight of
 *                                             each code
 */
export const PATTERN_FRAGMENTS: u32 = 320
export const AUTOMATON_BYTES: u32 = 320
export const AUTOMATON_CLASSES: u32 = 8
export const AUTOMATON_ASKED: u32 = 40
export const AUTOMATON_TAKES: u32 = 64
export const PATTERN_ORDERS: u32 = 1600
export const PATTERN_STRICT: u32 = 9280
export const PATTERN_BOUNDS: u32 = 9600
export const PATTERN_CLASSES: u32 = 9664
export const CLASS_BYTES: u32 = 576
export const CLASS_CUBES: u32 = 16
export const MAX_CUBES: u32 = 20
export const CLASS_MISSING: u32 = 56
export const CLASS_WEIGHTS: u32 = 64
export const PATTERN_BYTES: u32 = 51136

/** A result: f64 probability, u32 slot, u32 last seen (hours after hour 0). Results kept at most. */
export const RESULT_BYTES: u32 = 16
export const MAX_RESULTS: u32 = 10000

/**
 * A hot-list match, 16 bytes: f64 probability, u32 index of the entry, u32 unused. Matches kept, the most probable
 * ones.
 */
export const MATCH_BYTES: u32 = 16
export const MAX_MATCHES: u32 = 256
