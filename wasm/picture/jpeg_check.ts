import { readJpegHeader, type JpegHeader } from './jpeg_header.js'
import { checkBytes, reductionOf, type Reduction } from './limits.js'

/** A JPEG that may be decoded. */
export interface CheckedJpeg extends JpegHeader {
  reduction: Reduction
}

/** Bytes a pixel that a baseline JPEG takes, and a progressive one, whose coefficients are kept. */
const BASELINE_BYTES = 1
const PROGRESSIVE_BYTES = 4

/**
 * Validates a JPEG before it is decoded, the same for every decoder and every entrance.
 * @throws ALPR_ERR_FRAME_EMPTY, _NOT_JPEG, _TRUNCATED, _CORRUPT, _TOO_SMALL, _TOO_LARGE, ALPR_ERR_PICTURE_UNSUPPORTED
 */
export function checkJpeg(jpeg: Uint8Array): CheckedJpeg {
  checkBytes(jpeg)
  const header = readJpegHeader(jpeg)
  return { ...header, reduction: reductionOf(header, header.frame === 0xc2 ? PROGRESSIVE_BYTES : BASELINE_BYTES) }
}
