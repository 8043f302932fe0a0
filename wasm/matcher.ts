import { instantiate, instantiateSync, type ASUtil } from '@assemblyscript/loader'
import { CLASSES, NONE } from './detection.js'
import { WasmError } from './errors.js'
import { explainMatches, type Match } from './matcher_explain.js'
import { MATCHER_ABI_VERSION, MAX_LENGTH, MAX_POSITIONS, type MatcherExports } from './matcher_exports.js'
import { idOf } from './module_id.js'

export type { Match, Tolerance } from './matcher_explain.js'

/** A list in the form that `match` scans. Entries that cannot be a plate (not 1 to 12 of [A-Z0-9]) never match and are in `skipped`. */
export interface CompiledList {
  readonly size: number
  readonly skipped: readonly number[]
}

/** Plates a call scans: long enough to cost nothing, short enough that V8 can swap in optimised code between calls. */
const PIECE = 1 << 16
/** Entries packed before others get their turn on the event loop. */
const PACK_PIECE = 50_000

/** A list compiled into an instance of its own: dropping it gives the memory back. */
class Lanes implements CompiledList {
  exports: (MatcherExports & ASUtil) | undefined
  readonly skipped: number[] = []

  constructor(readonly size: number, exports: MatcherExports & ASUtil) {
    this.exports = exports
  }
}

/**
 * Checks reads against hot lists: every entry, by brute force, on the distribution of the read. The probability of an entry is the product
 * over its characters of P(character | position), mixed with the confusions of readers, under the best alignment with at most one missing or
 * one extra character (wasm/assembly/matcher/).
 */
export class Matcher {
  private constructor(
    private readonly module: Parameters<typeof instantiateSync>[0],
    /** First 16 hex digits of the module's SHA-256. */
    readonly moduleId: string,
  ) {}

  /** @throws ALPR_ERR_MODULE_INVALID, ALPR_ERR_MODULE_ABI */
  static async create(wasmBytes: Uint8Array): Promise<Matcher> {
    let module: Parameters<typeof instantiateSync>[0]
    let exports: MatcherExports
    try {
      const loaded = await instantiate<MatcherExports>(wasmBytes as Uint8Array<ArrayBuffer>, {})
      module = loaded.module
      exports = loaded.exports as unknown as MatcherExports
    } catch (error) {
      throw new WasmError('ALPR_ERR_MODULE_INVALID', { reason: error instanceof Error ? error.message : String(error) })
    }
    if (typeof exports.addGroup !== 'function') throw new WasmError('ALPR_ERR_MODULE_INVALID', { reason: 'it is not the matcher' })
    const found = exports.abiVersion()
    if (found !== MATCHER_ABI_VERSION) throw new WasmError('ALPR_ERR_MODULE_ABI', { found, needed: MATCHER_ABI_VERSION })
    return new Matcher(module, await idOf(wasmBytes))
  }

  /**
   * Packs the entries (upper case [A-Z0-9]; duplicates stay) into lanes. Others get their turn on the event loop meanwhile.
   * @throws ALPR_ERR_LIST_MEMORY
   */
  async compileList(entries: readonly string[]): Promise<CompiledList> {
    const exports = instantiateSync<MatcherExports>(this.module, {}).exports as unknown as MatcherExports & ASUtil
    const list = new Lanes(entries.length, exports)
    const counts = new Uint32Array(MAX_LENGTH + 1)
    for (const entry of entries) if (isPlate(entry)) counts[entry.length]! += 1
    const planes = new Uint32Array(MAX_LENGTH + 1)
    for (let length = 1; length <= MAX_LENGTH; length++) {
      if (counts[length] === 0) continue
      planes[length] = exports.addGroup(length, counts[length]!)
      if (planes[length] === 0) throw new WasmError('ALPR_ERR_LIST_MEMORY', { entries: entries.length })
    }
    const bytes = new Uint8Array(exports.memory.buffer)
    const words = new Uint32Array(exports.memory.buffer)
    const next = new Uint32Array(MAX_LENGTH + 1)
    for (let i = 0; i < entries.length; i++) {
      if (i % PACK_PIECE === PACK_PIECE - 1) await new Promise((resolve) => setTimeout(resolve))
      const entry = entries[i]!
      if (!isPlate(entry)) {
        list.skipped.push(i)
        continue
      }
      const length = entry.length
      const stride = (counts[length]! + 15) & ~15
      const lane = next[length]!++
      for (let k = 0; k < length; k++) bytes[planes[length]! + k * stride + lane] = classOf(entry.charCodeAt(k))
      words[((planes[length]! + length * stride) >> 2) + lane] = i
    }
    return list
  }

  /** Forgets a list's memory now; matching against it is refused from here on. */
  release(list: CompiledList): void {
    (list as Lanes).exports = undefined
  }

  /**
   * The entries whose probability is at least `threshold`, most probable first, at most 256. Positions that are rather 'none' than any
   * character are left out first.
   * @param positions 37 probabilities each: [0-9A-Z] and 'none'; of more than 16 likely positions nothing is a plate
   * @throws ALPR_ERR_READ_INVALID, ALPR_ERR_LIST_RELEASED
   */
  match(positions: readonly Float32Array[], list: CompiledList, threshold: number): Match[] {
    const wasm = (list as Lanes).exports
    if (!wasm) throw new WasmError('ALPR_ERR_LIST_RELEASED')
    if (!(threshold > 0 && threshold <= 1)) throw new WasmError('ALPR_ERR_READ_INVALID', { reason: `threshold ${threshold} is not above 0 and up to 1` })
    for (const p of positions) checkPosition(p)
    const likely = positions.filter((p) => p[NONE]! <= 0.5)
    if (likely.length === 0 || likely.length > MAX_POSITIONS) return []
    const input = new Float32Array(wasm.memory.buffer, wasm.inputAddress(), MAX_POSITIONS * CLASSES)
    likely.forEach((p, i) => input.set(p, i * CLASSES))
    wasm.begin(likely.length, threshold)
    for (let length = likely.length - 1; length <= likely.length + 1; length++) {
      const size = wasm.groupSize(length)
      for (let from = 0; from < size; from += PIECE) wasm.scan(length, from, PIECE)
    }
    return explainMatches(wasm, likely)
  }
}

/** 1 to 12 of [0-9A-Z]. */
function isPlate(entry: string): boolean {
  if (entry.length === 0 || entry.length > MAX_LENGTH) return false
  for (let i = 0; i < entry.length; i++) {
    const code = entry.charCodeAt(i)
    if (!(code >= 48 && code <= 57) && !(code >= 65 && code <= 90)) return false
  }
  return true
}

/** Class of an ASCII digit or capital. */
const classOf = (code: number): number => (code < 58 ? code - 48 : code - 55)

/** 37 finite values of at least 0 whose sum is about 1. */
function checkPosition(position: Float32Array): void {
  let sum = 0
  for (let c = 0; c < CLASSES; c++) sum += position[c]! >= 0 ? position[c]! : NaN
  if (position.length !== CLASSES || !(Math.abs(sum - 1) < 0.01)) {
    throw new WasmError('ALPR_ERR_READ_INVALID', { reason: `a position has ${position.length} values of sum ${sum}` })
  }
}
