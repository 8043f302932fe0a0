import turbo from '@julusian/jpeg-turbo'
import { checkJpeg } from './jpeg_check.js'
import { corrupt } from './jpeg/corrupt.js'
import type { LumaTarget, Size } from './limits.js'

/**
 * Decodes a JPEG's luma directly into the target with libjpeg-turbo (Node only). Checks the size in the header before
 * allocating memory. What libjpeg-turbo only warns about (a truncated scan, bad codes) is an error here, because a
 * half-grey picture must not pass for one without a plate. Does not decode chroma or apply an EXIF orientation.
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
    // the binding loses libjpeg's message and reports 'No error'
    throw corrupt((error as Error).message.replace('No error', 'the coded data is damaged or cut short'), error)
  }
  if (decoded.width !== width || decoded.height !== height) {
    throw corrupt(`it holds two frame headers, ${width}x${height} and ${decoded.width}x${decoded.height}`)
  }
  return { width, height }
}
