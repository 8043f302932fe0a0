import { WasmError } from '../errors.js'
import { PatternAligner, type PatternTolerance } from './align_pattern.js'
import { CODE_OF_CLASS, textOfCodes } from './alphabet.js'
import { CHARACTERS } from '../recognizer/detection.js'
import type { BuiltPlates, PlateRow } from './plate_builder.js'
import type { ConfusionModel } from './confusion_model.js'
import {
  BLOCK,
  ENTRY_BYTES,
  HEADER_BYTES,
  MAX_FRESH,
  MAX_LENGTH,
  MAX_RESULTS,
  PATTERN_BYTES,
  RECORD_BYTES,
  RESULT_BYTES,
} from './layout.js'
import { MatcherMemory, type MatcherModule, type SharedMatcherMemory } from './matcher_module.js'
import { parsePattern, type Pattern } from './pattern.js'
import { normalisePlate } from './plate_text.js'
import { programOf } from './pattern_program.js'

/** A plate that may satisfy a pattern. */
export interface PlateMatch {
  plate: string
  region: string
  /** That the vehicle stored with this text has a plate that satisfies the pattern, 0..1, calibrated. */
  probability: number
  /** Times read; from 65,535 on that or more. */
  count: number
  /**
   * Hours since 1970 UTC of the first and the last read; times more than five years before the newest are told as five
   * years.
   */
  firstHour: number
  lastHour: number
  tolerated: PatternTolerance[]
}

/**
 * What is known of a search so far. `matches` are the best, best first: more probable, then seen later. Before the
 * search is done plates with errors may be missing from them, where there are enough others.
 */
export interface SearchPage {
  matches: PlateMatch[]
  /** Plates that match, of those scanned. */
  matched: number
  scanned: number
  /** Plates to scan, as of the beginning. */
  plates: number
  done: boolean
  /** Of the dictionary, as of the beginning. */
  version: string
}

export interface SearchOptions {
  /** Matches wanted, 1 to 10,000; 100 if not said. */
  limit?: number
  /** Whether look-alikes are taken without an error; true if not said. */
  lookAlikes?: boolean
  /** Regions besides those of the pattern. */
  regions?: readonly string[]
  signal?: AbortSignal
}

/** What a scan gives, before texts and explanations. */
export interface RawResult {
  probability: number
  slot: number
  lastHour: number
}

/** What another thread needs to search. */
export interface SharedDictionary {
  memory: SharedMatcherMemory
  header: number
}

/**
 * Blocks a call scans (131,072 plates): a fraction of a millisecond mostly, so that V8 can put optimised code in place
 * and others get their turn.
 */
export const SCAN_PIECE = 256
/** Time that a search holds the event loop, and time between two pages, milliseconds. */
const SLICE_MS = 8
const PAGE_MS = 50
/** Searches at a time of one thread; more wait. */
const MAX_SEARCHES = 8

export interface Desk {
  memory: MatcherMemory
  pattern: number
}

/**
 * Every distinct plate ever read, in lanes that patterns are matched against (drawing in
 * wasm/assembly/matcher/layout.ts). A plate is a text and a region. One thread owns it and appends; any thread may
 * search it, with its own instance in the same memory. What is appended is seen by searches that begin later, at once.
 */
export class Dictionary {
  private readonly regionNumbers: Map<string, number>
  private readonly desks: Desk[] = []
  private readonly waiting: ((desk: Desk) => void)[] = []
  private desksMade = 0
  private readonly codes: number
  private readonly scratch: number
  private appended = 0
  private readonly long: Map<string, PlateRow>
  /**
   * Slot of each plate in fresh blocks, by `<plate>@<number of its region>`: blocks are in order of arrival, and to
   * look through them costs more with each. At most MAX_FRESH blocks of them, some 50 MB.
   */
  private readonly freshSlots = new Map<string, number>()

  private constructor(
    private readonly memory: MatcherMemory,
    private readonly header: number,
    private readonly model: ConfusionModel,
    private readonly regionNames: string[],
    private readonly baseBlocks: number,
    private readonly hour0: number,
    private plates: number,
    long: readonly PlateRow[],
    private readonly generation: number,
  ) {
    this.regionNumbers = new Map(regionNames.map((name, i) => [name, i]))
    this.codes = memory.place(64)
    this.scratch = memory.place(BLOCK * RECORD_BYTES)
    this.long = new Map(long.map((row) => [`${row.plate}@${row.region}`, { ...row }]))
    memory.exports.openDictionary(header)
  }

  /**
   * Takes what a builder made into a memory of its own.
   * @param generation grows with each build of the same dictionary
   * @throws ALPR_ERR_DICTIONARY_MEMORY
   */
  static of(module: MatcherModule, built: BuiltPlates, model: ConfusionModel, generation = 1): Dictionary {
    const memory = module.open()
    const slots = built.blocks * BLOCK
    const header = memory.place(HEADER_BYTES)
    const copied = (from: number, bytes: number) => {
      const at = memory.place(Math.max(64, bytes))
      memory.bytes(at, bytes).set(built.memory.bytes(from, bytes))
      return at
    }
    const directory = copied(built.directory, built.blocks * ENTRY_BYTES)
    const lasts = copied(built.lasts, slots * 2)
    const firsts = copied(built.firsts, slots * 2)
    const regions = copied(built.regions, slots)
    const counts = copied(built.counts, slots)
    const large = copied(built.large, built.largeCapacity * 8)
    const fresh = memory.place(MAX_FRESH * ENTRY_BYTES)
    // Planes last: what is appended later lies behind them.
    const planes = copied(built.planes, built.planesBytes)
    const entries = memory.view(directory, built.blocks * ENTRY_BYTES)
    for (let block = 0; block < built.blocks; block++)
      entries.setUint32(block * ENTRY_BYTES, entries.getUint32(block * ENTRY_BYTES, true) + planes, true)
    const held = new Uint32Array(memory.memory.buffer, large, built.largeCapacity * 2).reduce(
      (sum, word, i) => sum + (i % 2 === 0 && word !== 0 ? 1 : 0),
      0,
    )
    const view = memory.view(header, HEADER_BYTES)
    const words = [
      directory,
      built.blocks,
      lasts,
      firsts,
      regions,
      counts,
      large,
      built.largeCapacity,
      fresh,
      0,
      built.hour0,
      held,
    ]
    words.forEach((word, i) => view.setUint32(i * 4, word, true))
    return new Dictionary(
      memory,
      header,
      model,
      [...built.regionNames],
      built.blocks,
      built.hour0,
      built.plates,
      built.long,
      generation,
    )
  }

  /** Plates in it; one text of two regions counts twice. */
  get size(): number {
    return this.plates + this.long.size
  }

  /** Changes with each append and each build: `<generation>.<appended>`. */
  get version(): string {
    return `${this.generation}.${this.appended}`
  }

  /** Bytes that the plates take, all told: directory, planes, meta, large counts, fresh blocks. */
  get bytes(): number {
    return this.memory.mark - this.header
  }

  /** Plates that wait in fresh blocks; when they are many, the dictionary should be built anew. */
  get fresh(): number {
    return (this.memory.exports.blocksNow() - this.baseBlocks) * BLOCK
  }

  /** Blocks, base and fresh. */
  get blocks(): number {
    return this.memory.exports.blocksNow()
  }

  /** Hour 0 of raw results, since 1970. */
  get hourZero(): number {
    return this.hour0
  }

  /** The memory that is shared, for counters that threads take their work from. */
  get memoryBuffer(): SharedArrayBuffer {
    return this.memory.memory.buffer
  }

  /** Room for such a counter, 64 bytes. */
  placeCounter(): number {
    return this.memory.place(64)
  }

  /** Where searching needs no more memory than this says: for benchmarks. */
  get lanes(): { from: number; end: number } {
    return { from: this.header, end: this.memory.mark }
  }

  /** For another thread. */
  share(): SharedDictionary {
    return { memory: this.memory.share(), header: this.header }
  }

  /**
   * One more read. Searches that begin after this see it.
   * @param plate as read; normalised here. @param hour since 1970 UTC
   * @param again whether the same read may have been told before: a known plate then counts once more only for a later
   * hour
   * @returns 'new' for a plate not seen before in its region, 'known', 'refused' when it is no plate, 'full' when the
   * dictionary must be built anew first
   */
  add(plate: string, region: string, hour: number, again = false): 'new' | 'known' | 'refused' | 'full' {
    const text = normalisePlate(plate)
    if (text.length === 0 || text.length > 32) return 'refused'
    if (text.length > MAX_LENGTH) return this.addLong(text, region, hour)
    const number = this.regionNumber(region)
    const { exports } = this.memory
    const name = `${text}@${number}`
    const known = this.freshSlots.get(name)
    if (known !== undefined) return this.touch(known, hour, again)
    const ascii = this.memory.bytes(this.scratch, text.length)
    for (let i = 0; i < text.length; i++) ascii[i] = text.charCodeAt(i)
    const key = exports.keyOf(this.scratch, text.length)
    const codes = this.memory.bytes(this.codes, text.length)
    for (let i = 0; i < text.length; i++) codes[i] = CODE_OF_CLASS[CHARACTERS.indexOf(text[i]!)]!
    const slot = exports.findPlate(key, this.codes, text.length, number, this.scratch)
    if (slot !== -1) return this.touch(slot, hour, again)
    let block = exports.freshWithRoom(text.length)
    if (block === -1) {
      const planes = this.memory.tryPlace(exports.freshBytes(text.length))
      if (planes === 0 || !exports.addFresh(planes, text.length)) return 'full'
      block = exports.blocksNow() - 1
    }
    this.freshSlots.set(name, exports.appendPlate(block, this.codes, text.length, number, hour))
    this.appended += 1
    this.plates += 1
    return 'new'
  }

  private touch(slot: number, hour: number, again: boolean): 'known' {
    const { exports } = this.memory
    if (!again || this.hour0 + exports.lastOf(slot) < hour) exports.touchPlate(slot, hour)
    this.appended += 1
    return 'known'
  }

  /**
   * Searches in slices, so that others get their turn, and gives a page whenever there is something new to show: the
   * first as soon as the first plates were scanned (the newest are scanned first), the last with `done`.
   * @throws ALPR_ERR_PATTERN_... for a bad pattern, the signal's reason when it aborts
   */
  async *search(pattern: string | Pattern, options: SearchOptions = {}): AsyncGenerator<SearchPage, void, void> {
    const search = this.prepare(pattern, options)
    const desk = await this.desk()
    try {
      const { exports } = desk.memory
      desk.memory.bytes(desk.pattern, PATTERN_BYTES).set(search.program)
      const blocks = exports.blocksNow()
      exports.beginScan(desk.pattern)
      let scanned = 0
      let shown = -Infinity
      for (let end = blocks; end > 0; ) {
        const slice = performance.now()
        do {
          const from = Math.max(0, end - SCAN_PIECE)
          exports.scanBlocks(from, end)
          scanned += (end - from) * BLOCK
          end = from
        } while (end > 0 && performance.now() - slice < SLICE_MS)
        if (end > 0 && performance.now() - shown >= PAGE_MS) {
          shown = performance.now()
          yield this.page(
            search,
            rawResults(desk.memory, this.hour0, false),
            exports.matchedPlates() >>> 0,
            Math.min(scanned, search.plates),
            false,
          )
        }
        await new Promise((resolve) => {
          setTimeout(resolve)
        })
        options.signal?.throwIfAborted()
        // An instance may have been lent again only by us, so its results stand.
      }
      yield this.page(search, rawResults(desk.memory, this.hour0), exports.matchedPlates() >>> 0, search.plates, true)
    } finally {
      this.giveBack(desk)
    }
  }

  /** Everything a search needs besides its instance; for pools of threads. */
  prepare(pattern: string | Pattern, options: SearchOptions = {}): PreparedSearch {
    const parsed = typeof pattern === 'string' ? parsePattern(pattern) : pattern
    const limit = options.limit ?? 100
    if (!Number.isInteger(limit) || limit < 1 || limit > MAX_RESULTS)
      throw new WasmError('ALPR_ERR_SEARCH_INVALID', {
        reason: `limit must be a whole number from 1 to ${MAX_RESULTS}`,
      })
    const lookAlikes = options.lookAlikes ?? true
    const names = [...parsed.regions, ...(options.regions ?? [])].map((name) => name.toUpperCase())
    const numbers =
      names.length === 0
        ? undefined
        : new Set(this.regionNames.flatMap((name, i) => (names.includes(name.toUpperCase()) ? [i] : [])))
    return {
      pattern: parsed,
      limit,
      plates: this.size,
      version: this.version,
      names,
      program: programOf(parsed, this.model, { limit, lookAlikes, regions: numbers }),
      aligner: new PatternAligner(parsed, this.model, lookAlikes),
    }
  }

  /** A page of what scans found: results of one or more threads, their matches counted. */
  page(search: PreparedSearch, raw: readonly RawResult[], matched: number, scanned: number, done: boolean): SearchPage {
    // Of several threads the best of all: the others need no text.
    const best =
      raw.length <= search.limit
        ? raw
        : [...raw]
            .sort(
              (a, b) =>
                Math.fround(b.probability) - Math.fround(a.probability) || b.lastHour - a.lastHour || b.slot - a.slot,
            )
            .slice(0, search.limit)
    const found = best.map((result) => ({ rank: Math.fround(result.probability), match: this.matchOf(search, result) }))
    let all = matched
    for (const row of this.long.values()) {
      if (search.names.length > 0 && !search.names.includes(row.region.toUpperCase())) continue
      const alignment = search.aligner.align(row.plate)
      if (!alignment) continue
      all += 1
      found.push({
        rank: Math.fround(alignment.probability),
        match: { ...row, probability: this.model.calibrate(alignment.probability), tolerated: alignment.tolerated },
      })
    }
    // By the model's own probability to the 24 bits of an f32, as scans rank: products in another order are equal.
    found.sort(
      ({ rank: p, match: a }, { rank: q, match: b }) =>
        q - p ||
        b.lastHour - a.lastHour ||
        (a.plate < b.plate ? -1 : a.plate > b.plate ? 1 : a.region < b.region ? -1 : 1),
    )
    return {
      matches: found.slice(0, search.limit).map(({ match }) => match),
      matched: all,
      scanned,
      plates: search.plates,
      done,
      version: search.version,
    }
  }

  /**
   * Region names by number, and each block as records: for building this dictionary anew. Appends must wait meanwhile,
   * or be made again.
   */
  drain(): { blocks: number; regionNames: readonly string[]; drain(block: number): Uint8Array; long: PlateRow[] } {
    return {
      blocks: this.memory.exports.blocksNow(),
      regionNames: this.regionNames,
      long: [...this.long.values()],
      drain: (block) =>
        this.memory.bytes(this.scratch, this.memory.exports.drainBlock(block, this.scratch, this.codes) * RECORD_BYTES),
    }
  }

  private matchOf({ aligner }: PreparedSearch, { probability, slot, lastHour }: RawResult): PlateMatch {
    const { exports } = this.memory
    const length = exports.plateCodes(slot, this.codes)
    const plate = textOfCodes(this.memory.bytes(this.codes, length))
    return {
      plate,
      region: this.regionNames[exports.regionOf(slot)] ?? '',
      probability: this.model.calibrate(probability),
      count: exports.countOf(slot),
      firstHour: this.hour0 + exports.firstOf(slot),
      lastHour,
      tolerated: aligner.align(plate)?.tolerated ?? [],
    }
  }

  private regionNumber(region: string): number {
    const name = region.slice(0, 15)
    const known = this.regionNumbers.get(name)
    if (known !== undefined) return known
    if (this.regionNames.length >= 256) return 0
    this.regionNames.push(name)
    this.regionNumbers.set(name, this.regionNames.length - 1)
    return this.regionNames.length - 1
  }

  private addLong(plate: string, region: string, hour: number): 'new' | 'known' | 'full' {
    const key = `${plate}@${region}`
    const known = this.long.get(key)
    if (!known && this.long.size >= MAX_LONG) return 'full'
    this.appended += 1
    if (!known) {
      this.long.set(key, { plate, region, count: 1, firstHour: hour, lastHour: hour })
      return 'new'
    }
    known.count += 1
    known.firstHour = Math.min(known.firstHour, hour)
    known.lastHour = Math.max(known.lastHour, hour)
    return 'known'
  }

  /** An instance to search with; for benchmarks. Searches take theirs themselves. */
  async desk(): Promise<Desk> {
    const free = this.desks.pop()
    if (free) return free
    if (this.desksMade === MAX_SEARCHES) return new Promise<Desk>((resolve) => this.waiting.push(resolve))
    this.desksMade += 1
    return openDesk(this.share())
  }

  private giveBack(desk: Desk): void {
    const next = this.waiting.shift()
    if (next) next(desk)
    else this.desks.push(desk)
  }
}

/** Plates longer than lanes take that are kept; real ones do not exist, misreads are few. */
const MAX_LONG = 10_000

export interface PreparedSearch {
  pattern: Pattern
  limit: number
  plates: number
  version: string
  names: readonly string[]
  program: Uint8Array
  aligner: PatternAligner
}

/** An instance of this thread that can search a dictionary, and room for a pattern. */
export function openDesk(shared: SharedDictionary & { pattern?: number }): Desk {
  const memory = MatcherMemory.attach(shared.memory)
  memory.exports.openDictionary(shared.header)
  return { memory, pattern: shared.memory.workspace + PATTERN_ROOM }
}

/** A pattern lies in the part of a workspace that checking a read against a hot list would use. */
const PATTERN_ROOM = 174_336

/**
 * The results of an instance's scan. @param done whether the scan is over: before, plates with errors may still wait to
 * be weighed
 */
export const rawResults = (memory: MatcherMemory, hour0: number, done = true): RawResult[] =>
  rawResults16(resultBytes(memory, done), hour0)

/** The same as they lie in memory. */
export function resultBytes({ exports, memory }: MatcherMemory, done: boolean): Uint8Array {
  const held = done ? exports.resultsHeld() : exports.resultsSoFar()
  return new Uint8Array(memory.buffer, exports.resultsAddress(), held * RESULT_BYTES)
}

/** Results as a scan writes them, 16 bytes each. */
export function rawResults16(bytes: Uint8Array, hour0: number): RawResult[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: view.byteLength / RESULT_BYTES }, (_, i) => ({
    probability: view.getFloat64(i * RESULT_BYTES, true),
    slot: view.getUint32(i * RESULT_BYTES + 8, true),
    lastHour: hour0 + view.getUint32(i * RESULT_BYTES + 12, true),
  }))
}
