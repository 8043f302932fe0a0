/**
 * The public door of wasm/: everything here works in Node and in browsers. `load_node.ts` has the files of the build
 * for Node.
 */
export { CHARACTERS, CLASSES, NONE, type Detection, type Quad, type Quality, type Timings } from './recognizer/detection.js'
export { PICTURE_ERRORS, WASM_ERROR_CODES, WASM_ERRORS, WasmError, type WasmErrorCode } from './errors.js'
export { LEAST_THRESHOLD, Matcher, type CompiledList, type Match, type Tolerance } from './matcher/matcher.js'
export { PatternAligner, type Alignment, type PatternTolerance } from './matcher/align_pattern.js'
export { PlateBuilder, type BuiltPlates, type PlateRow } from './matcher/plate_builder.js'
export { ConfusionModel, type ConfusionData } from './matcher/confusion_model.js'
export {
  Dictionary,
  type PlateMatch,
  type SearchOptions,
  type SearchPage,
  type SharedDictionary,
} from './matcher/dictionary.js'
export { MatcherModule } from './matcher/matcher_module.js'
export { parsePattern, type Pattern } from './matcher/pattern.js'
export { isSeparator, normalisePlate, strictPlate } from './matcher/plate_text.js'
export { previewThresholds, type PreviewQuestion, type PreviewRow } from './matcher/preview.js'
export { PlateSyntax, type PlateSyntaxData } from './matcher/plate_syntax.js'
export type { Cascade, Model } from './recognizer/model_file.js'
export { idOf } from './module_id.js'
export { Recognizer, type RecognizerOptions } from './recognizer/recognizer.js'
