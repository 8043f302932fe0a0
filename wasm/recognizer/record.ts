import { CLASSES } from '../classes.js'
import type { Detection, Quad } from './detection.js'
import {
  ALTERNATE_BYTES,
  RECORD_ALTERNATE_COUNT,
  RECORD_ALTERNATES,
  RECORD_BYTES,
  RECORD_CONFIDENCE,
  RECORD_CONTRAST,
  RECORD_GLARE,
  RECORD_HEIGHT,
  RECORD_LENGTH,
  RECORD_POSITIONS,
  RECORD_REGION,
  RECORD_REGION_CONFIDENCE,
  RECORD_SCORE,
  RECORD_SHARPNESS,
  RECORD_TEXT,
  RECORD_WIDTH,
} from './layout.js'

/**
 * Copies the record at address `at` of the module's memory into a detection.
 * @param regions regions of the model, in the order of its outputs
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
