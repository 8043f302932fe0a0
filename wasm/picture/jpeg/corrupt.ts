import { WasmError } from '../../errors.js'

/** The error for what libjpeg-turbo refuses or warns about. */
export function corrupt(reason: string, cause?: unknown): WasmError {
  return new WasmError('ALPR_ERR_FRAME_CORRUPT', { reason }, { cause })
}

/**
 * A valid JPEG of a kind that this decoder does not support: RGB or CMYK components, luma of less than full size,
 * arithmetic coding.
 */
export class OtherJpeg extends Error {
  override readonly name = 'OtherJpeg'
}
