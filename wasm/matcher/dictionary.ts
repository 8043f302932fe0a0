import { WasmError } from '../errors.js'
import { PatternAligner, type PatternTolerance } from './align_pattern.js'
import { textOfCodes } from './alphabet.js'
import type { BuiltPlates, PlateRow } from './plate_builder.js'
import type { ConfusionModel } from './confusion_model.js'
import { roomForLong, sizeOf, writeCodes, writeDictionary, type DictionaryImage } from './dictionary_image.js'
import {
  BLOCK,
  LONG_SLOT,
  MAX_LENGTH,
  MAX_REGIONS,
  MAX_RESULTS,
  MAX_TEXT,
  PATTERN_BYTES,
  PATTERN_LIMIT,
  RECORD_BYTES,
} from './layout.js'
import { MatcherMemory, type HandedMemory, type MatcherModule } from './matcher_module.js'
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
  /** Whether plates are left out: the budget was used up first, or the dictionary lacks some. Only of the last page. */
  partial: boolean
  /** Work so far, in units of about a nanosecond of one core; counted, so the same on any machine. */
  work: number
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
  /** Most work, in units of about a nanosecond: a search that needs more ends `partial`. @default no bound */
  budget?: number
  /** Whether matches say what they tolerate. @default true */
  explained?: boolean
  /** Whether only the last page is wanted. @default false */
  lastOnly?: boolean
  signal?: AbortSignal
}

/** Longest time that a search blocks the event loop, and time between two pages, milliseconds. */
const SLICE_MS = 8
const PAGE_MS = 50
/** Work of one call, units: short beside SLICE_MS. */
const SLICE_UNITS = 2e6
/** Blocks that an estimate tries: more where the fewer took less than this work, units. */
const TRIED_BLOCKS = [32, 192, 1_024]
const TRIED_UNITS = 1e6
/** Plates whose tolerances a search remembers from page to page. */
const MAX_EXPLAINED = 20_000
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
  private readonly header: number
  private readonly codes: number
  private readonly scratch: number
  private readonly regionNames: string[]
  private readonly baseBlocks: number
  private readonly hour0: number
  private plates: number
  private lackingPlates: number
  private appended = 0
  /**
   * Slot of each plate in fresh blocks and of each long one, by `<plate>@<region number>`: these are in order of
   * arrival, so scanning them would cost more with each. At most MAX_FRESH blocks, some 100 MB.
   */
  private readonly slots = new Map<string, number>()
  /** Searches that use the memory, and what to do when it is given back. */
  private holds = 0
  private closed = false
  private readonly freed: (() => void)[] = []

  private constructor(
    private readonly module: MatcherModule,
    private readonly memory: MatcherMemory,
    image: DictionaryImage,
    private readonly model: ConfusionModel,
    private readonly generation: number,
  ) {
    this.header = image.header
    this.codes = image.codes
    this.baseBlocks = image.blocks
    this.hour0 = image.hour0
    this.plates = image.plates
    this.lackingPlates = image.lacking
    this.regionNames = image.regionNames
    this.regionNumbers = new Map(image.regionNames.map((name, i) => [name, i]))
    this.scratch = memory.place(BLOCK * RECORD_BYTES)
    const { exports } = memory
    exports.openDictionary(image.header)
    for (let slot = LONG_SLOT; slot < LONG_SLOT + exports.longsNow(); slot++)
      this.slots.set(`${this.textOf(slot)}@${exports.regionOf(slot)}`, slot)
  }

  /**
   * Copies the result of a builder into a memory of its own, and gives the builder's back.
   * @param generation increases with each build of the same dictionary
   * @throws ALPR_ERR_DICTIONARY_MEMORY
   */
  static of(module: MatcherModule, built: BuiltPlates, model: ConfusionModel, generation = 1): Dictionary {
    const memory = module.open(sizeOf(built))
    return new Dictionary(module, memory, writeDictionary(module, memory, built), model, generation)
  }

  /** Takes over a dictionary that another thread wrote. */
  static adopt(
    module: MatcherModule,
    { memory, image }: { memory: HandedMemory; image: DictionaryImage },
    model: ConfusionModel,
    generation = 1,
  ): Dictionary {
    return new Dictionary(module, MatcherMemory.adopt(module.module, memory), image, model, generation)
  }

  /** Keeps the memory while a search uses it. @returns a function that ends this; a second call does nothing */
  hold(): () => void {
    if (this.closed && this.holds === 0) throw new Error('this dictionary is closed')
    this.holds += 1
    let held = true
    return () => {
      if (!held) return
      held = false
      this.holds -= 1
      this.giveBack()
    }
  }

  /** Gives the memory back, for the next dictionary, as soon as no search uses it. Nothing may be added any more. */
  close(): void {
    this.closed = true
    this.giveBack()
  }

  /** Calls `then` before the memory is given back. */
  whenFreed(then: () => void): void {
    this.freed.push(then)
  }

  private giveBack(): void {
    if (!this.closed || this.holds > 0) return
    for (const then of this.freed.splice(0)) then()
    this.module.close(this.memory)
  }

  /** Number of plates; one text in two regions counts twice. */
  get size(): number {
    return this.plates + this.memory.exports.longsNow()
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

  /** Whether a search may miss long plates for which there was no room; it is `partial` then. */
  lacks({ fragments, edits }: Pattern): boolean {
    const isOpen = fragments.length > 1 || fragments[0]!.stars !== 0
    return this.lackingPlates > 0 && (isOpen || fragments[0]!.elements.length + edits > MAX_LENGTH)
  }

  /** Number of long plates. */
  get longs(): number {
    return this.memory.exports.longsNow()
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
   * a plate, 'full' when the dictionary must be rebuilt first, 'lacking' for a long plate beyond the bound: a rebuild
   * has no room either
   */
  add(plate: string, region: string, hour: number, again = false): Added {
    const text = normalisePlate(plate)
    if (text.length === 0 || text.length > MAX_TEXT) return 'refused'
    const number = this.regionNumber(region)
    const { exports } = this.memory
    const name = `${text}@${number}`
    const known = this.slots.get(name)
    if (known !== undefined) return this.touch(known, hour, again)
    writeCodes(this.memory, this.codes, text)
    if (text.length > MAX_LENGTH) return this.addLong(name, text.length, number, hour)
    const ascii = this.memory.bytes(this.scratch, text.length)
    for (let i = 0; i < text.length; i++) ascii[i] = text.charCodeAt(i)
    const key = exports.keyOf(this.scratch, text.length)
    const slot = exports.findPlate(key, this.codes, text.length, number, this.scratch)
    if (slot !== -1) return this.touch(slot, hour, again)
    let block = exports.freshWithRoom(text.length)
    if (block === -1) {
      const planes = this.memory.tryPlace(exports.freshBytes(text.length))
      if (planes === 0 || !exports.addFresh(planes, text.length)) return 'full'
      block = exports.blocksNow() - 1
    }
    this.slots.set(name, exports.appendPlate(block, this.codes, text.length, number, hour))
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
    const letGo = this.hold()
    const instance = await this.acquireInstance()
    try {
      const { exports } = instance.memory
      instance.memory.bytes(instance.pattern, PATTERN_BYTES).set(search.program)
      exports.beginScan(instance.pattern)
      const { budget = Infinity, lastOnly = false, signal } = options
      let longs = exports.longsNow()
      let blocks = exports.blocksNow()
      const all = longs + blocks * BLOCK
      const left = () => longs > 0 || blocks > 0
      /** Some work; returns whether there is more. */
      const step = (): boolean => {
        const units = Math.min(SLICE_UNITS, budget - exports.workDone())
        if (!left() || units <= 0) return !exports.settleResults(SLICE_UNITS)
        if (longs > 0) longs = exports.scanLongs(0, longs, units)
        else blocks = exports.scanBlocks(Math.max(0, blocks - SCAN_PIECE), blocks, units)
        return true
      }
      const pageOf = (done: boolean) =>
        this.page(search, {
          raw: readResults(instance.memory, this.hour0, done),
          matched: exports.matchedPlates() >>> 0,
          scanned: all - longs - blocks * BLOCK,
          work: exports.workDone(),
          done,
          partial: done && left(),
        })
      let shown = -Infinity
      for (let more = true; more; ) {
        const slice = performance.now()
        while (more && performance.now() - slice < SLICE_MS) more = step()
        if (more && !lastOnly && performance.now() - shown >= PAGE_MS) {
          shown = performance.now()
          yield await pageOf(false)
        }
        await nextTurn()
        signal?.throwIfAborted()
      }
      yield await pageOf(true)
    } finally {
      this.releaseInstance(instance)
      letGo()
    }
  }

  /**
   * The work that a search is expected to need, units: counted on blocks from everywhere in the dictionary, in the
   * order of a search, with as many fewer results wanted. The same search always has the same estimate. Takes a few
   * milliseconds, in slices; for the costliest patterns some tens.
   * @throws ALPR_ERR_PATTERN_..., ALPR_ERR_SEARCH_INVALID
   */
  async estimate(pattern: string | Pattern, options: SearchOptions = {}): Promise<number> {
    const search = this.prepare(pattern, options)
    const letGo = this.hold()
    const instance = await this.acquireInstance()
    try {
      let work = 0
      for (const tried of TRIED_BLOCKS) {
        work = await this.workOf(instance, search, tried)
        if (tried >= this.blocks || (work * tried) / this.blocks > TRIED_UNITS) break
      }
      const { exports } = instance.memory
      const longs = this.longs
      exports.beginScan(instance.pattern)
      const left = exports.scanLongs(0, longs, TRIED_UNITS)
      return work + (longs === left ? 0 : (exports.workDone() * longs) / (longs - left))
    } finally {
      this.releaseInstance(instance)
      letGo()
    }
  }

  /** The work for all blocks, reckoned from `tried` of them. */
  private async workOf(instance: SearchInstance, { program, limit }: PreparedSearch, tried: number): Promise<number> {
    const { exports } = instance.memory
    const { blocks } = this
    const step = Math.max(1, blocks / tried)
    instance.memory.bytes(instance.pattern, PATTERN_BYTES).set(program)
    instance.memory
      .view(instance.pattern, PATTERN_BYTES)
      .setUint32(PATTERN_LIMIT, Math.max(1, Math.floor(limit / step)), true)
    exports.beginScan(instance.pattern)
    let scanned = 0
    for (let at = blocks - step / 2; at >= 0; at -= step, scanned++) {
      const from = Math.floor(at)
      for (let end = from + 1; end > from; ) {
        end = exports.scanBlocks(from, end, SLICE_UNITS)
        if (end > from) await nextTurn()
      }
    }
    while (!exports.settleResults(SLICE_UNITS)) await nextTurn()
    return scanned === 0 ? 0 : (exports.workDone() * blocks) / scanned
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
      lacks: this.lacks(parsed),
      program: compilePattern(parsed, this.model, { limit, lookAlikes, regions: numbers }),
      ...((options.explained ?? true) && { aligner: new PatternAligner(parsed, this.model, lookAlikes) }),
      tolerances: new Map(),
    }
  }

  /** A page of the results of one or more scans. Yields to the event loop: explaining many matches takes long. */
  async page(search: PreparedSearch, { raw, matched, scanned, work, done, partial }: ScanState): Promise<SearchPage> {
    const rank = ({ probability }: ScanResult) => Math.fround(probability)
    // By the uncalibrated probability to the 24 bits of an f32, as scans rank, so that the order of factors is
    // irrelevant. Of several threads only the best of all: the others need no text.
    const best = [...raw]
      .sort((a, b) => rank(b) - rank(a) || b.lastHour - a.lastHour || b.slot - a.slot)
      .slice(0, search.limit)
    const found: { rank: number; match: PlateMatch }[] = []
    let begun = performance.now()
    for (const result of best) {
      found.push({ rank: rank(result), match: this.toMatch(search, result) })
      if (performance.now() - begun < SLICE_MS) continue
      await nextTurn()
      begun = performance.now()
    }
    found.sort(
      ({ rank: p, match: a }, { rank: q, match: b }) =>
        q - p ||
        b.lastHour - a.lastHour ||
        (a.plate < b.plate ? -1 : a.plate > b.plate ? 1 : a.region < b.region ? -1 : 1),
    )
    return {
      matches: found.map(({ match }) => match),
      matched,
      scanned: done && !partial ? search.plates : Math.min(search.plates, scanned),
      plates: search.plates,
      done,
      partial: done && (partial || search.lacks),
      work,
      version: search.version,
    }
  }

  /**
   * Region names by number, and each block as records, for rebuilding this dictionary. Appends must wait until then, or
   * be repeated.
   */
  drain(): { blocks: number; regionNames: readonly string[]; drain(block: number): Uint8Array; long: PlateRow[] } {
    const { exports } = this.memory
    return {
      blocks: exports.blocksNow(),
      regionNames: this.regionNames,
      long: Array.from({ length: exports.longsNow() }, (_, i) => this.rowOf(LONG_SLOT + i)),
      drain: (block) =>
        this.memory.bytes(this.scratch, exports.drainBlock(block, this.scratch, this.codes) * RECORD_BYTES),
    }
  }

  private textOf(slot: number): string {
    return textOfCodes(this.memory.bytes(this.codes, this.memory.exports.plateCodes(slot, this.codes)))
  }

  private rowOf(slot: number): PlateRow {
    const { exports } = this.memory
    return {
      plate: this.textOf(slot),
      region: this.regionNames[exports.regionOf(slot)] ?? '',
      count: exports.countOf(slot),
      firstHour: this.hour0 + exports.firstOf(slot),
      lastHour: this.hour0 + exports.lastOf(slot),
    }
  }

  private toMatch({ aligner, tolerances }: PreparedSearch, { probability, slot, lastHour }: ScanResult): PlateMatch {
    const row = this.rowOf(slot)
    let tolerated = tolerances.get(slot)
    if (tolerated === undefined) {
      tolerated = aligner?.align(row.plate)?.tolerated ?? []
      if (tolerances.size >= MAX_EXPLAINED) tolerances.clear()
      tolerances.set(slot, tolerated)
    }
    return { ...row, probability: this.model.calibrate(probability), lastHour, tolerated }
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

  /** Adds the plate whose codes are written. */
  private addLong(name: string, length: number, region: number, hour: number): Added {
    if (!roomForLong(this.memory)) {
      this.lackingPlates += 1
      return 'lacking'
    }
    this.slots.set(name, this.memory.exports.appendLong(this.codes, length, region, 1, hour, hour) >>> 0)
    this.appended += 1
    return 'new'
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

/** What became of a plate. */
export type Added = 'new' | 'known' | 'refused' | 'full' | 'lacking'

export interface PreparedSearch {
  pattern: Pattern
  limit: number
  plates: number
  version: string
  /** Whether it may miss plates (Dictionary.lacks). */
  lacks: boolean
  program: Uint8Array
  /** Absent when no match is explained. */
  aligner?: PatternAligner
  /** Of plates shown before, by slot. */
  tolerances: Map<number, PatternTolerance[]>
}

/** How far the scans of a search are, all together. */
export interface ScanState {
  raw: readonly ScanResult[]
  /** Plates that match, of those scanned. */
  matched: number
  scanned: number
  work: number
  done: boolean
  /** The budget was used up before everything was scanned. */
  partial: boolean
}

const nextTurn = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve)
  })
