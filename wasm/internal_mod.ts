/** For siblings and tests: the parts behind the public door. */
export * from './mod.js'
export * from './load_node.js'
export { parseModel } from './model_file.js'
export { checkNet, readLayer, type LayerRecord } from './model_net.js'
export { loadRecognizer, type RecognizerExports } from './recognizer_exports.js'
export * as record from './record.js'
export * as matcherLayout from './matcher_exports.js'
