/** For siblings and tests: the parts behind the public door. */
export * from './mod.js'
export * from './load_node.js'
export { parseModel } from './recognizer/model_file.js'
export { checkNet, readLayer, type LayerRecord } from './recognizer/model_net.js'
export { loadRecognizer, type RecognizerExports } from './recognizer/recognizer_exports.js'
export * as record from './recognizer/record.js'
export * as matcherLayout from './matcher/layout.js'
export { coverOf } from './matcher/cubes.js'
export { CODES } from './matcher/alphabet.js'
export {
  openDesk,
  rawResults,
  rawResults16,
  resultBytes,
  SCAN_PIECE,
  type PreparedSearch,
  type RawResult,
} from './matcher/dictionary.js'
export { textsOf } from './matcher/preview.js'
export { plainWeights, type ReadWeights } from './matcher/plate_syntax.js'
export { meaningOf, ordersOf } from './matcher/pattern_semantics.js'
