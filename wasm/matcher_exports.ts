/** The calls of matcher.wasm, documented in wasm/assembly/matcher.ts. */
export interface MatcherExports extends Record<string, unknown> {
  readonly memory: { readonly buffer: ArrayBuffer }
  abiVersion(): number
  describe(): number
  addGroup(length: number, count: number): number
  groupSize(length: number): number
  groupAddress(length: number): number
  inputAddress(): number
  emissionsAddress(): number
  begin(count: number, threshold: number): void
  scan(length: number, from: number, count: number): void
  matchesFound(): number
  matchesAddress(): number
}

/** Copies of constants in wasm/assembly/matcher/ (layout.ts, read.ts); a test compares them. */
export const MATCHER_ABI_VERSION = 1
export const MAX_LENGTH = 12
export const MAX_POSITIONS = 16
export const MATCH_BYTES = 24
export const EXTRA = 1
export const MISSING = 2
export const EXTRA_PRIOR = 0.02
export const MISSING_PRIOR = 0.01
