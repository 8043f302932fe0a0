import { JpegLuma } from './jpeg/decode.js'
import { checkJpeg } from './jpeg_check.js'
import type { LumaTarget, Size } from './limits.js'

/**
 * Decodes a JPEG's luma directly into the target in plain TypeScript: the same bits as `decodeJpegNatively`, slower.
 * @throws the errors of checkJpeg; OtherJpeg for kinds that this decoder does not support
 */
export function decodeJpegLuma(jpeg: Uint8Array, target: LumaTarget): Size {
  checkJpeg(jpeg)
  return new JpegLuma(jpeg, target).decode()
}
