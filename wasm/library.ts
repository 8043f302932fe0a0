/**
 * The part of the recognizer library that Node and browsers share; node.ts and browser.ts add how files and pictures
 * are opened.
 */
export { CHARACTERS, CLASSES, NONE } from './classes.js'
export type { Detection, Quad, Quality, Timings } from './recognizer/detection.js'
export { WasmError, type WasmErrorCode } from './errors.js'
export type { Cascade, Model } from './recognizer/model_file.js'
export type { OpenOptions, Source } from './recognizer/open.js'
export { PICTURE_LIMITS, type LumaTarget, type Size } from './picture/limits.js'
export { Recognizer, type RecognizerOptions } from './recognizer/recognizer.js'
