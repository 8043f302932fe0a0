import turbo from '@julusian/jpeg-turbo'
import { AlprError, reasonOf } from '../errors.js'
import { readJpegHeader } from './jpeg_header.js'

/** Limits of a frame; the sides are the recognizer's own. */
export const FRAME_LIMITS = { leastSide: 32, mostSide: 8192, mostPixels: 40_000_000, mostBytes: 64 * 1024 * 1024 } as const

/** Something that offers memory for a picture; the Recognizer does. */
export interface LumaTarget {
  /** width * height bytes, row by row. */
  lumaBuffer(width: number, height: number): Uint8Array
}

export interface Size {
  width: number
  height: number
}

/**
 * Decodes a JPEG's luma straight into the target. Dimensions are judged from the header before any memory is asked for; what libjpeg-turbo
 * merely warns about (a truncated scan, bad codes) is an error here: a stream must not take a half-grey picture for a frame without a plate.
 * Chroma is not decoded.
 * @throws ALPR_ERR_FRAME_EMPTY, _NOT_JPEG, _TRUNCATED, _CORRUPT, _TOO_SMALL, _TOO_LARGE
 */
export function decodeJpeg(jpeg: Uint8Array, target: LumaTarget): Size {
  if (jpeg.length > FRAME_LIMITS.mostBytes) throw tooLarge('bytes', jpeg.length, FRAME_LIMITS.mostBytes)
  const { width, height, components, frame } = readJpegHeader(jpeg)
  checkSize(width, height)
  if (components === 4) throw new AlprError('ALPR_ERR_FRAME_CORRUPT', { reason: 'CMYK pictures are not taken from a stream' })
  if (frame > 0xc2) throw new AlprError('ALPR_ERR_FRAME_CORRUPT', { reason: `coding process 0x${frame.toString(16)} (lossless or arithmetic)` })
  const luma = target.lumaBuffer(width, height)
  const source = Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength)
  const out = Buffer.from(luma.buffer, luma.byteOffset, luma.byteLength)
  let decoded: Size
  try {
    decoded = turbo.decompressSync(source, out, { format: turbo.FORMAT_GRAY })
  } catch (error) {
    // the binding loses libjpeg's own words and says 'No error'
    const reason = reasonOf(error).replace('No error', 'the coded data is damaged or cut short')
    throw new AlprError('ALPR_ERR_FRAME_CORRUPT', { reason }, { cause: error })
  }
  if (decoded.width !== width || decoded.height !== height) {
    throw new AlprError('ALPR_ERR_FRAME_CORRUPT', { reason: `it holds two frame headers, ${width}x${height} and ${decoded.width}x${decoded.height}` })
  }
  return { width, height }
}

/** @throws ALPR_ERR_FRAME_TOO_SMALL, ALPR_ERR_FRAME_TOO_LARGE */
export function checkSize(width: number, height: number): void {
  const { leastSide, mostSide, mostPixels } = FRAME_LIMITS
  if (width < leastSide || height < leastSide) throw new AlprError('ALPR_ERR_FRAME_TOO_SMALL', { width, height, limit: leastSide })
  if (Math.max(width, height) > mostSide) throw tooLarge('side', Math.max(width, height), mostSide)
  if (width * height > mostPixels) throw tooLarge('pixels', width * height, mostPixels)
}

function tooLarge(what: string, value: number, limit: number): AlprError {
  return new AlprError('ALPR_ERR_FRAME_TOO_LARGE', { what, value, limit })
}
