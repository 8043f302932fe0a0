import { AlprError, codeOf, reasonOf } from '../errors.js'
import { checkSize, decodeJpeg, FRAME_LIMITS, type LumaTarget, type Size } from './decode.js'

/** What a picture file may hold that a stream may not: other formats, and JPEGs that libjpeg-turbo's luma path does not take. */
const TRY_OTHERWISE = new Set(['ALPR_ERR_FRAME_NOT_JPEG', 'ALPR_ERR_FRAME_CORRUPT'])

/**
 * Decodes a picture file for `platestream recognize`: JPEG as a frame of the stream is decoded; PNG, WebP, TIFF, GIF, AVIF and CMYK or
 * arithmetic JPEG through sharp. Pixels stay those of the file: an EXIF orientation is not applied.
 * @throws as decodeJpeg
 */
export async function decodePicture(bytes: Uint8Array, target: LumaTarget): Promise<Size> {
  try {
    return decodeJpeg(bytes, target)
  } catch (error) {
    if (!TRY_OTHERWISE.has(codeOf(error))) throw error
    return decodeBySharp(bytes, target, error as AlprError)
  }
}

async function decodeBySharp(bytes: Uint8Array, target: LumaTarget, first: AlprError): Promise<Size> {
  const { default: sharp } = await import('sharp')
  try {
    const picture = sharp(bytes, { limitInputPixels: FRAME_LIMITS.mostPixels, failOn: 'truncated' })
    const { width, height } = await picture.metadata()
    checkSize(width ?? 0, height ?? 0)
    const { data, info } = await picture.flatten({ background: '#808080' }).toColourspace('b-w').extractChannel(0).raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
    target.lumaBuffer(info.width, info.height).set(data)
    return { width: info.width, height: info.height }
  } catch (error) {
    if (error instanceof AlprError) throw error
    if (/pixel limit/i.test(reasonOf(error))) throw new AlprError('ALPR_ERR_FRAME_TOO_LARGE', { what: 'pixels', value: 'more', limit: FRAME_LIMITS.mostPixels })
    // neither way: a JPEG that is broken stays a broken JPEG
    throw first.code === 'ALPR_ERR_FRAME_CORRUPT' ? first : new AlprError('ALPR_ERR_FRAME_CORRUPT', { reason: reasonOf(error) }, { cause: error })
  }
}
