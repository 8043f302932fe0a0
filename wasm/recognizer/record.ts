import { CLASSES, type Detection, type Quad } from './detection.js'

/** The host's copy of the record layout in wasm/assembly/layout.ts, where it is drawn; a test compares the two. */
export const ABI_VERSION = 3
export const MIN_SIDE = 32
export const MAX_SIDE = 8192
export const RECORD_BYTES = 2048
export const RECORD_SCORE = 64
export const RECORD_CONFIDENCE = 68
export const RECORD_HEIGHT = 72
export const RECORD_WIDTH = 76
export const RECORD_SHARPNESS = 80
export const RECORD_CONTRAST = 84
export const RECORD_GLARE = 88
export const RECORD_LENGTH = 92
export const RECORD_TEXT = 96
export const RECORD_ALTERNATE_COUNT = 112
export const RECORD_ALTERNATES = 116
export const ALTERNATE_BYTES = 20
export const RECORD_REGION = 216
export const RECORD_REGION_CONFIDENCE = 220
export const RECORD_POSITIONS = 256

/**
 * The detection whose record lies at `at` in the module's memory; nothing in it refers to that memory. `regions`: the
 * model's.
 */
export function readRecord(memory: ArrayBufferLike, at: number, regions: readonly string[]): Detection {
  const view = new DataView(memory, at, RECORD_BYTES)
  const f32 = (offset: number) => view.getFloat32(offset, true)
  const u32 = (offset: number) => view.getUint32(offset, true)
  const corner = (i: number): [number, number] => [view.getFloat64(i * 16, true), view.getFloat64(i * 16 + 8, true)]
  const quad: Quad = [corner(0), corner(1), corner(2), corner(3)]
  const length = u32(RECORD_LENGTH)
  const text = (offset: number, size: number) => String.fromCharCode(...new Uint8Array(memory, at + offset, size))
  return {
    plate: text(RECORD_TEXT, length),
    confidence: f32(RECORD_CONFIDENCE),
    quad,
    score: f32(RECORD_SCORE),
    positions: Array.from({ length }, (_, i) =>
      new Float32Array(memory, at + RECORD_POSITIONS + i * CLASSES * 4, CLASSES).slice(),
    ),
    alternates: Array.from({ length: u32(RECORD_ALTERNATE_COUNT) }, (_, i) => {
      const offset = RECORD_ALTERNATES + i * ALTERNATE_BYTES
      return { plate: text(offset + 8, u32(offset + 4)), confidence: f32(offset) }
    }),
    region: regions[view.getInt32(RECORD_REGION, true)] ?? null,
    regionConfidence: f32(RECORD_REGION_CONFIDENCE),
    quality: {
      heightPx: f32(RECORD_HEIGHT),
      widthPx: f32(RECORD_WIDTH),
      sharpness: f32(RECORD_SHARPNESS),
      contrast: f32(RECORD_CONTRAST),
      glare: f32(RECORD_GLARE),
    },
  }
}
