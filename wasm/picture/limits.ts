import { WasmError } from '../errors.js'

/** Limits of a picture; those of the sides and pixels are the recognizer's, to which larger ones are reduced. */
export const PICTURE_LIMITS = {
  leastSide: 32,
  mostSide: 8192,
  mostPixels: 40_000_000,
  mostBytes: 64 * 1024 * 1024,
  /** Memory that decoding may take, bytes; a baseline JPEG takes a byte a pixel, a progressive one four. */
  mostDecoding: 256 * 1024 * 1024,
} as const

/** How far a picture is made smaller while it is decoded: one pixel of the luma for so many on a side. */
export type Reduction = 1 | 2 | 4 | 8

const REDUCTIONS = [1, 2, 4, 8] as const

/** Provides the memory for a picture's luma, as the Recognizer does. */
export interface LumaTarget {
  /** width * height bytes, row by row. */
  lumaBuffer(width: number, height: number): Uint8Array
  /** Called after `lumaBuffer` when the picture in it is damaged. @param share part that is whole, 0..1 */
  markDamaged?(share: number): void
}

/** Pixels. */
export interface Size {
  width: number
  height: number
}

/**
 * @param bytesPerPixel that decoding takes
 * @returns how far the picture must be reduced
 * @throws ALPR_ERR_FRAME_TOO_SMALL, ALPR_ERR_FRAME_TOO_LARGE
 */
export function reductionOf({ width, height }: Size, bytesPerPixel: number): Reduction {
  const { leastSide, mostSide, mostPixels, mostDecoding } = PICTURE_LIMITS
  const tooSmall = new WasmError('ALPR_ERR_FRAME_TOO_SMALL', { width, height, limit: leastSide })
  if (width < leastSide || height < leastSide) throw tooSmall
  const bytes = width * height * bytesPerPixel
  if (bytes > mostDecoding) throw tooLarge('memory to decode it (bytes)', bytes, mostDecoding)
  const reduction = REDUCTIONS.find(
    (by) => Math.max(width, height) < by * (mostSide + 1) && width * height <= by * by * mostPixels,
  )
  if (reduction === undefined) throw tooLarge('side', Math.max(width, height), 8 * mostSide)
  if (Math.min(width, height) < reduction * leastSide) throw tooSmall
  return reduction
}

/** The size of a reduced picture. */
export const reducedSize = ({ width, height }: Size, by: Reduction): Size => ({
  width: Math.floor(width / by),
  height: Math.floor(height / by),
})

/** @throws ALPR_ERR_FRAME_EMPTY, ALPR_ERR_FRAME_TOO_LARGE */
export function checkBytes({ length }: Uint8Array): void {
  if (length === 0) throw new WasmError('ALPR_ERR_FRAME_EMPTY')
  if (length > PICTURE_LIMITS.mostBytes) throw tooLarge('bytes', length, PICTURE_LIMITS.mostBytes)
}

function tooLarge(what: string, value: number, limit: number): WasmError {
  return new WasmError('ALPR_ERR_FRAME_TOO_LARGE', { what, value, limit })
}
