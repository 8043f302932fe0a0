import { PICTURE_ERRORS } from '../../wasm/mod.js'
import { AlprError } from '../errors.js'

/**
 * The error, when it is a verdict about a message: the message will never be processed, and goes to DEAD with it. Any
 * other error is one of the environment (a server away, threads that do not start, a process that ends): the message
 * waits.
 */
export const verdictOf = (error: unknown): AlprError | undefined =>
  error instanceof AlprError && (/^ALPR_ERR_(FRAME|DETECTION|CAMERA)_/.test(error.code) || error.code in PICTURE_ERRORS)
    ? error
    : undefined
