import { WasmError } from '../errors.js'
import { decodeAny, type OtherPicture } from './decode_any.js'
import type { Decoded } from './decoded.js'
import { corrupt } from './jpeg/corrupt.js'
import { decodeJpegNatively } from './jpeg_native.js'
import { PICTURE_LIMITS, reducedSize, reductionOf, type LumaTarget } from './limits.js'
import { lumaOfRgba } from './luma.js'

/**
 * Decodes the luma of a picture file into the target, upright: a JPEG like a frame of the stream; PNG, WebP, TIFF, GIF
 * and AVIF through sharp, without colour management; bitmaps. Larger pictures than the recognizer takes are reduced.
 * decode_browser.ts does the same in browsers.
 * @throws ALPR_ERR_FRAME_EMPTY, _TRUNCATED, _CORRUPT, _TOO_SMALL, _TOO_LARGE, ALPR_ERR_PICTURE_UNSUPPORTED
 */
export async function decodePicture(bytes: Uint8Array, target: LumaTarget): Promise<Decoded> {
  return decodeAny(bytes, target, { jpeg: decodeJpegNatively, other: decodeBySharp })
}

async function decodeBySharp(bytes: Uint8Array, kind: OtherPicture, target: LumaTarget): Promise<Decoded> {
  const { default: sharp } = await import('sharp')
  try {
    const picture = sharp(bytes, {
      limitInputPixels: PICTURE_LIMITS.mostDecoding,
      failOn: 'truncated',
      ignoreIcc: true,
      // the orientation of PNG and WebP is read where browsers read it
      autoOrient: kind !== 'png' && kind !== 'webp',
    })
    const { autoOrient } = await picture.metadata()
    const full = kind === 'png' || kind === 'webp' ? await picture.metadata() : autoOrient
    const reduced = reductionOf(full, 1)
    const size = reducedSize(full, reduced)
    if (reduced > 1) picture.resize({ ...size, fit: 'fill', kernel: 'linear' })
    const { data, info } = await picture
      .toColourspace('srgb')
      .ensureAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
    lumaOfRgba(data, target.lumaBuffer(info.width, info.height))
    return { width: info.width, height: info.height, reduced }
  } catch (error) {
    if (error instanceof WasmError) throw error
    const reason = error instanceof Error ? error.message.split('\n')[0]! : String(error)
    if (/pixel limit/i.test(reason))
      throw new WasmError('ALPR_ERR_FRAME_TOO_LARGE', {
        what: 'pixels',
        value: 'more',
        limit: PICTURE_LIMITS.mostDecoding,
      })
    throw corrupt(`the ${kind.toUpperCase()} is damaged: ${reason}`, error)
  }
}
