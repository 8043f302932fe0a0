/** For siblings and tests: the parts behind the public door. */
export * from './mod.js'
export * from './load_node.js'
export { parseModel } from './model_file.js'
export { checkNet, readLayer, type LayerRecord } from './model_net.js'
export { loadRecognizer, type RecognizerExports } from './recognizer_exports.js'
export * as record from './record.js'
export * as matcherLayout from './matching/layout.js'
export { coverOf } from './matching/cubes.js'
export { CODES } from './matching/alphabet.js'
export {
  openDesk,
  rawResults,
  rawResults16,
  resultBytes,
  SCAN_PIECE,
  type PreparedSearch,
  type RawResult,
} from './matching/dictionary.js'
export { textsOf } from './matching/preview.js'
export { plainWeights, type ReadWeights } from './matching/plate_syntax.js'
export { meaningOf, ordersOf } from './matching/meaning.js'
