import { WasmError } from '../../errors.js'

/** The error of a picture that is damaged. */
export function corrupt(reason: string, cause?: unknown): WasmError {
  return new WasmError('ALPR_ERR_FRAME_CORRUPT', { reason }, { cause })
}

/** The error of a JPEG whose end is missing. */
export function truncated(reason: string): WasmError {
  return new WasmError('ALPR_ERR_FRAME_TRUNCATED', { reason })
}
