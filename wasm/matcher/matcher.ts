import { CLASSES, NONE } from '../classes.js'
import { WasmError } from '../errors.js'
import type { ConfusionModel } from './confusion_model.js'
import { explainMatch, type ReadTables, type Tolerance } from './explain_match.js'
import {
  MATCH_ENTRY,
  MAX_MATCHES,
  MAX_POSITIONS,
  READ_EMISSIONS,
  READ_EXTRA_WEIGHTS,
  READ_KIND_WEIGHTS,
  READ_MATRIX,
  READ_MISSING,
  READ_SKIPS,
} from './layout.js'
import { type HandedMemory, MatcherMemory, MatcherModule } from './matcher_module.js'
import { fillPlain, type PlateSyntax, type ReadWeights } from './plate_syntax.js'

export type { Tolerance } from './explain_match.js'

/** A list entry that may be the plate of a read. */
export interface Match {
  /** Index in the entries given to compileList. */
  entry: number
  /** Probability that the plate on the road is this one, 0..1, calibrated. */
  probability: number
  /** The entry is the most probable text of the read, character by character. */
  exact: boolean
  /** Where read and list differ; empty for an exact match. */
  tolerated: Tolerance[]
}

/**
 * A list indexed for `match`. Entries that cannot be a plate (not 1 to 12 of [A-Z0-9]) never match; `skipped` has their
 * indices.
 */
export interface CompiledList {
  readonly size: number
  readonly skipped: readonly number[]
  /** Bytes of its memory, without the texts of the entries. */
  readonly bytes: number
}

/** The plates of a list by their index: an array of texts, or bytes that are decoded when a plate is asked for. */
export interface ListPlates {
  readonly length: number
  at(index: number): string | undefined
}

/** A compiled list on its way to another thread: its memory is shared, so nothing is copied. */
export interface SharedList {
  readonly memory: HandedMemory
  readonly index: IndexPlace
  readonly skipped: readonly number[]
}

/** Where the parts of an index lie in its memory (wasm/assembly/matcher/list_index.ts), addresses in bytes. */
interface IndexPlace {
  keys: number
  lasts: number
  nexts: number
  filter: number
  /** Slots of the hash: a power of two. */
  capacity: number
  scratch: number
}

/**
 * Entries added by one call: enough to make calls cheap, few enough that V8 can switch to optimised code in between.
 */
const PIECE = 10_000
/** Bytes for the text of a piece. */
const TEXT_BYTES = PIECE * 14
const SCRATCH_BYTES = 256
/** Minimum threshold: below it, a blurred read may be any of a million texts. */
export const LEAST_THRESHOLD = 0.0001

/** A list compiled into a memory of its own; `Matcher.release` gives the memory back. */
class IndexedList implements CompiledList {
  memory: MatcherMemory | undefined
  /**
   * Views of the area of the read. The memory no longer grows once the list is compiled, so they are made only once:
   * making a view costs as much as a look-up.
   */
  readonly input: Float32Array
  readonly weights: ReadWeights
  readonly emissions: Float64Array
  readonly skips: Float64Array
  readonly missing: Float64Array
  /** Matches: f64 probability, u32 entry. */
  readonly found: Float64Array
  readonly foundEntries: Uint32Array

  get bytes(): number {
    return this.memory?.mark ?? 0
  }

  constructor(
    readonly plates: ListPlates,
    memory: MatcherMemory,
    readonly index: IndexPlace,
    readonly skipped: readonly number[],
  ) {
    this.memory = memory
    const { buffer } = memory.memory
    const read = memory.exports.readAddress()
    const part = (at: number, count: number) => new Float64Array(buffer, read + at, count)
    this.input = new Float32Array(buffer, read, MAX_POSITIONS * CLASSES)
    this.emissions = part(READ_EMISSIONS, MAX_POSITIONS * NONE)
    this.skips = part(READ_SKIPS, MAX_POSITIONS)
    this.missing = part(READ_MISSING, (MAX_POSITIONS + 1) * 2)
    this.weights = {
      kinds: part(READ_KIND_WEIGHTS, MAX_POSITIONS),
      extras: part(READ_EXTRA_WEIGHTS, MAX_POSITIONS),
      missing: this.missing,
    }
    const matches = memory.exports.matchesAddress()
    this.found = new Float64Array(buffer, matches, MAX_MATCHES * 2)
    this.foundEntries = new Uint32Array(buffer, matches, MAX_MATCHES * 4)
  }

  get size(): number {
    return this.plates.length
  }
}

/**
 * Matches reads against hot lists, exactly, on the distribution of the read. The probability of an entry is that of its
 * best alignment: the product of P(the plate has this character | what was read there) under the confusion model, P(a
 * character read is not on the plate) and P(a character was not read), each weighed by plate syntax, then calibrated.
 * The read text is never rewritten.
 */
export class Matcher {
  private constructor(
    readonly module: MatcherModule,
    readonly confusions: ConfusionModel,
    readonly syntax: PlateSyntax | undefined,
  ) {}

  /**
   * @param syntax without it, the shape of a text does not count
   * @throws ALPR_ERR_MODULE_INVALID, ALPR_ERR_MODULE_ABI
   */
  static async create(wasmBytes: Uint8Array, confusions: ConfusionModel, syntax?: PlateSyntax): Promise<Matcher> {
    return new Matcher(await MatcherModule.of(wasmBytes), confusions, syntax)
  }

  /** First 16 hex digits of the module's SHA-256. */
  get moduleId(): string {
    return this.module.id
  }

  /**
   * Indexes the entries (upper case [A-Z0-9]; duplicates stay). Yields to the event loop in between.
   * @param onProgress called with the number of entries indexed so far
   * @throws ALPR_ERR_LIST_MEMORY
   */
  async compileList(entries: ListPlates, onProgress?: (entries: number) => void): Promise<CompiledList> {
    const capacity = 2 ** Math.ceil(Math.log2(Math.max(32, entries.length * 2)))
    const memory = this.module.open(capacity * 13 + entries.length * 4)
    const { exports } = memory
    const place = (bytes: number) => {
      const at = memory.tryPlace(bytes)
      if (at !== 0) return at
      this.module.close(memory)
      throw new WasmError('ALPR_ERR_LIST_MEMORY', { entries: entries.length })
    }
    const index: IndexPlace = {
      keys: place(capacity * 8),
      lasts: place(capacity * 4),
      nexts: place(entries.length * 4),
      filter: place(capacity),
      capacity,
      scratch: place(SCRATCH_BYTES),
    }
    memory
      .bytes(exports.readAddress() + READ_MATRIX, this.confusions.matrix.byteLength)
      .set(new Uint8Array(this.confusions.matrix.buffer))
    openIndex(memory, index)
    const mark = memory.mark
    const [text, skippedAt] = [place(TEXT_BYTES), place(PIECE * 4)] as [number, number]
    const skipped: number[] = []
    for (let from = 0; from < entries.length; from += PIECE) {
      if (from > 0) await new Promise((resolve) => setTimeout(resolve))
      const lines: string[] = []
      for (let i = from; i < Math.min(entries.length, from + PIECE); i++) lines.push(lineOf(entries.at(i)!))
      const bytes = encoder.encode(`${lines.join('\n')}\n`)
      memory.bytes(text, bytes.length).set(bytes)
      const passed = exports.addEntries(text, text + bytes.length, from, skippedAt)
      for (const entry of new Uint32Array(memory.memory.buffer, skippedAt, passed)) skipped.push(entry)
      onProgress?.(from + lines.length)
    }
    memory.rewind(mark)
    return new IndexedList(entries, memory, index, skipped)
  }

  /** What another thread needs to match against this list. This thread must not use the list any more. */
  shareList(list: CompiledList): SharedList {
    const { memory, index, skipped } = list as IndexedList
    if (!memory) throw new WasmError('ALPR_ERR_LIST_RELEASED')
    return { memory: memory.handOver(), index, skipped }
  }

  /** A list that another thread compiled with the same module and confusion model. @param plates its entries */
  openList({ memory: shared, index, skipped }: SharedList, plates: ListPlates): CompiledList {
    const memory = MatcherMemory.adopt(this.module.module, shared)
    openIndex(memory, index)
    return new IndexedList(plates, memory, index, skipped)
  }

  /** Gives a list's memory back, for the next list; matching against this one is refused from now on. */
  release(list: CompiledList): void {
    const { memory } = list as IndexedList
    if (memory) this.module.close(memory)
    ;(list as IndexedList).memory = undefined
  }

  /**
   * The entries whose calibrated probability is at least `threshold`, most probable first, at most 256.
   * @param positions 37 probabilities each: [0-9A-Z] and 'none'. Of more than 16, only those that are more likely a
   * character than none count; a read with more than 16 of these matches nothing
   * @param threshold 0.0001 to 1
   * @param region of issue, when the read has one
   * @param weighed whether that region's syntax is already part of the distribution and must not count twice
   * @throws ALPR_ERR_READ_INVALID, ALPR_ERR_LIST_RELEASED
   */
  match(
    positions: readonly Float32Array[],
    list: CompiledList,
    threshold: number,
    region?: string,
    weighed = false,
  ): Match[] {
    const { memory, index, input, weights } = list as IndexedList
    if (!memory) throw new WasmError('ALPR_ERR_LIST_RELEASED')
    if (!(threshold >= LEAST_THRESHOLD && threshold <= 1))
      throw new WasmError('ALPR_ERR_READ_INVALID', { reason: `threshold ${threshold} is not ${LEAST_THRESHOLD} to 1` })
    for (const p of positions) if (p.length !== CLASSES) checkPosition(p)
    const taken = positions.length > MAX_POSITIONS ? positions.filter((p) => p[NONE]! <= 0.5) : positions
    if (taken.length === 0 || taken.length > MAX_POSITIONS) return []
    const { exports } = memory
    const { missing, extra } = this.confusions.data
    for (let i = 0; i < taken.length; i++) input.set(taken[i]!, i * CLASSES)
    if (this.syntax) this.syntax.weigh(taken, region, missing, weighed, weights)
    else fillPlain(weights, taken.length, missing)
    const found = exports.checkRead(taken.length, extra, this.confusions.uncalibrate(threshold), index.scratch)
    // the module reports that a position is not a distribution; this finds which
    if (found < 0) for (const p of taken) checkPosition(p)
    return found <= 0 ? [] : this.explain(list as IndexedList, taken, found)
  }

  private explain(list: IndexedList, positions: readonly Float32Array[], count: number): Match[] {
    const { plates, emissions, skips, missing, found, foundEntries } = list
    const tables: ReadTables = { positions, emissions, skips, missing }
    const matches: Match[] = []
    for (let m = 0; m < count; m++) {
      const entry = foundEntries[m * 4 + MATCH_ENTRY / 4]!
      const probability = found[m * 2]!
      const tolerated = explainMatch(tables, plates.at(entry)!, probability)
      matches.push({
        entry,
        probability: this.confusions.calibrate(probability),
        exact: tolerated.length === 0,
        tolerated,
      })
    }
    return matches
  }
}

function openIndex({ exports }: MatcherMemory, { keys, lasts, nexts, filter, capacity }: IndexPlace): void {
  exports.openIndex(keys, lasts, nexts, filter, capacity)
}

/** An entry that cannot be a plate becomes a line of one invalid character. */
const lineOf = (entry: string): string => (entry.length <= 12 && /^[A-Z0-9]+$/.test(entry) ? entry : '-')

/** 37 finite values of at least 0 whose sum is about 1. */
function checkPosition(position: Float32Array): void {
  let sum = 0
  for (let c = 0; c < CLASSES; c++) sum += position[c]! >= 0 ? position[c]! : NaN
  if (position.length !== CLASSES || !(Math.abs(sum - 1) < 0.01)) {
    throw new WasmError('ALPR_ERR_READ_INVALID', { reason: `a position has ${position.length} values of sum ${sum}` })
  }
}

const encoder = new TextEncoder()
