// Generated from wasm/layout/matcher.mjs: edit that file.
/**
 * Memory map of matcher.wasm. The host owns the memory (imported, shared): it places everything and passes the
 * addresses to each instance, so that many threads can search one dictionary. An instance has no static scratch: what
 * it writes during a search lies in its own workspace.
 *
 *     tables      written once by the host (tables.ts)
 *     pattern     written by the host for a search, read by all its threads
 *     workspace   one for each instance (workspace.ts)
 *     data        a dictionary: header, directory, planes, meta (dictionary.ts); or a hot list (list_index.ts);
 *                 or what a build needs (bulk_load.ts)
 */

/** Version of the calls between this module and its host; the host refuses any other. */
export const ABI_VERSION: u32 = 4

/**
 * Longest plate in blocks and on lists, characters (37^12 < 2^63, so its key is one u64); longest read, positions;
 * characters of plates; classes of a position: these and 'none'; bits of a code.
 */
export const MAX_LENGTH: u32 = 12
export const MAX_POSITIONS: u32 = 16
export const CHARACTERS: u32 = 36
export const CLASSES: u32 = 37
export const CODE_BITS: u32 = 6

/**
 * Tables of the alphabet, shared by all instances:
 *
 *     0    u8[64]   class (0-9 then A-Z: 0..35) of each code, 255 for none
 *     64   u8[128]  rank of each ASCII character, 1..36 in the order of the codes; 0: none; RANK_SPECIAL: lower case or
 *                   separator, needs a closer check
 *     192  u8[64]   code of each rank
 *     256  u8[64]   rank of each code, 0 for none
 */
export const TABLE_CLASS_OF_CODE: u32 = 0
export const TABLE_RANK_OF_ASCII: u32 = 64
export const TABLE_CODE_OF_RANK: u32 = 192
export const TABLE_RANK_OF_CODE: u32 = 256
export const TABLES_BYTES: u32 = 320
export const RANK_SPECIAL: u32 = 254

/** Plates of a block, one bit of a plane each; bytes of one bit plane of a block. */
export const BLOCK: u32 = 512
export const PLANE: u32 = 64

/**
 * Entry of the directory, one for each block:
 *
 *     0   u32 address of its planes
 *     4   u16 number of plates
 *     6   u8 characters of each plate, 7 u8 unused
 *     8   u8[12] for each position the bits in which its plates differ. Only these have planes, position by position,
 *         the highest bit first
 *     20  u8[12] for each position the code of the first plate: the value of the other bits
 *     32  u64 key of the first plate
 */
export const ENTRY_BYTES: u32 = 40
export const ENTRY_COUNT: u32 = 4
export const ENTRY_LENGTH: u32 = 6
export const ENTRY_VARYING: u32 = 8
export const ENTRY_CODES: u32 = 20
export const ENTRY_KEY: u32 = 32

/**
 * Header of a dictionary, u32 each:
 *
 *     0   directory         4   blocks              8   meta: last hours      12  meta: first hours
 *     16  meta: regions     20  meta: counts        24  large counts          28  their capacity (power of 2)
 *     32  fresh directory   36  fresh blocks        40  hour 0 of the meta,   44  large counts held
 *                               (atomic)                since 1970
 *     48  directory of      52  long plates
 *         long plates           (atomic)
 *
 * Meta of the base is four arrays by slot (block * 512 + lane): u16 last and u16 first (hours after hour 0), u8
 * region, u8 count (255: look it up in the large counts). A fresh block has its own meta after its planes, in the same
 * order.
 */
export const HEADER_BYTES: u32 = 64
export const HEADER_DIRECTORY: u32 = 0
export const HEADER_BLOCKS: u32 = 4
export const HEADER_LASTS: u32 = 8
export const HEADER_FIRSTS: u32 = 12
export const HEADER_REGIONS: u32 = 16
export const HEADER_COUNTS: u32 = 20
export const HEADER_LARGE: u32 = 24
export const HEADER_LARGE_CAPACITY: u32 = 28
export const HEADER_FRESH_DIRECTORY: u32 = 32
export const HEADER_FRESH_BLOCKS: u32 = 36
export const HEADER_HOUR0: u32 = 40
export const HEADER_LARGE_HELD: u32 = 44
export const HEADER_LONG_DIRECTORY: u32 = 48
export const HEADER_LONGS: u32 = 52

/**
 * Meta bytes of a plate; most fresh blocks of a dictionary. It is rebuilt long before: the rest is room for what
 * arrives meanwhile.
 */
export const META_BYTES: u32 = 6
export const MAX_FRESH: u32 = 2048

/**
 * A long plate, one of 13 to MAX_TEXT characters (a misread), too long for blocks: 40 bytes,
 *
 *     0   u8[32] codes          32  u8 length           33  u8 region
 *     34  u16 last hour         36  u16 first hour      38  u16 count (65535: that or more)
 *
 * in chunks of LONG_CHUNK, whose addresses (u32) are in a directory of MAX_LONG_CHUNKS. Its slot is LONG_SLOT plus its
 * number.
 */
export const MAX_TEXT: u32 = 32
export const LONG_BYTES: u32 = 40
export const LONG_LENGTH: u32 = 32
export const LONG_REGION: u32 = 33
export const LONG_LAST: u32 = 34
export const LONG_FIRST: u32 = 36
export const LONG_COUNT: u32 = 38
export const LONG_CHUNK: u32 = 1024
export const MAX_LONG_CHUNKS: u32 = 256
export const LONG_SLOT: u32 = 2147483648

/**
 * A record of a bulk load (bulk_load.ts): u64 key, u64 meta. Region names: length, then up to 15 bytes. Starts of
 * lines that the host must examine, per call. Passes and buckets of the radix sort (sort.ts).
 */
export const RECORD_BYTES: u32 = 16
export const MAX_REGIONS: u32 = 256
export const REGION_NAME_BYTES: u32 = 16
export const MAX_ODD_LINES: u32 = 1024
export const PASSES: u32 = 7
export const BUCKETS: u32 = 2048

/** Limits of a pattern: errors allowed, elements, fragments, orders of fragments, classes of characters. */
export const MAX_EDITS: u32 = 2
export const MAX_ELEMENTS: u32 = 18
export const MAX_FRAGMENTS: u32 = 4
export const MAX_ORDERS: u32 = 24
export const MAX_CLASSES: u32 = 72

/** Id of the class that contains every character. */
export const ANY: u32 = 255

/**
 * A pattern:
 *
 *     0    u32 fragments        4    u32 edits                8   u32 orders       12  u32 least length
 *     16   u32 longest length   20   u32 results wanted       24  u32 whether all regions are wanted
 *     32   u8[256] regions wanted
 *     288  f64 weight of an extra character                   296 f64 weight of a missing `?`
 *     304  u32 whether there is a strict form
 *     320  fragments, each an automaton
 *     1600 orders: each the whole pattern, an automaton
 *     9280 strict: an automaton of the whole pattern without look-alikes, when it is one fragment
 *     9600 upper bounds of a plate's probability, f64: without a look-alike; with at least one; with at least one
 *          error; with two; with at least one error that is not an extra character; with two of which one is not
 *     9664 classes of characters
 */
export const PATTERN_FRAGMENT_COUNT: u32 = 0
export const PATTERN_EDITS: u32 = 4
export const PATTERN_ORDER_COUNT: u32 = 8
export const PATTERN_MIN_LENGTH: u32 = 12
export const PATTERN_MAX_LENGTH: u32 = 16
export const PATTERN_LIMIT: u32 = 20
export const PATTERN_ALL_REGIONS: u32 = 24
export const PATTERN_REGIONS: u32 = 32
export const PATTERN_EXTRA: u32 = 288
export const PATTERN_MISSING: u32 = 296
export const PATTERN_HAS_STRICT: u32 = 304
export const PATTERN_FRAGMENTS: u32 = 320
export const PATTERN_ORDERS: u32 = 1600
export const PATTERN_STRICT: u32 = 9280
export const PATTERN_BOUNDS: u32 = 9600
export const PATTERN_CLASSES: u32 = 9664
export const PATTERN_BYTES: u32 = 51136

/**
 * An automaton: u32 elements, u32 stars (bit j: any run before element j), u8[32] class of each element; at 40 u8
 * number of selective elements, then u8[18] their indices, the most selective first; at 64 u32[64] the elements that
 * accept each code.
 */
export const AUTOMATON_BYTES: u32 = 320
export const AUTOMATON_STARS: u32 = 4
export const AUTOMATON_CLASSES: u32 = 8
export const AUTOMATON_ASKED: u32 = 40
export const AUTOMATON_TAKES: u32 = 64

/**
 * A class: u64 codes, u32 number of cubes, u32 unused, 20 x (u8 mask, u8 value), f64 weight when missing, f64[64]
 * weight of each code.
 */
export const CLASS_BYTES: u32 = 576
export const CLASS_CUBE_COUNT: u32 = 8
export const CLASS_CUBES: u32 = 16
export const MAX_CUBES: u32 = 20
export const CLASS_MISSING: u32 = 56
export const CLASS_WEIGHTS: u32 = 64

/** A result: f64 probability, u32 slot, u32 last seen (hours after hour 0). Most results kept. */
export const RESULT_BYTES: u32 = 16
export const RESULT_SLOT: u32 = 8
export const RESULT_LAST: u32 = 12
export const MAX_RESULTS: u32 = 10000

/** A match of a hot list: f64 probability, u32 index of the entry, u32 unused. Most matches kept, the best. */
export const MATCH_BYTES: u32 = 16
export const MATCH_ENTRY: u32 = 8
export const MAX_MATCHES: u32 = 256

/**
 * A workspace, what one instance writes:
 *
 *     0      states of the automaton, two sets of 5 x 20 vectors of 512 bits: 0, 1, 2 errors; 1 and 2 that are all
 *            extra characters
 *     12800  64 bytes of zeros, 64 of ones
 *     12928  codes of one plate
 *     12992  how a plate can end well (endings.ts)
 *     14208  results, a heap of up to 10,000 x 16 bytes and one to compare with
 *     174336 a read that is being matched, or a pattern
 *     253952 vectors of the elements, 18 x 64 bytes
 *     255104 scoring: two sets of f64[3][20]
 *     256064 accepted lanes by errors as above, 5 x 64 bytes; lanes to offer, the same; strict ones, the same
 *     257024 lanes of one alignment, 64 bytes; addresses of the planes of each position, u32[12] (alignments.ts)
 *     257152 how plates can end well under each of 24 orders, and those of the current block (endings.ts)
 *
 * and, where the instance searches,
 *
 *     264000 for each fragment the elements that accept what a block may have, 4 x 16384 bytes (automaton.ts)
 *     329536 plates that wait to be weighed, 1.25 MiB, then u32[5] where the next of each kind goes (candidates.ts)
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
export const WORKSPACE_BYTES: u32 = 264000
export const POSSIBLE_AT: u32 = 264000
export const WAITING_AT: u32 = 329536
export const WAITING_ENDS_AT: u32 = 1640256
export const SEARCH_WORKSPACE_BYTES: u32 = 1640320

/**
 * A read that is being matched against a list (list_read.ts), from READ_AT on:
 *
 *     0     f32[16][37] distribution        2368  f64[16][36] emissions      6976  f64[16] skips
 *     7104  f64[17][2] missing              7376  f64[17] best from i on     7512  f64[16] weight of the other kind
 *     7640  f64[16] weight of extra         7768  unused                     7808  f64[36][36] confusion matrix
 *     18176 candidates [16][36] x 16 bytes: f64 emission, u32 rank           27392 u32[16] number of candidates
 *     27456 matches                         31616 texts to look up (list_walk.ts)
 *     48064 the best way on from each position, 17 x 40 bytes: f64 the most that any other way can give, u64 the
 *           characters of the best as a key, u64 37^their number, u32 their number, u32 unused, f64 what the best gives
 *           at this position
 */
export const READ_EMISSIONS: u32 = 2368
export const READ_SKIPS: u32 = 6976
export const READ_MISSING: u32 = 7104
export const READ_BESTS: u32 = 7376
export const READ_KIND_WEIGHTS: u32 = 7512
export const READ_EXTRA_WEIGHTS: u32 = 7640
export const READ_MATRIX: u32 = 7808
export const READ_CANDIDATES: u32 = 18176
export const READ_CANDIDATE_COUNTS: u32 = 27392
export const READ_MATCHES: u32 = 27456
export const READ_TEXTS: u32 = 31616
export const READ_WAYS: u32 = 48064
export const WAY_BYTES: u32 = 40
export const WAY_KEY: u32 = 8
export const WAY_SCALE: u32 = 16
export const WAY_LENGTH: u32 = 24
export const WAY_STEP: u32 = 32
