/**
 * The part of the recognizer library that Node and browsers share; node.ts and browser.ts add how files and pictures
 * are opened.
 */
export { CHARACTERS, CLASSES, NONE } from './classes.js'
export { enlarged, type Detection, type Quad, type Quality, type Timings } from './recognizer/detection.js'
export { WasmError, type WasmErrorCode } from './errors.js'
export type { Cascade, Model } from './recognizer/model_file.js'
export type { OpenOptions, Source } from './recognizer/open.js'
export type { Damage, Decoded } from './picture/decoded.js'
export { PICTURE_LIMITS, type LumaTarget, type Reduction, type Size } from './picture/limits.js'
export { Recognizer, type RecognizerOptions } from './recognizer/recognizer.js'
