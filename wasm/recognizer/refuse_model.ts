import { WasmError } from '../errors.js'

/** @throws ALPR_ERR_MODEL_INVALID with this reason */
export const refuseModel = (reason: string): never => {
  throw new WasmError('ALPR_ERR_MODEL_INVALID', { reason })
}
