/** The public door of wasm/: everything here works in Node and in browsers. `load_node.ts` has the files of the build for Node. */
export { CHARACTERS, CLASSES, NONE, type Detection, type Quad, type Quality, type Timings } from './detection.js'
export { WASM_ERROR_CODES, WASM_ERRORS, WasmError, type WasmErrorCode } from './errors.js'
export { Matcher, type CompiledList, type Match, type Tolerance } from './matcher.js'
export type { Cascade, Model } from './model_file.js'
export { idOf } from './module_id.js'
export { Recognizer, type RecognizerOptions } from './recognizer.js'
