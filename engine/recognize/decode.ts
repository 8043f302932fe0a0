import { decodeJpegNatively } from '../../wasm/load_node.js'
import { WasmError, type Decoded, type LumaTarget } from '../../wasm/mod.js'
import { AlprError } from '../errors.js'

export type { Decoded, LumaTarget }

/**
 * Decodes the luma of a frame directly into the target. Ignores the EXIF orientation: a camera's frames stay as they
 * are. A damaged frame is decoded in part, and says so.
 * @throws ALPR_ERR_FRAME_EMPTY, _NOT_JPEG, _TRUNCATED, _CORRUPT, _TOO_SMALL, _TOO_LARGE, ALPR_ERR_PICTURE_UNSUPPORTED
 */
export function decodeJpeg(jpeg: Uint8Array, target: LumaTarget): Decoded {
  try {
    return decodeJpegNatively(jpeg, target)
  } catch (error) {
    throw error instanceof WasmError ? new AlprError(error.code, error.details, { cause: error }) : error
  }
}
