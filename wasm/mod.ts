/**
 * The public door of wasm/: everything here works in Node and in browsers. `load_node.ts` is the door to what works in
 * Node only: the files of the build and the native JPEG decoder.
 */
export { CHARACTERS, CLASSES, NONE } from './classes.js'
export { PICTURE_ERRORS, WASM_ERROR_CODES, WASM_ERRORS, WasmError, type WasmErrorCode } from './errors.js'
export { PatternAligner, type Alignment, type PatternTolerance } from './matcher/align_pattern.js'
export { ConfusionModel, type ConfusionData } from './matcher/confusion_model.js'
export {
  Dictionary,
  type PlateMatch,
  type SearchOptions,
  type SearchPage,
  type PreparedSearch,
  type SharedDictionary,
} from './matcher/dictionary.js'
export { writeDictionary, type DictionaryImage } from './matcher/dictionary_image.js'
export {
  LEAST_THRESHOLD,
  Matcher,
  type CompiledList,
  type ListPlates,
  type Match,
  type SharedList,
  type Tolerance,
} from './matcher/matcher.js'
export { MatcherMemory, MatcherModule, type HandedMemory } from './matcher/matcher_module.js'
export { parsePattern, type Pattern } from './matcher/pattern.js'
export { ordersOf, semanticsOf } from './matcher/pattern_semantics.js'
export { PlateBuilder, type BuiltPlates, type PlateRow } from './matcher/plate_builder.js'
export { PlateSyntax, type PlateSyntaxData } from './matcher/plate_syntax.js'
export { isSeparator, normalisePlate, strictPlate } from './matcher/plate_text.js'
export { previewThresholds, type PreviewQuestion, type PreviewRow } from './matcher/preview.js'
export {
  decodeResults,
  openSearchInstance,
  resultBytes,
  SCAN_PIECE,
  type ScanResult,
} from './matcher/search_instance.js'
export { idOf } from './module_id.js'
export { kindOf, textKindOf } from './picture/kind.js'
export { readOrientation } from './picture/orientation.js'
export { checkJpeg, type CheckedJpeg } from './picture/jpeg_check.js'
export type { Damage, Decoded } from './picture/decoded.js'
export type { LumaTarget, Size } from './picture/limits.js'
export { MOST_REDUCED, Shrinker, type Area } from './picture/shrinker.js'
export { enlarged, type Detection, type Quad, type Quality, type Timings } from './recognizer/detection.js'
export type { Cascade, Model } from './recognizer/model_file.js'
export { Recognizer, type RecognizerOptions } from './recognizer/recognizer.js'
