import turbo from '@julusian/jpeg-turbo'
import { checkJpeg } from './jpeg_check.js'
import { corrupt } from './jpeg/corrupt.js'
import type { LumaTarget, Size } from './limits.js'

/**
 * Decodes a JPEG's luma straight into the target with libjpeg-turbo (Node only). Dimensions are judged from the header
 * before any memory is asked for; what libjpeg-turbo merely warns about (a truncated scan, bad codes) is an error here:
 * nobody must take a half-grey picture for one without a plate. Chroma is not decoded, an EXIF orientation not applied.
 * @throws ALPR_ERR_FRAME_EMPTY, _NOT_JPEG, _TRUNCATED, _CORRUPT, _TOO_SMALL, _TOO_LARGE
 */
export function decodeJpegNatively(jpeg: Uint8Array, target: LumaTarget): Size {
  const { width, height } = checkJpeg(jpeg)
  const luma = target.lumaBuffer(width, height)
  const source = Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength)
  const out = Buffer.from(luma.buffer, luma.byteOffset, luma.byteLength)
  let decoded: Size
  try {
    decoded = turbo.decompressSync(source, out, { format: turbo.FORMAT_GRAY })
  } catch (error) {
    // the binding loses libjpeg's own words and says 'No error'
    throw corrupt((error as Error).message.replace('No error', 'the coded data is damaged or cut short'), error)
  }
  if (decoded.width !== width || decoded.height !== height) {
    throw corrupt(`it holds two frame headers, ${width}x${height} and ${decoded.width}x${decoded.height}`)
  }
  return { width, height }
}
