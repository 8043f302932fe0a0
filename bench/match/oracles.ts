/**
 * The scalar oracles of matching: plain recursion, written from docs/matcher.md, without code of the product.
 *
 * This file is the one exception to the rule that bench/ imports nothing from test/: the oracles belong to the tests,
 * and a benchmark that no longer computes the right answer must fail.
 */
export { matchTwin } from '../../test/wasm/twin/matcher.js'
export { PatternTwin, type TwinToken } from '../../test/wasm/twin/plate_pattern.js'
