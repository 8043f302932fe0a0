import { WasmError } from '../errors.js'
import { PatternAligner, type PatternTolerance } from './align_pattern.js'
import { CODE_OF_CLASS, textOfCodes } from './alphabet.js'
import { CHARACTERS } from '../classes.js'
import type { BuiltPlates, PlateRow } from './plate_builder.js'
import type { ConfusionModel } from './confusion_model.js'
import {
  BLOCK,
  ENTRY_BYTES,
  HEADER_BYTES,
  MAX_FRESH,
  MAX_LENGTH,
  MAX_REGIONS,
  MAX_RESULTS,
  PATTERN_BYTES,
  RECORD_BYTES,
} from './layout.js'
import type { MatcherMemory, MatcherModule } from './matcher_module.js'
import { parsePattern, type Pattern } from './pattern.js'
import { normalisePlate } from './plate_text.js'
import { compilePattern } from './pattern_program.js'
import {
  openSearchInstance,
  readResults,
  SCAN_PIECE,
  type ScanResult,
  type SearchInstance,
  type SharedDictionary,
} from './search_instance.js'

export type { SharedDictionary } from './search_instance.js'

/** A plate that satisfies a pattern. */
export interface PlateMatch {
  plate: string
  region: string
  /** P(the vehicle stored with this text has a plate that satisfies the pattern), 0..1, calibrated. */
  probability: number
  /** Number of reads; 65,535 means that or more. */
  count: number
  /** Hours of the first and last read since 1970 UTC; clamped to five years before the newest read. */
  firstHour: number
  lastHour: number
  tolerated: PatternTolerance[]
}

/**
 * The results of a search so far. `matches` are the best, in order of probability, then of the last read. Until the
 * search is done, plates with errors may be missing where there are enough others.
 */
export interface SearchPage {
  matches: PlateMatch[]
  /** Scanned plates that match. */
  matched: number
  scanned: number
  /** Plates to scan, counted at the start. */
  plates: number
  done: boolean
  /** Version of the dictionary at the start. */
  version: string
}

export interface SearchOptions {
  /** Most matches returned, 1 to 10,000. @default 100 */
  limit?: number
  /** Whether look-alikes match without an error. @default true */
  lookAlikes?: boolean
  /** Regions in addition to those of the pattern. */
  regions?: readonly string[]
  signal?: AbortSignal
}

/** Longest time that a search blocks the event loop, and time between two pages, milliseconds. */
const SLICE_MS = 8
const PAGE_MS = 50
/** Concurrent searches of one thread; more wait. */
const MAX_SEARCHES = 8

/**
 * Every distinct plate ever read, in bit-sliced blocks that patterns are matched against (drawing in
 * wasm/assembly/matcher/layout.ts). A plate is a text and a region. One thread owns the dictionary and appends to it;
 * any thread may search it, with its own instance in the same memory. A search sees everything appended before it
 * began.
 */
export class Dictionary {
  private readonly regionNumbers: Map<string, number>
  private readonly idleInstances: SearchInstance[] = []
  private readonly waiters: ((instance: SearchInstance) => void)[] = []
  private instanceCount = 0
  private readonly codes: number
  private readonly scratch: number
  private appended = 0
  private readonly long: Map<string, PlateRow>
  /**
   * Slot of each plate in fresh blocks, by `<plate>@<region number>`: these blocks are in order of arrival, so scanning
   * them would cost more with each. At most MAX_FRESH blocks, some 50 MB.
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
   * Copies the result of a builder into a memory of its own.
   * @param generation increases with each build of the same dictionary
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
    // Planes last: appended blocks follow them.
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

  /** Number of plates; one text in two regions counts twice. */
  get size(): number {
    return this.plates + this.long.size
  }

  /** Changes with each append and each build: `<generation>.<appended>`. */
  get version(): string {
    return `${this.generation}.${this.appended}`
  }

  /** Total bytes of the plates: directory, planes, meta, large counts, fresh blocks. */
  get bytes(): number {
    return this.memory.mark - this.header
  }

  /** Slots of the fresh blocks; when there are many, rebuild the dictionary. */
  get fresh(): number {
    return (this.memory.exports.blocksNow() - this.baseBlocks) * BLOCK
  }

  /** Number of blocks, base and fresh. */
  get blocks(): number {
    return this.memory.exports.blocksNow()
  }

  /** Hour 0 of raw results, since 1970. */
  get hourZero(): number {
    return this.hour0
  }

  /** The shared memory, for counters from which threads take work. */
  get memoryBuffer(): SharedArrayBuffer {
    return this.memory.memory.buffer as unknown as SharedArrayBuffer // the types of browsers have no shared memory here
  }

  /** Allocates such a counter, 64 bytes. */
  placeCounter(): number {
    return this.memory.place(64)
  }

  /** Addresses of the dictionary's data, for benchmarks of memory bandwidth. */
  get memoryRange(): { from: number; end: number } {
    return { from: this.header, end: this.memory.mark }
  }

  /** Handle for another thread, with a workspace of its own. */
  share(): SharedDictionary {
    return { memory: this.memory.share(), header: this.header }
  }

  /**
   * Adds one read. Searches that begin later see it.
   * @param plate as read; normalised here
   * @param hour since 1970 UTC
   * @param again whether the same read may have been added before: a known plate then counts only for a later hour
   * @returns 'new' for the first read of a plate in its region, 'known' for others, 'refused' for a text that cannot be
   * a plate, 'full' when the dictionary must be rebuilt first
   */
  add(plate: string, region: string, hour: number, again = false): 'new' | 'known' | 'refused' | 'full' {
    const text = normalisePlate(plate)
    if (text.length === 0 || text.length > 32) return 'refused'
    if (text.length > MAX_LENGTH) return this.addLong(text, region, hour)
    const number = this.regionNumber(region)
    const { exports } = this.memory
    const name = `${text}@${number}`
    const freshSlot = this.freshSlots.get(name)
    if (freshSlot !== undefined) return this.touch(freshSlot, hour, again)
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
   * Searches in slices that yield to the event loop, and yields pages of the results so far: the first as soon as the
   * newest plates have been scanned, the last with `done`.
   * @throws ALPR_ERR_PATTERN_... for an invalid pattern, the signal's reason when it aborts
   */
  async *search(pattern: string | Pattern, options: SearchOptions = {}): AsyncGenerator<SearchPage, void, void> {
    const search = this.prepare(pattern, options)
    const instance = await this.acquireInstance()
    try {
      const { exports } = instance.memory
      instance.memory.bytes(instance.pattern, PATTERN_BYTES).set(search.program)
      const blocks = exports.blocksNow()
      exports.beginScan(instance.pattern)
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
            readResults(instance.memory, this.hour0, false),
            exports.matchedPlates() >>> 0,
            Math.min(scanned, search.plates),
            false,
          )
        }
        await new Promise((resolve) => {
          setTimeout(resolve)
        })
        options.signal?.throwIfAborted()
      }
      yield this.page(
        search,
        readResults(instance.memory, this.hour0),
        exports.matchedPlates() >>> 0,
        search.plates,
        true,
      )
    } finally {
      this.releaseInstance(instance)
    }
  }

  /** Everything that a search needs besides an instance; for pools of threads. */
  prepare(pattern: string | Pattern, options: SearchOptions = {}): PreparedSearch {
    const parsed = typeof pattern === 'string' ? parsePattern(pattern) : pattern
    const limit = options.limit ?? 100
    if (!Number.isInteger(limit) || limit < 1 || limit > MAX_RESULTS)
      throw new WasmError('ALPR_ERR_SEARCH_INVALID', {
        reason: `limit must be an integer from 1 to ${MAX_RESULTS}`,
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
      program: compilePattern(parsed, this.model, { limit, lookAlikes, regions: numbers }),
      aligner: new PatternAligner(parsed, this.model, lookAlikes),
    }
  }

  /**
   * A page of the results of one or more scans.
   * @param matched number of plates that match, of all scans together
   */
  page(
    search: PreparedSearch,
    raw: readonly ScanResult[],
    matched: number,
    scanned: number,
    done: boolean,
  ): SearchPage {
    // Of several threads only the best of all: the others need no text.
    const best =
      raw.length <= search.limit
        ? raw
        : [...raw]
            .sort(
              (a, b) =>
                Math.fround(b.probability) - Math.fround(a.probability) || b.lastHour - a.lastHour || b.slot - a.slot,
            )
            .slice(0, search.limit)
    const found = best.map((result) => ({ rank: Math.fround(result.probability), match: this.toMatch(search, result) }))
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
    // By the uncalibrated probability to the 24 bits of an f32, as scans rank, so that the order of factors is
    // irrelevant.
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
   * Region names by number, and each block as records, for rebuilding this dictionary. Appends must wait until then, or
   * be repeated.
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

  private toMatch({ aligner }: PreparedSearch, { probability, slot, lastHour }: ScanResult): PlateMatch {
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
    const number = this.regionNumbers.get(name)
    if (number !== undefined) return number
    if (this.regionNames.length >= MAX_REGIONS) return 0
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

  /** An idle instance, or a new one, or the next released one. Searches do this themselves; public for benchmarks. */
  async acquireInstance(): Promise<SearchInstance> {
    const free = this.idleInstances.pop()
    if (free) return free
    if (this.instanceCount === MAX_SEARCHES) return new Promise<SearchInstance>((resolve) => this.waiters.push(resolve))
    this.instanceCount += 1
    return openSearchInstance(this.share())
  }

  private releaseInstance(instance: SearchInstance): void {
    const next = this.waiters.shift()
    if (next) next(instance)
    else this.idleInstances.push(instance)
  }
}

/** Plates kept that are too long for blocks: misreads, which are few. */
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
