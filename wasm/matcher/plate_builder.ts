import { WasmError } from '../errors.js'
import {
  BLOCK,
  BUCKETS,
  ENTRY_BYTES,
  LONG_CHUNK,
  MAX_LENGTH,
  MAX_LONG_CHUNKS,
  MAX_ODD_LINES,
  MAX_REGIONS,
  MAX_TEXT,
  PASSES,
  PLANE,
  RECORD_BYTES,
  REGION_NAME_BYTES,
} from './layout.js'
import type { MatcherMemory, MatcherModule } from './matcher_module.js'
import { normalisePlate } from './plate_text.js'

/** A plate and the summary of its reads. Times in hours since 1970 UTC. */
export interface PlateRow {
  plate: string
  region: string
  /** Number of reads, capped at 65,535. */
  count: number
  firstHour: number
  lastHour: number
}

/** The result of a build, still in the builder's memory; addresses there. */
export interface BuiltPlates {
  memory: MatcherMemory
  plates: number
  blocks: number
  directory: number
  lasts: number
  firsts: number
  regions: number
  counts: number
  large: number
  largeCapacity: number
  planes: number
  planesBytes: number
  hour0: number
  regionNames: string[]
  /** Plates that are too long for blocks (more than 12 characters), one for each plate and region. */
  long: PlateRow[]
  /** Number of rows of long plates for which there was no room. */
  lacking: number
  /** Number of rows that cannot be a plate. */
  refused: number
}

const INPUT_BYTES = 1 << 20
/**
 * Records processed by one call: few enough that V8 can switch to optimised code and the event loop can run in between.
 */
const PIECE = 1 << 16
/**
 * From this many records on, rows of one plate are joined during the load, so that memory grows with plates, not rows.
 */
const JOIN_FROM = 1 << 25
/** Hours kept before the newest read, or before now where there is none: 5 years. The meta holds 65,536 hours. */
const HOURS_BACK = 43_800
/** Most long plates; they are misreads, and there are few. */
const MAX_LONG = LONG_CHUNK * MAX_LONG_CHUNKS
const HOUR_MS = 3_600_000

/**
 * Builds a dictionary in a memory of its own: loads rows in any order, sorts and joins them, cuts them into blocks.
 */
export class PlateBuilder {
  private readonly memory: MatcherMemory
  private readonly regionTable: number
  private readonly input: number
  private readonly odd: number
  private readonly digits: number
  private readonly records: number
  private loaded = 0
  private capacity = 0
  /** Records after the last join. */
  private joinedLast = 0
  private carried: Uint8Array = new Uint8Array(0)
  private newest = 0
  private lacking = 0
  private extraRefused = 0
  private readonly long = new Map<string, PlateRow>()

  constructor(module: MatcherModule) {
    this.memory = module.open()
    this.regionTable = this.memory.place(MAX_REGIONS * REGION_NAME_BYTES)
    this.input = this.memory.place(INPUT_BYTES)
    this.odd = this.memory.place(MAX_ODD_LINES * 4)
    this.digits = this.memory.place(PASSES * BUCKETS * 4)
    this.records = this.memory.place(0)
    this.memory.exports.beginLoad(this.records, this.regionTable)
  }

  /** Records loaded and not joined yet. */
  get loadedRows(): number {
    return this.loaded
  }

  /**
   * Loads ClickHouse's RowBinary of (plate String, region String, count UInt32, first UInt32, last UInt32), times in
   * hours since 1970; the bytes may end within a row.
   * @throws ALPR_ERR_DICTIONARY_MEMORY
   */
  async addRows(bytes: Uint8Array): Promise<void> {
    await this.pieces(bytes, 14, (from, end) => {
      this.memory.exports.loadRows(from, end)
      // Nothing consumed: an incomplete row, or one with a text of 128 bytes or more.
      return this.memory.exports.consumedBytes() || this.skipRow(from, end)
    })
  }

  /** Loads one row; normalises the plate, which may be longer than 12 characters. */
  addRow(row: PlateRow): void {
    const plate = normalisePlate(row.plate)
    if (plate.length === 0 || plate.length > MAX_LENGTH) {
      if (plate.length === 0) this.extraRefused += 1
      else this.addLong({ ...row, plate })
      return
    }
    const region = encoder.encode(row.region).subarray(0, 15)
    const bytes = new Uint8Array(2 + plate.length + region.length + 12)
    bytes[0] = plate.length
    bytes.set(encoder.encode(plate), 1)
    bytes[1 + plate.length] = region.length
    bytes.set(region, 2 + plate.length)
    const view = new DataView(bytes.buffer, bytes.length - 12)
    view.setUint32(0, Math.max(0, Math.min(row.count, 65_535)), true)
    view.setUint32(4, row.firstHour, true)
    view.setUint32(8, row.lastHour, true)
    this.reserve(1)
    this.memory.bytes(this.input, bytes.length).set(bytes)
    this.memory.exports.loadRows(this.input, this.input + bytes.length)
    this.loaded = this.memory.exports.loadedRecords() >>> 0
  }

  /**
   * Loads lines of text, one plate each, seen once in `hour`. The bytes may end within a line; call `endLines` after
   * the last ones. Skips empty lines.
   */
  async addLines(bytes: Uint8Array, hour: number): Promise<void> {
    const odd: PlateRow[] = []
    await this.pieces(bytes, 2, (from, end) => {
      const found = this.memory.exports.loadLines(from, end, hour, this.odd)
      const starts = new Uint32Array(this.memory.memory.buffer, this.odd, MAX_ODD_LINES)
      for (let i = 0; i < found; i++)
        odd.push({ plate: this.lineAt(starts[i]!, end), region: '', count: 1, firstHour: hour, lastHour: hour })
      return this.memory.exports.consumedBytes()
    })
    for (const row of odd) this.addRow(row)
  }

  async endLines(hour: number): Promise<void> {
    if (this.carried.length > 0) await this.addLines(Uint8Array.of(10), hour)
  }

  /** Loads all blocks of another dictionary, which must come before any other rows; regions keep their numbers. */
  async addDrained(source: {
    blocks: number
    regionNames: readonly string[]
    drain(block: number): Uint8Array
  }): Promise<void> {
    const names = this.memory.bytes(this.regionTable, MAX_REGIONS * REGION_NAME_BYTES)
    // The same names in the same order, so that a region keeps its number.
    source.regionNames.forEach((name, i) => {
      const bytes = encoder.encode(name).subarray(0, 15)
      names[i * REGION_NAME_BYTES] = bytes.length
      names.set(bytes, i * REGION_NAME_BYTES + 1)
    })
    this.memory.exports.setLoadedRegions(source.regionNames.length)
    for (let block = 0; block < source.blocks; block++) {
      if (block % 1024 === 1023) await yieldToEventLoop()
      const records = source.drain(block)
      this.reserve(records.length / RECORD_BYTES)
      this.memory.bytes(this.records + this.loaded * RECORD_BYTES, records.length).set(records)
      this.loaded += records.length / RECORD_BYTES
      this.memory.exports.setLoadedRecords(this.loaded)
    }
  }

  /** Sorts, joins and packs the loaded rows. The builder cannot be used again. @throws ALPR_ERR_DICTIONARY_MEMORY */
  async build(): Promise<BuiltPlates> {
    const { memory } = this
    const { exports } = memory
    await this.join()
    const plates = this.loaded
    // Keys of one length are contiguous: 37^L is above every key of L characters.
    const ends = Array.from({ length: MAX_LENGTH + 1 }, (_, length) =>
      exports.firstFrom(this.records, plates, 37n ** BigInt(length)),
    )
    const lengths = ends.map((end, length) => end - (ends[length - 1] ?? 0))
    let largeFound = 0
    const isEmpty = plates === 0 && this.long.size === 0
    this.newest = isEmpty ? Math.floor(Date.now() / HOUR_MS) : 0
    for (const { lastHour } of this.long.values()) this.newest = Math.max(this.newest, lastHour)
    await inPieces(plates, (from, to) => {
      largeFound += exports.countLarge(this.records, from, to)
      const words = new Uint32Array(memory.memory.buffer, this.records + from * RECORD_BYTES, (to - from) * 4)
      for (let i = 0; i < words.length; i += 4) {
        const last = words[i + 3]! >>> 12
        if (last > this.newest) this.newest = last
      }
    })
    const blocks = lengths.reduce((total, count) => total + Math.ceil(count / BLOCK), 0)
    const planesBound = lengths.reduce(
      (total, count, length) => total + Math.ceil(count / BLOCK) * length * 6 * PLANE,
      0,
    )
    const largeCapacity = 2 ** Math.ceil(Math.log2(largeFound * 2 + 1024))
    const sizes = [
      blocks * ENTRY_BYTES,
      blocks * BLOCK * 2,
      blocks * BLOCK * 2,
      blocks * BLOCK,
      blocks * BLOCK,
      largeCapacity * 8,
      (BLOCK + 17) * 16,
      planesBound,
    ].map((size) => Math.ceil(size / 64) * 64)
    const total = sizes.reduce((a, b) => a + b, 0)
    let at = memory.place(total)
    exports.fillTriples(memory.place(37 ** 3 * 4 + 64))
    const [directory, lasts, firsts, regions, counts, large, codes, planes] = sizes.map((size) => {
      const here = at
      at += size
      return here
    }) as [number, number, number, number, number, number, number, number]
    memory.bytes(large, largeCapacity * 8).fill(0)
    const hour0 = Math.max(this.newest - HOURS_BACK, 0)
    exports.beginBlocks(directory, planes, lasts, firsts, regions, counts, codes, large, largeCapacity, hour0)
    let done = 0
    let calls = 0
    for (const [length, count] of lengths.entries()) {
      for (let left = count; left > 0; left -= BLOCK) {
        const size = Math.min(left, BLOCK)
        exports.addBlock(this.records + done * RECORD_BYTES, size, length)
        done += size
        if (++calls % 512 === 0) await yieldToEventLoop()
      }
    }
    return {
      memory,
      plates,
      blocks,
      directory,
      lasts,
      firsts,
      regions,
      counts,
      large,
      largeCapacity,
      planes,
      planesBytes: exports.planesBytes() >>> 0,
      hour0,
      regionNames: this.regionNames(),
      long: [...this.long.values()],
      lacking: this.lacking,
      refused: exports.refusedRows() + this.extraRefused,
    }
  }

  /** Sorts the records and joins those of one plate and region, in place. */
  private async join(): Promise<void> {
    const { exports } = this.memory
    const total = this.loaded
    const mark = this.memory.mark
    let from = this.records
    let to = this.scratchRecords()
    this.memory.bytes(this.digits, PASSES * BUCKETS * 4).fill(0)
    await inPieces(total, (start, end) => exports.countDigits(from, start, end, this.digits))
    for (let pass = 0; pass < PASSES; pass++) {
      if (total === 0 || !exports.placeDigits(this.digits, pass, total)) continue
      await inPieces(total, (start, end) => exports.scatter(from, to, start, end, this.digits, pass))
      const other = from
      from = to
      to = other
    }
    let joined = 0
    await inPieces(total, (start, end) => {
      joined = exports.joinRecords(from, start, end, joined)
    })
    if (from !== this.records)
      this.memory.bytes(this.records, joined * RECORD_BYTES).set(this.memory.bytes(from, joined * RECORD_BYTES))
    this.loaded = joined
    exports.setLoadedRecords(joined)
    this.memory.rewind(mark)
  }

  /** Scratch memory as large as the records, freed by the next `rewind`. */
  private scratchRecords(): number {
    return this.memory.place(Math.max(64, this.loaded * RECORD_BYTES))
  }

  /**
   * Loads bytes through the input area.
   * @param leastRow bytes of the shortest row
   * @param load consumes whole rows between two addresses; returns the number of bytes consumed
   */
  private async pieces(
    bytes: Uint8Array,
    leastRow: number,
    load: (from: number, end: number) => number,
  ): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const piece = bytes.subarray(at, at + INPUT_BYTES - this.carried.length)
      at += piece.length
      const length = this.carried.length + piece.length
      this.reserve(Math.ceil(length / leastRow))
      const input = this.memory.bytes(this.input, length)
      input.set(this.carried)
      input.set(piece, this.carried.length)
      let taken = 0
      for (let more = -1; more !== 0 && taken < length; taken += more)
        more = load(this.input + taken, this.input + length)
      this.carried = input.slice(taken)
      if (this.carried.length === INPUT_BYTES)
        throw new WasmError('ALPR_ERR_ROWS_INVALID', { reason: 'a row is longer than 1 MiB' })
      this.loaded = this.memory.exports.loadedRecords() >>> 0
      if (this.loaded >= JOIN_FROM && this.loaded > 2 * this.joinedLast) {
        await this.join()
        this.joinedLast = this.loaded
      } else {
        await yieldToEventLoop()
      }
    }
  }

  private reserve(rows: number): void {
    const needed = this.loaded + rows
    if (needed <= this.capacity) return
    // 64 Ki records at a time: each growth of the memory is a costly call
    const grown = Math.ceil((needed - this.capacity) / PIECE) * PIECE
    this.memory.place(grown * RECORD_BYTES)
    this.capacity += grown
  }

  private lineAt(start: number, end: number): string {
    const bytes = this.memory.bytes(start, Math.min(end - start, 1024)).slice()
    const stop = bytes.indexOf(10)
    return decoder.decode(stop < 0 ? bytes : bytes.subarray(0, stop))
  }

  private addLong(row: PlateRow): void {
    if (row.plate.length > MAX_TEXT) {
      this.extraRefused += 1
      return
    }
    const key = `${row.plate}@${row.region}`
    const known = this.long.get(key)
    if (!known) {
      if (this.long.size < MAX_LONG) this.long.set(key, { ...row })
      else this.lacking += 1
      return
    }
    known.count += row.count
    known.firstHour = Math.min(known.firstHour, row.firstHour)
    known.lastHour = Math.max(known.lastHour, row.lastHour)
  }

  /** Skips a row with a text of 128 bytes or more. @returns its bytes, 0 when it is incomplete */
  private skipRow(from: number, end: number): number {
    const bytes = this.memory.bytes(from, end - from)
    let at = 0
    for (let text = 0; text < 2; text++) {
      let length = 0
      for (let shift = 0; ; shift += 7) {
        const byte = bytes[at++]
        if (byte === undefined) return 0
        length += (byte & 127) * 2 ** shift
        if (byte < 128) break
      }
      at += length
    }
    if (at + 12 > bytes.length) return 0
    this.extraRefused += 1
    return at + 12
  }

  private regionNames(): string[] {
    const table = this.memory.bytes(this.regionTable, MAX_REGIONS * REGION_NAME_BYTES).slice()
    return Array.from({ length: this.memory.exports.loadedRegions() }, (_, i) =>
      decoder.decode(table.subarray(i * REGION_NAME_BYTES + 1).subarray(0, table[i * REGION_NAME_BYTES]!)),
    )
  }
}

async function inPieces(total: number, work: (from: number, to: number) => void): Promise<void> {
  for (let from = 0; from < total; from += PIECE) {
    work(from, Math.min(from + PIECE, total))
    if ((from / PIECE) % 16 === 15) await yieldToEventLoop()
  }
}

const yieldToEventLoop = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve)
  })

const encoder = new TextEncoder()
const decoder = new TextDecoder()
