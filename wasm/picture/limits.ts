import { WasmError } from '../errors.js'

/** Limits of a picture; those of the sides are the recognizer's. */
export const PICTURE_LIMITS = {
  leastSide: 32,
  mostSide: 8192,
  mostPixels: 40_000_000,
  mostBytes: 64 * 1024 * 1024,
} as const

/** Provides the memory for a picture's luma, as the Recognizer does. */
export interface LumaTarget {
  /** width * height bytes, row by row. */
  lumaBuffer(width: number, height: number): Uint8Array
}

/** Pixels. */
export interface Size {
  width: number
  height: number
}

/** @throws ALPR_ERR_FRAME_TOO_SMALL, ALPR_ERR_FRAME_TOO_LARGE */
export function checkSize({ width, height }: Size): void {
  const { leastSide, mostSide, mostPixels } = PICTURE_LIMITS
  if (width < leastSide || height < leastSide)
    throw new WasmError('ALPR_ERR_FRAME_TOO_SMALL', { width, height, limit: leastSide })
  if (Math.max(width, height) > mostSide) throw tooLarge('side', Math.max(width, height), mostSide)
  if (width * height > mostPixels) throw tooLarge('pixels', width * height, mostPixels)
}

/** @throws ALPR_ERR_FRAME_EMPTY, ALPR_ERR_FRAME_TOO_LARGE */
export function checkBytes({ length }: Uint8Array): void {
  if (length === 0) throw new WasmError('ALPR_ERR_FRAME_EMPTY')
  if (length > PICTURE_LIMITS.mostBytes) throw tooLarge('bytes', length, PICTURE_LIMITS.mostBytes)
}

function tooLarge(what: string, value: number, limit: number): WasmError {
  return new WasmError('ALPR_ERR_FRAME_TOO_LARGE', { what, value, limit })
}
