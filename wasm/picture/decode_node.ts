import { WasmError } from '../errors.js'
import { decodeBmp, isBmp } from './decode_bmp.js'
import { corrupt } from './jpeg/corrupt.js'
import { decodeJpegNatively } from './jpeg_native.js'
import { checkSize, PICTURE_LIMITS, type LumaTarget, type Size } from './limits.js'
import { lumaOfRgba } from './luma.js'
import { decodeUpright } from './upright.js'

/**
 * Errors after which other decoders are tried: other formats, and JPEGs that libjpeg-turbo's luma path rejects.
 */
const TRY_OTHERWISE = new Set(['ALPR_ERR_FRAME_NOT_JPEG', 'ALPR_ERR_FRAME_CORRUPT'])

/**
 * Decodes the luma of a picture file into the target, upright: JPEG like a frame of the stream; PNG, WebP,
 * TIFF, GIF, AVIF and CMYK or arithmetic JPEG through sharp, without colour management; Windows bitmaps through bmp-ts.
 * decode_browser.ts does the same in browsers.
 * @throws ALPR_ERR_FRAME_EMPTY, _TRUNCATED, _CORRUPT, _TOO_SMALL, _TOO_LARGE
 */
export async function decodePicture(bytes: Uint8Array, target: LumaTarget): Promise<Size> {
  try {
    return decodeUpright(bytes, target, decodeJpegNatively)
  } catch (error) {
    if (!(error instanceof WasmError) || !TRY_OTHERWISE.has(error.code)) throw error
    return isBmp(bytes) ? decodeBmp(bytes, target) : decodeBySharp(bytes, target, error)
  }
}

async function decodeBySharp(bytes: Uint8Array, target: LumaTarget, first: WasmError): Promise<Size> {
  const { default: sharp } = await import('sharp')
  try {
    const picture = sharp(bytes, {
      limitInputPixels: PICTURE_LIMITS.mostPixels,
      failOn: 'truncated',
      ignoreIcc: true,
      autoOrient: true,
    })
    const { width, height } = await picture.metadata()
    checkSize({ width: width ?? 0, height: height ?? 0 })
    const { data, info } = await picture
      .toColourspace('srgb')
      .ensureAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
    lumaOfRgba(data, target.lumaBuffer(info.width, info.height))
    return { width: info.width, height: info.height }
  } catch (error) {
    if (error instanceof WasmError) throw error
    const reason = error instanceof Error ? error.message.split('\n')[0]! : String(error)
    if (/pixel limit/i.test(reason))
      throw new WasmError('ALPR_ERR_FRAME_TOO_LARGE', {
        what: 'pixels',
        value: 'more',
        limit: PICTURE_LIMITS.mostPixels,
      })
    // neither decoder can: report a broken JPEG as that
    throw first.code === 'ALPR_ERR_FRAME_CORRUPT' ? first : corrupt(reason, error)
  }
}
