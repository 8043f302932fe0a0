/** Memory layout of matcher.wasm; see generate.mjs. */
export default {
  about: `
Memory map of matcher.wasm. The host owns the memory (imported, shared): it places everything and passes the
addresses to each instance, so that many threads can search one dictionary. An instance has no static scratch: what
it writes during a search lies in its own workspace.

    tables      written once by the host (tables.ts)
    pattern     written by the host for a search, read by all its threads
    workspace   one for each instance (workspace.ts)
    data        a dictionary: header, directory, planes, meta (dictionary.ts); or a hot list (list_index.ts);
                or what a build needs (bulk_load.ts)`,
  sections: [
    {
      about: 'Version of the calls between this module and its host; the host refuses any other.',
      host: true,
      constants: { ABI_VERSION: 4 },
    },
    {
      about: `
Longest plate in blocks and on lists, characters (37^12 < 2^63, so its key is one u64); longest read, positions;
characters of plates; classes of a position: these and 'none'; bits of a code.`,
      host: ['MAX_LENGTH', 'MAX_POSITIONS'],
      constants: { MAX_LENGTH: 12, MAX_POSITIONS: 16, CHARACTERS: 36, CLASSES: 37, CODE_BITS: 6 },
    },
    {
      about: `
Tables of the alphabet, shared by all instances:

    0    u8[64]   class (0-9 then A-Z: 0..35) of each code, 255 for none
    64   u8[128]  rank of each ASCII character, 1..36 in the order of the codes; 0: none; RANK_SPECIAL: lower case or
                  separator, needs a closer check
    192  u8[64]   code of each rank
    256  u8[64]   rank of each code, 0 for none`,
      host: true,
      constants: {
        TABLE_CLASS_OF_CODE: 0,
        TABLE_RANK_OF_ASCII: 64,
        TABLE_CODE_OF_RANK: 192,
        TABLE_RANK_OF_CODE: 256,
        TABLES_BYTES: 320,
        RANK_SPECIAL: 254,
      },
    },
    {
      about: 'Plates of a block, one bit of a plane each; bytes of one bit plane of a block.',
      host: true,
      constants: { BLOCK: 512, PLANE: 64 },
    },
    {
      about: `
Entry of the directory, one for each block:

    0   u32 address of its planes
    4   u16 number of plates
    6   u8 characters of each plate, 7 u8 unused
    8   u8[12] for each position the bits in which its plates differ. Only these have planes, position by position,
        the highest bit first
    20  u8[12] for each position the code of the first plate: the value of the other bits
    32  u64 key of the first plate`,
      host: ['ENTRY_BYTES'],
      constants: {
        ENTRY_BYTES: 40,
        ENTRY_COUNT: 4,
        ENTRY_LENGTH: 6,
        ENTRY_VARYING: 8,
        ENTRY_CODES: 20,
        ENTRY_KEY: 32,
      },
    },
    {
      about: `
Header of a dictionary, u32 each:

    0   directory         4   blocks              8   meta: last hours      12  meta: first hours
    16  meta: regions     20  meta: counts        24  large counts          28  their capacity (power of 2)
    32  fresh directory   36  fresh blocks        40  hour 0 of the meta,   44  large counts held
                              (atomic)                since 1970
    48  directory of      52  long plates
        long plates           (atomic)

Meta of the base is four arrays by slot (block * 512 + lane): u16 last and u16 first (hours after hour 0), u8
region, u8 count (255: look it up in the large counts). A fresh block has its own meta after its planes, in the same
order.`,
      host: true,
      constants: {
        HEADER_BYTES: 64,
        HEADER_DIRECTORY: 0,
        HEADER_BLOCKS: 4,
        HEADER_LASTS: 8,
        HEADER_FIRSTS: 12,
        HEADER_REGIONS: 16,
        HEADER_COUNTS: 20,
        HEADER_LARGE: 24,
        HEADER_LARGE_CAPACITY: 28,
        HEADER_FRESH_DIRECTORY: 32,
        HEADER_FRESH_BLOCKS: 36,
        HEADER_HOUR0: 40,
        HEADER_LARGE_HELD: 44,
        HEADER_LONG_DIRECTORY: 48,
        HEADER_LONGS: 52,
      },
    },
    {
      about: `
Meta bytes of a plate; most fresh blocks of a dictionary. It is rebuilt long before: the rest is room for what
arrives meanwhile.`,
      host: ['MAX_FRESH'],
      constants: { META_BYTES: 6, MAX_FRESH: 2048 },
    },
    {
      about: `
A long plate, one of 13 to MAX_TEXT characters (a misread), too long for blocks: 40 bytes,

    0   u8[32] codes          32  u8 length           33  u8 region
    34  u16 last hour         36  u16 first hour      38  u16 count (65535: that or more)

in chunks of LONG_CHUNK, whose addresses (u32) are in a directory of MAX_LONG_CHUNKS. Its slot is LONG_SLOT plus its
number.`,
      host: true,
      constants: {
        MAX_TEXT: 32,
        LONG_BYTES: 40,
        LONG_LENGTH: 32,
        LONG_REGION: 33,
        LONG_LAST: 34,
        LONG_FIRST: 36,
        LONG_COUNT: 38,
        LONG_CHUNK: 1024,
        MAX_LONG_CHUNKS: 256,
        LONG_SLOT: 2147483648,
      },
    },
    {
      about: `
A record of a bulk load (bulk_load.ts): u64 key, u64 meta. Region names: length, then up to 15 bytes. Starts of
lines that the host must examine, per call. Passes and buckets of the radix sort (sort.ts).`,
      host: true,
      constants: {
        RECORD_BYTES: 16,
        MAX_REGIONS: 256,
        REGION_NAME_BYTES: 16,
        MAX_ODD_LINES: 1024,
        PASSES: 7,
        BUCKETS: 2048,
      },
    },
    {
      about: 'Limits of a pattern: errors allowed, elements, fragments, orders of fragments, classes of characters.',
      constants: { MAX_EDITS: 2, MAX_ELEMENTS: 18, MAX_FRAGMENTS: 4, MAX_ORDERS: 24, MAX_CLASSES: 72 },
    },
    { about: 'Id of the class that contains every character.', host: true, constants: { ANY: 255 } },
    {
      about: `
A pattern:

    0    u32 fragments        4    u32 edits                8   u32 orders       12  u32 least length
    16   u32 longest length   20   u32 results wanted       24  u32 whether all regions are wanted
    32   u8[256] regions wanted
    288  f64 weight of an extra character                   296 f64 weight of a missing \`?\`
    304  u32 whether there is a strict form
    320  fragments, each an automaton
    1600 orders: each the whole pattern, an automaton
    9280 strict: an automaton of the whole pattern without look-alikes, when it is one fragment
    9600 upper bounds of a plate's probability, f64: without a look-alike; with at least one; with at least one
         error; with two; with at least one error that is not an extra character; with two of which one is not
    9664 classes of characters`,
      host: true,
      constants: {
        PATTERN_FRAGMENT_COUNT: 0,
        PATTERN_EDITS: 4,
        PATTERN_ORDER_COUNT: 8,
        PATTERN_MIN_LENGTH: 12,
        PATTERN_MAX_LENGTH: 16,
        PATTERN_LIMIT: 20,
        PATTERN_ALL_REGIONS: 24,
        PATTERN_REGIONS: 32,
        PATTERN_EXTRA: 288,
        PATTERN_MISSING: 296,
        PATTERN_HAS_STRICT: 304,
        PATTERN_FRAGMENTS: 320,
        PATTERN_ORDERS: 1600,
        PATTERN_STRICT: 9280,
        PATTERN_BOUNDS: 9600,
        PATTERN_CLASSES: 9664,
        PATTERN_BYTES: 51136,
      },
    },
    {
      about: `
An automaton: u32 elements, u32 stars (bit j: any run before element j), u8[32] class of each element; at 40 u8
number of selective elements, then u8[18] their indices, the most selective first; at 64 u32[64] the elements that
accept each code.`,
      host: true,
      constants: {
        AUTOMATON_BYTES: 320,
        AUTOMATON_STARS: 4,
        AUTOMATON_CLASSES: 8,
        AUTOMATON_ASKED: 40,
        AUTOMATON_TAKES: 64,
      },
    },
    {
      about: `
A class: u64 codes, u32 number of cubes, u32 unused, 20 x (u8 mask, u8 value), f64 weight when missing, f64[64]
weight of each code.`,
      host: true,
      constants: {
        CLASS_BYTES: 576,
        CLASS_CUBE_COUNT: 8,
        CLASS_CUBES: 16,
        MAX_CUBES: 20,
        CLASS_MISSING: 56,
        CLASS_WEIGHTS: 64,
      },
    },
    {
      about: 'A result: f64 probability, u32 slot, u32 last seen (hours after hour 0). Most results kept.',
      host: true,
      constants: { RESULT_BYTES: 16, RESULT_SLOT: 8, RESULT_LAST: 12, MAX_RESULTS: 10000 },
    },
    {
      about: 'A match of a hot list: f64 probability, u32 index of the entry, u32 unused. Most matches kept, the best.',
      host: true,
      constants: { MATCH_BYTES: 16, MATCH_ENTRY: 8, MAX_MATCHES: 256 },
    },
    {
      about: `
A workspace, what one instance writes:

    0      states of the automaton, two sets of 5 x 20 vectors of 512 bits: 0, 1, 2 errors; 1 and 2 that are all
           extra characters
    12800  64 bytes of zeros, 64 of ones
    12928  codes of one plate
    12992  how a plate can end well (endings.ts)
    14208  results, a heap of up to 10,000 x 16 bytes and one to compare with
    174336 a read that is being matched, or a pattern
    253952 vectors of the elements, 18 x 64 bytes
    255104 scoring: two sets of f64[3][20]
    256064 accepted lanes by errors as above, 5 x 64 bytes; lanes to offer, the same; strict ones, the same
    257024 lanes of one alignment, 64 bytes; addresses of the planes of each position, u32[12] (alignments.ts)
    257152 how plates can end well under each of 24 orders, and those of the current block (endings.ts)

and, where the instance searches,

    264000 for each fragment the elements that accept what a block may have, 4 x 16384 bytes (automaton.ts)
    329536 plates that wait to be weighed, 1.25 MiB, then u32[5] where the next of each kind goes (candidates.ts)`,
      host: ['READ_AT', 'WORKSPACE_BYTES', 'SEARCH_WORKSPACE_BYTES'],
      constants: {
        STATES_AT: 0,
        STATE_SET: 6400,
        LEVEL_STATES: 20,
        ZEROS_AT: 12800,
        ONES_AT: 12864,
        CODES_AT: 12928,
        ENDINGS_AT: 12992,
        RESULTS_AT: 14208,
        READ_AT: 174336,
        VECTORS_AT: 253952,
        SCORES_AT: 255104,
        SCORE_SET: 480,
        ACCEPTED_AT: 256064,
        TAKEN_AT: 256384,
        STRICT_AT: 256704,
        ALIGNED_AT: 257024,
        PLACES_AT: 257088,
        ORDER_ENDINGS_AT: 257152,
        BLOCK_ENDINGS_AT: 263680,
        WORKSPACE_BYTES: 264000,
        POSSIBLE_AT: 264000,
        WAITING_AT: 329536,
        WAITING_ENDS_AT: 1640256,
        SEARCH_WORKSPACE_BYTES: 1640320,
      },
    },
    {
      about: `
A read that is being matched against a list (list_read.ts), from READ_AT on:

    0     f32[16][37] distribution        2368  f64[16][36] emissions      6976  f64[16] skips
    7104  f64[17][2] missing              7376  f64[17] best from i on     7512  f64[16] weight of the other kind
    7640  f64[16] weight of extra         7768  unused                     7808  f64[36][36] confusion matrix
    18176 candidates [16][36] x 16 bytes: f64 emission, u32 rank           27392 u32[16] number of candidates
    27456 matches                         31616 texts to look up (list_walk.ts)
    48064 the best way on from each position, 17 x 40 bytes: f64 the most that any other way can give, u64 the
          characters of the best as a key, u64 37^their number, u32 their number, u32 unused, f64 what the best gives
          at this position`,
      host: ['READ_EMISSIONS', 'READ_SKIPS', 'READ_MISSING', 'READ_KIND_WEIGHTS', 'READ_EXTRA_WEIGHTS', 'READ_MATRIX'],
      constants: {
        READ_EMISSIONS: 2368,
        READ_SKIPS: 6976,
        READ_MISSING: 7104,
        READ_BESTS: 7376,
        READ_KIND_WEIGHTS: 7512,
        READ_EXTRA_WEIGHTS: 7640,
        READ_MATRIX: 7808,
        READ_CANDIDATES: 18176,
        READ_CANDIDATE_COUNTS: 27392,
        READ_MATCHES: 27456,
        READ_TEXTS: 31616,
        READ_WAYS: 48064,
        WAY_BYTES: 40,
        WAY_KEY: 8,
        WAY_SCALE: 16,
        WAY_LENGTH: 24,
        WAY_STEP: 32,
      },
    },
  ],
}
