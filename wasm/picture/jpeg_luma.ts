import type { Decoded } from './decoded.js'
import { JpegLuma } from './jpeg/decode.js'
import { checkJpeg } from './jpeg_check.js'
import type { LumaTarget } from './limits.js'

/**
 * Decodes a JPEG's luma directly into the target in plain TypeScript: the same result as `decodeJpegNatively`, slower.
 * @throws the errors of checkJpeg
 */
export function decodeJpegLuma(jpeg: Uint8Array, target: LumaTarget): Decoded {
  return new JpegLuma(jpeg, checkJpeg(jpeg), target).decode()
}
