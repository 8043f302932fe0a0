/** The light door of the engine: errors, processes, secrets, backoff. Loads no client and no codec. */
export { AlprError, ERROR_CODES, codeOf, reasonOf, type ErrorCode, type ErrorDetails } from '../errors.js'
export { backoffMs, sleep, within } from './backoff.js'
export { argumentsOf, isRunning } from './process.js'
export { loadSecrets, type Secrets } from './secrets.js'
