import { corrupt } from './jpeg/corrupt.js'
import { readJpegHeader, type JpegHeader } from './jpeg_header.js'
import { checkBytes, checkSize } from './limits.js'

/**
 * Validates a JPEG before it is decoded, the same for every decoder.
 * @throws ALPR_ERR_FRAME_EMPTY, _NOT_JPEG, _TRUNCATED, _CORRUPT, _TOO_SMALL, _TOO_LARGE
 */
export function checkJpeg(jpeg: Uint8Array): JpegHeader {
  checkBytes(jpeg)
  const header = readJpegHeader(jpeg)
  checkSize(header)
  if (header.components === 4) throw corrupt('CMYK pictures are not supported in a stream')
  if (header.frame > 0xc2) throw corrupt(`coding process 0x${header.frame.toString(16)} (lossless or arithmetic)`)
  return header
}
