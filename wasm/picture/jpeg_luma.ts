import { JpegLuma } from './jpeg/decode.js'
import { checkJpeg } from './jpeg_check.js'
import type { LumaTarget, Size } from './limits.js'

/**
 * Decodes a JPEG's luma straight into the target, wherever JavaScript runs; bit for bit what `decodeJpegNatively`
 * gives, slower.
 * @throws as checkJpeg; OtherJpeg for kinds that this decoder leaves to others
 */
export function decodeJpegLuma(jpeg: Uint8Array, target: LumaTarget): Size {
  checkJpeg(jpeg)
  return new JpegLuma(jpeg, target).decode()
}
