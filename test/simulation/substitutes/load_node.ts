import { loadMatcher as load } from '../../../wasm/load_node.js'
import type { Matcher } from '../../../wasm/mod.js'

export * from '../../../wasm/load_node.js'

/** Read from its files before virtual time begins. */
const matcher: Matcher = await load()

export const loadMatcher = (): Promise<Matcher> => Promise.resolve(matcher)
