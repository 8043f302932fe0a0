/**
 * The light door of the engine: errors, secrets, processes, sleeping, CSV. Loads no client, codec or schema compiler.
 */
export {
  AlprError,
  ERROR_CODES,
  codeOf,
  logErrorOf,
  logReasonOf,
  reasonOf,
  type ErrorCode,
  type ErrorDetails,
} from '../errors.js'
export { DAY_MS, HOUR_MS, parseDay, parseInstant } from '../model/time.js'
export { CsvReader } from './csv_reader.js'
export { leastOf, mostOf } from './extremes.js'
export { CachedValue } from './cached_value.js'
export { backoffMs, sleep, within } from './backoff.js'
export { ENCODINGS, type Encoding } from './text_pieces.js'
export { readCameraSecret, saveCameraSecret, type CameraSecret } from './camera_secrets.js'
export { csvRow, type CsvValue } from './csv_row.js'
export { argumentsOf, isRunning } from './process.js'
export {
  newPushSecret,
  PUSH_REALM,
  PushCredentials,
  savePushCredential,
  type PushCredential,
} from './push_secrets.js'
export { redact } from './redact.js'
export { loadSecrets, type Secrets } from './secrets.js'
export { Semaphore, type SemaphoreOptions } from './semaphore.js'
