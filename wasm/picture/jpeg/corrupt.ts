import { WasmError } from '../../errors.js'

/** What libjpeg-turbo would refuse or warn about. */
export function corrupt(reason: string, cause?: unknown): WasmError {
  return new WasmError('ALPR_ERR_FRAME_CORRUPT', { reason }, { cause })
}

/**
 * A legal JPEG of a kind that this decoder leaves to others: RGB or CMYK components, luma of less than full size,
 * arithmetic coding.
 */
export class OtherJpeg extends Error {
  override readonly name = 'OtherJpeg'
}
