/** The light door of the engine: errors, settings, secrets, processes, sleeping. Loads no client and no codec. */
export { AlprError, ERROR_CODES, codeOf, reasonOf, type ErrorCode, type ErrorDetails } from '../errors.js'
export { CAMERA_ID } from '../frames/camera.js'
export { CsvReader } from '../matching/csv.js'
export { LIST_ID } from '../matching/hotlist.js'
export { growingPause, sleep, within } from '../pause.js'
export { argumentsOf, isRunning } from '../process.js'
export { loadSecrets, type Secrets } from '../secrets.js'
export { dataPaths, loadSettings, type Settings } from '../settings.js'
