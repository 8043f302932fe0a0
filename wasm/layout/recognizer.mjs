/** Memory layout of recognizer.wasm; see generate.mjs. */
export default {
  about: `
Memory map of recognizer.wasm. A bump pointer places everything once; nothing is freed.

    0             ┌──────────────────────────────────────────────────────────────────┐
                  │ fixed    constants and tables; work areas of fixed size: packed  │  laid out by the compiler
                  │          inputs and sums of a block, boxes, quads, reader        │  (memory.data)
                  │          columns, texts, records                                 │
    __heap_base   ├──────────────────────────────────────────────────────────────────┤
                  │ model    per net: blob as in the file, Layer[], Tensor[],        │  grows by loadNet
                  │          packed weights, padded tables                           │
                  ├──────────────────────────────────────────────────────────────────┤
                  │ samples  a net's input as grey values, f32                       │  fixed after sealModel
    arenaBase     ├──────────────────────────────────────────────────────────────────┤
                  │ arena    tensors of the one net that runs; tensors that are      │  largest plan of the
                  │          never live together share bytes (net_plan.ts)           │  nets; coarse by frame size
    lumaBase      ├──────────────────────────────────────────────────────────────────┤
                  │ pyramid  level 0 = luma, written by the host; 1, 2 ... after it  │  by frame size
                  └──────────────────────────────────────────────────────────────────┘

A tensor in the arena: int16, channels last, with a border of one zero pixel (so no kernel tests for the edge):

    base → [0 0 0 0 0 0]      row step  = (w + 2) * c * 2 bytes
           [0 p p p p 0]      pixel     = c int16 side by side
           [0 p p p p 0]      interior  = base + row step + c * 2
           [0 0 0 0 0 0]      slack     = two more rows and 16 pixels that the last tiles may read (never use)

A layer works on one block of groups of four tiles (or pixels) at a time. The work areas are small enough for the
caches and are the same bytes for every layer:

    source tensor ──► packed inputs V ──────────► sums of planes ──► sums of pixels ──► output tensor
                      [group][part][c/2][4] i16   [plane][4][8]      [2][8][8] i32      8 channels of 16 pixels
                      up to PACKED_BYTES          i32, 2 KiB         512 bytes

Memory grows (arena.ts) only when a model is loaded and when a frame is larger than all previous ones; processing a
frame allocates nothing.

A raw tensor (the last layer's output) is f32 without a border, its channels padded to a multiple of 8.`,
  sections: [
    {
      about: 'Version of the calls and records between this module and its host; the host refuses any other.',
      host: true,
      constants: { ABI_VERSION: 3 },
    },
    {
      about: 'Limits of a model and of what is found in one frame.',
      host: ['MAX_LAYERS', 'MAX_CHANNELS'],
      constants: { MAX_NETS: 4, MAX_LAYERS: 64, MAX_CHANNELS: 256, MAX_CANDIDATES: 16 },
    },
    {
      about: 'Longest plate text; 37^12 still fits a u64, which is how the beam search represents a prefix.',
      host: true,
      constants: { MAX_TEXT: 12 },
    },
    {
      about: `
0-9 and A-Z, and one more: the CTC blank (class 0) in a reader's column, 'none' (class 36) in a position's
distribution.`,
      constants: { CLASSES: 37 },
    },
    { about: 'Texts reported beside the best one.', host: true, constants: { MAX_ALTERNATES: 5 } },
    {
      about: 'Regions of a model; entries of the shapes by region, and of the rare letters by region.',
      host: ['MAX_REGIONS'],
      constants: { MAX_REGIONS: 128, MAX_REGION_SHAPES: 4096, MAX_REGION_LETTERS: 2048 },
    },
    {
      about: 'Part of the height that each line of a two-line plate gets; above a half, the lines overlap.',
      type: 'f64',
      constants: { READER_OVERLAP: 0.54 },
    },
    {
      about:
        'Margins that a plate is read at, columns of the reader (two lines together), prefixes of the beam search.',
      constants: { MAX_MARGINS: 4, MAX_COLUMNS: 128, MAX_BEAM: 32 },
    },
    { about: 'Side limits of a frame, pixels.', host: true, constants: { MIN_SIDE: 32, MAX_SIDE: 8192 } },
    {
      about: 'Pixels after a tensor that the last tile of a row may read; see the drawing.',
      constants: { SLACK_PIXELS: 16 },
    },
    {
      about: "Largest magnitude of an activation: four times it (Winograd's input transform) still fits int16.",
      type: 'i32',
      host: true,
      constants: { ACTIVATION_MAX: 8191 },
    },
    {
      about: `
Packed inputs of one block of Winograd tiles (at least two groups of four tiles, 25 parts of 256 channels each);
sums of four tiles, 8 output channels, at most 16 planes; groups of four pixels that a direct convolution packs at
once.`,
      constants: { PACKED_BYTES: 128 * 1024, SUMS_BYTES: 16 * 4 * 8 * 4, DIRECT_GROUPS: 10 },
    },
    {
      about: `
A detection as the host reads it, RECORD_BYTES each:

    0    f64 quad[4][2]            frame pixels, clockwise from the top left of the plate as read
    64   f32 score                 of the fine look, 0..1
    68   f32 confidence            calibrated, 0..1
    72   f32 height, 76 f32 width  of the plate, frame pixels
    80   f32 sharpness, 84 f32 contrast, 88 f32 glare    quality.ts, 0..1
    92   u32 length                of the text; also the number of positions
    96   u8 text[16]               ASCII
    112  u32 alternates
    116  5 x { f32 confidence, u32 length, u8 text[12] }
    216  i32 region                -1 when none is named
    220  f32 region's probability
    256  f32 positions[12][37]     P(class | position); 0-9, A-Z, then none`,
      host: true,
      constants: {
        RECORD_BYTES: 2048,
        RECORD_SCORE: 64,
        RECORD_CONFIDENCE: 68,
        RECORD_HEIGHT: 72,
        RECORD_WIDTH: 76,
        RECORD_SHARPNESS: 80,
        RECORD_CONTRAST: 84,
        RECORD_GLARE: 88,
        RECORD_LENGTH: 92,
        RECORD_TEXT: 96,
        RECORD_ALTERNATE_COUNT: 112,
        RECORD_ALTERNATES: 116,
        ALTERNATE_BYTES: 20,
        RECORD_REGION: 216,
        RECORD_REGION_CONFIDENCE: 220,
        RECORD_POSITIONS: 256,
      },
    },
    {
      about: 'Return codes of prepare, addNet and sealModel. The host maps them to its error table.',
      type: 'i32',
      host: ['OK', 'REFUSED_SIZE', 'REFUSED_MEMORY'],
      constants: { OK: 0, REFUSED_SIZE: 1, REFUSED_MEMORY: 2, REFUSED_NET: 3 },
    },
  ],
}
