// Generated from wasm/layout/recognizer.mjs: edit that file.
/**
 * Memory map of recognizer.wasm. A bump pointer places everything once; nothing is freed.
 *
 *     0             ┌──────────────────────────────────────────────────────────────────┐
 *                   │ fixed    constants and tables; work areas of fixed size: packed  │  laid out by the compiler
 *                   │          inputs and sums of a block, boxes, quads, reader        │  (memory.data)
 *                   │          columns, texts, records                                 │
 *     __heap_base   ├──────────────────────────────────────────────────────────────────┤
 *                   │ model    per net: blob as in the file, Layer[], Tensor[],        │  grows by loadNet
 *                   │          packed weights, padded tables                           │
 *                   ├──────────────────────────────────────────────────────────────────┤
 *                   │ samples  a net's input as grey values, f32                       │  fixed after sealModel
 *     arenaBase     ├──────────────────────────────────────────────────────────────────┤
 *                   │ arena    tensors of the one net that runs; tensors that are      │  largest plan of the
 *                   │          never live together share bytes (net_plan.ts)           │  nets; coarse by frame size
 *     lumaBase      ├──────────────────────────────────────────────────────────────────┤
 *                   │ pyramid  level 0 = luma, written by the host; 1, 2 ... after it  │  by frame size
 *                   └──────────────────────────────────────────────────────────────────┘
 *
 * A tensor in the arena: int16, channels last, with a border of one zero pixel (so no kernel tests for the edge):
 *
 *     base → [0 0 0 0 0 0]      row step  = (w + 2) * c * 2 bytes
 *            [0 p p p p 0]      pixel     = c int16 side by side
 *            [0 p p p p 0]      interior  = base + row step + c * 2
 *            [0 0 0 0 0 0]      slack     = two more rows and 16 pixels that the last tiles may read (never use)
 *
 * A layer works on one block of groups of four tiles (or pixels) at a time. The work areas are small enough for the
 * caches and are the same bytes for every layer:
 *
 *     source tensor ──► packed inputs V ──────────► sums of planes ──► sums of pixels ──► output tensor
 *                       [group][part][c/2][4] i16   [plane][4][8]      [2][8][8] i32      8 channels of 16 pixels
 *                       up to PACKED_BYTES          i32, 2 KiB         512 bytes
 *
 * Memory grows (arena.ts) only when a model is loaded and when a frame is larger than all previous ones; processing a
 * frame allocates nothing.
 *
 * A raw tensor (the last layer's output) is f32 without a border, its channels padded to a multiple of 8.
 */

/** Version of the calls and records between this module and its host; the host refuses any other. */
export const ABI_VERSION: u32 = 3

/** Limits of a model and of what is found in one frame. */
export const MAX_NETS: u32 = 4
export const MAX_LAYERS: u32 = 64
export const MAX_CHANNELS: u32 = 256
export const MAX_CANDIDATES: u32 = 16

/** Longest plate text; 37^12 still fits a u64, which is how the beam search represents a prefix. */
export const MAX_TEXT: u32 = 12

/**
 * 0-9 and A-Z, and one more: the CTC blank (class 0) in a reader's column, 'none' (class 36) in a position's
 * distribution.
 */
export const CLASSES: u32 = 37

/** Texts reported beside the best one. */
export const MAX_ALTERNATES: u32 = 5

/** Regions of a model; entries of the shapes by region, and of the rare letters by region. */
export const MAX_REGIONS: u32 = 128
export const MAX_REGION_SHAPES: u32 = 4096
export const MAX_REGION_LETTERS: u32 = 2048

/** Part of the height that each line of a two-line plate gets; above a half, the lines overlap. */
export const READER_OVERLAP: f64 = 0.54

/** Margins that a plate is read at, columns of the reader (two lines together), prefixes of the beam search. */
export const MAX_MARGINS: u32 = 4
export const MAX_COLUMNS: u32 = 128
export const MAX_BEAM: u32 = 32

/** Side limits of a frame, pixels. */
export const MIN_SIDE: u32 = 32
export const MAX_SIDE: u32 = 8192

/** Pixels after a tensor that the last tile of a row may read; see the drawing. */
export const SLACK_PIXELS: u32 = 16

/** Largest magnitude of an activation: four times it (Winograd's input transform) still fits int16. */
export const ACTIVATION_MAX: i32 = 8191

/**
 * Packed inputs of one block of Winograd tiles (at least two groups of four tiles, 25 parts of 256 channels each);
 * sums of four tiles, 8 output channels, at most 16 planes; groups of four pixels that a direct convolution packs at
 * once.
 */
export const PACKED_BYTES: u32 = 131072
export const SUMS_BYTES: u32 = 2048
export const DIRECT_GROUPS: u32 = 10

/**
 * A detection as the host reads it, RECORD_BYTES each:
 *
 *     0    f64 quad[4][2]            frame pixels, clockwise from the top left of the plate as read
 *     64   f32 score                 of the fine look, 0..1
 *     68   f32 confidence            calibrated, 0..1
 *     72   f32 height, 76 f32 width  of the plate, frame pixels
 *     80   f32 sharpness, 84 f32 contrast, 88 f32 glare    quality.ts, 0..1
 *     92   u32 length                of the text; also the number of positions
 *     96   u8 text[16]               ASCII
 *     112  u32 alternates
 *     116  5 x { f32 confidence, u32 length, u8 text[12] }
 *     216  i32 region                -1 when none is named
 *     220  f32 region's probability
 *     256  f32 positions[12][37]     P(class | position); 0-9, A-Z, then none
 */
export const RECORD_BYTES: u32 = 2048
export const RECORD_SCORE: u32 = 64
export const RECORD_CONFIDENCE: u32 = 68
export const RECORD_HEIGHT: u32 = 72
export const RECORD_WIDTH: u32 = 76
export const RECORD_SHARPNESS: u32 = 80
export const RECORD_CONTRAST: u32 = 84
export const RECORD_GLARE: u32 = 88
export const RECORD_LENGTH: u32 = 92
export const RECORD_TEXT: u32 = 96
export const RECORD_ALTERNATE_COUNT: u32 = 112
export const RECORD_ALTERNATES: u32 = 116
export const ALTERNATE_BYTES: u32 = 20
export const RECORD_REGION: u32 = 216
export const RECORD_REGION_CONFIDENCE: u32 = 220
export const RECORD_POSITIONS: u32 = 256

/** Return codes of prepare, addNet and sealModel. The host maps them to its error table. */
export const OK: i32 = 0
export const REFUSED_SIZE: i32 = 1
export const REFUSED_MEMORY: i32 = 2
export const REFUSED_NET: i32 = 3
