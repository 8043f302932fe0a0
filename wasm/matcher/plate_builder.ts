import { WasmError } from '../errors.js'
import { BLOCK, BUCKETS, ENTRY_BYTES, MAX_LENGTH, PASSES, PLANE, RECORD_BYTES } from './layout.js'
import type { MatcherMemory, MatcherModule } from './matcher_module.js'
import { normalisePlate } from './plate_text.js'

/** A plate and what is known of its reads. Times in hours since 1970 UTC. */
export interface PlateRow {
  plate: string
  region: string
  /** Times read, at most 65,535 are told apart. */
  count: number
  firstHour: number
  lastHour: number
}

/** What a build made, still in the builder's memory. Addresses there. */
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
  /** Plates longer than the lanes take (12 characters), one for each plate and region. */
  long: PlateRow[]
  /** Rows that were no plate. */
  refused: number
}

const INPUT_BYTES = 1 << 20
/**
 * Records that a call works on: short enough that V8 can put optimised code in place between calls, and that others get
 * their turn.
 */
const PIECE = 1 << 16
const MAX_ODD = 1024
/**
 * Records from which rows of one plate are joined on the way, so that many partial counts need no more memory than
 * plates.
 */
const JOIN_FROM = 1 << 25
/** Hours kept before the newest read: 5 years; 65,536 hours can be told apart. */
const HOURS_BACK = 43_800

/**
 * Makes a dictionary: rows are staged as they come, then sorted, joined and cut into blocks. It has a memory of its
 * own, which goes with it.
 */
export class PlateBuilder {
  private readonly memory: MatcherMemory
  private readonly regionTable: number
  private readonly input: number
  private readonly odd: number
  private readonly digits: number
  private readonly records: number
  private staged = 0
  private capacity = 0
  private carried: Uint8Array = new Uint8Array(0)
  private newest = 0
  private oldest = Infinity
  private extraRefused = 0
  private readonly long = new Map<string, PlateRow>()

  constructor(module: MatcherModule) {
    this.memory = module.open()
    this.regionTable = this.memory.place(256 * 16)
    this.input = this.memory.place(INPUT_BYTES)
    this.odd = this.memory.place(MAX_ODD * 4)
    this.digits = this.memory.place(PASSES * BUCKETS * 4)
    this.records = this.memory.place(0)
    this.memory.exports.beginStage(this.records, this.regionTable)
  }

  /** Records staged, not joined yet. */
  get stagedRows(): number {
    return this.staged
  }

  /**
   * Takes ClickHouse's RowBinary of (plate String, region String, count UInt32, first UInt32, last UInt32), times in
   * hours since 1970; cut anywhere.
   * @throws ALPR_ERR_DICTIONARY_MEMORY
   */
  async addRows(bytes: Uint8Array): Promise<void> {
    await this.pieces(bytes, 14, (from, end) => {
      this.memory.exports.stageRows(from, end)
      // Nothing taken: not a whole row, or one with a text of 128 bytes or more.
      return this.memory.exports.consumedBytes() || this.skipRow(from, end)
    })
  }

  /** Rows from a program; longer plates and odd ones are taken too (normalised). */
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
    this.room(1)
    this.memory.bytes(this.input, bytes.length).set(bytes)
    this.memory.exports.stageRows(this.input, this.input + bytes.length)
    this.staged = this.memory.exports.stagedRecords() >>> 0
  }

  /**
   * Takes lines of text, one plate each, seen once in `hour`; cut anywhere (call `endLines` behind the last). Lines
   * that are empty are passed over.
   */
  async addLines(bytes: Uint8Array, hour: number): Promise<void> {
    const odd: PlateRow[] = []
    await this.pieces(bytes, 2, (from, end) => {
      const found = this.memory.exports.stageLines(from, end, hour, this.odd)
      const starts = new Uint32Array(this.memory.memory.buffer, this.odd, MAX_ODD)
      for (let i = 0; i < found; i++)
        odd.push({ plate: this.lineAt(starts[i]!, end), region: '', count: 1, firstHour: hour, lastHour: hour })
      return this.memory.exports.consumedBytes()
    })
    for (const row of odd) this.addRow(row)
  }

  async endLines(hour: number): Promise<void> {
    if (this.carried.length > 0) await this.addLines(Uint8Array.of(10), hour)
  }

  /** All blocks of another dictionary's instance, its regions by their numbers there. */
  async addDrained(source: {
    blocks: number
    regionNames: readonly string[]
    drain(block: number): Uint8Array
  }): Promise<void> {
    const names = this.memory.bytes(this.regionTable, 256 * 16)
    // The same names in the same order, so that a region keeps its number; the dictionary comes first.
    source.regionNames.forEach((name, i) => {
      const bytes = encoder.encode(name).subarray(0, 15)
      names[i * 16] = bytes.length
      names.set(bytes, i * 16 + 1)
    })
    this.memory.exports.setStagedRegions(source.regionNames.length)
    for (let block = 0; block < source.blocks; block++) {
      if (block % 1024 === 1023) await turn()
      const records = source.drain(block)
      this.room(records.length / RECORD_BYTES)
      this.memory.bytes(this.records + this.staged * RECORD_BYTES, records.length).set(records)
      this.staged += records.length / RECORD_BYTES
      this.memory.exports.setStagedRecords(this.staged)
    }
  }

  /** Sorts, joins and packs what was staged. The builder is done after that. @throws ALPR_ERR_DICTIONARY_MEMORY */
  async build(): Promise<BuiltPlates> {
    const { memory } = this
    const { exports } = memory
    await this.join()
    const plates = this.staged
    // Keys of one length are neighbours: 37^L is above every key of L characters.
    const ends = Array.from({ length: MAX_LENGTH + 1 }, (_, length) =>
      exports.firstFrom(this.records, plates, 37n ** BigInt(length)),
    )
    const lengths = ends.map((end, length) => end - (ends[length - 1] ?? 0))
    let largeFound = 0
    this.oldest = Infinity
    this.newest = 0
    await inPieces(plates, (from, to) => {
      largeFound += exports.countLarge(this.records, from, to)
      const words = new Uint32Array(memory.memory.buffer, this.records + from * RECORD_BYTES, (to - from) * 4)
      for (let i = 0; i < words.length; i += 4) {
        const first = (words[i + 2]! >>> 24) | ((words[i + 3]! & 0xfff) << 8)
        const last = words[i + 3]! >>> 12
        if (first < this.oldest) this.oldest = first
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
    const hour0 = Math.max(Math.min(this.oldest, this.newest), this.newest - HOURS_BACK, 0)
    exports.beginBlocks(directory, planes, lasts, firsts, regions, counts, codes, large, largeCapacity, hour0)
    let done = 0
    let calls = 0
    for (const [length, count] of lengths.entries()) {
      for (let left = count; left > 0; left -= BLOCK) {
        const size = Math.min(left, BLOCK)
        exports.addBlock(this.records + done * RECORD_BYTES, size, length)
        done += size
        if (++calls % 512 === 0) await turn()
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
      refused: exports.refusedRows() + this.extraRefused,
    }
  }

  /** Sorts the records and joins those of one plate and region, in place. */
  private async join(): Promise<void> {
    const { exports } = this.memory
    const total = this.staged
    const mark = this.memory.mark
    let from = this.records
    let to = this.second()
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
    this.staged = joined
    exports.setStagedRecords(joined)
    this.memory.rewind(mark)
  }

  /** Room as large as the records, behind them; forgotten at the next `rewind`. */
  private second(): number {
    return this.memory.place(Math.max(64, this.staged * RECORD_BYTES))
  }

  /**
   * Stages bytes through the input area; `stage` takes whole rows between two addresses and says how many bytes it
   * took.
   */
  private async pieces(
    bytes: Uint8Array,
    leastRow: number,
    stage: (from: number, end: number) => number,
  ): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const piece = bytes.subarray(at, at + INPUT_BYTES - this.carried.length)
      at += piece.length
      const length = this.carried.length + piece.length
      this.room(Math.ceil(length / leastRow))
      const input = this.memory.bytes(this.input, length)
      input.set(this.carried)
      input.set(piece, this.carried.length)
      let taken = 0
      for (let more = -1; more !== 0 && taken < length; taken += more)
        more = stage(this.input + taken, this.input + length)
      this.carried = input.slice(taken)
      if (this.carried.length === INPUT_BYTES)
        throw new WasmError('ALPR_ERR_ROWS_INVALID', { reason: 'a row is longer than a mebibyte' })
      this.staged = this.memory.exports.stagedRecords() >>> 0
      if (this.staged >= JOIN_FROM && this.staged > 2 * this.joinedLast) {
        await this.join()
        this.joinedLast = this.staged
      } else {
        await turn()
      }
    }
  }
  private joinedLast = 0

  private room(rows: number): void {
    const needed = this.staged + rows
    if (needed <= this.capacity) return
    // 64 Ki records at a time: memory that grows by small steps costs a call each
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
    if (row.plate.length > 32) {
      this.extraRefused += 1
      return
    }
    const key = `${row.plate}@${row.region}`
    const known = this.long.get(key)
    if (!known) {
      this.long.set(key, { ...row })
      return
    }
    known.count += row.count
    known.firstHour = Math.min(known.firstHour, row.firstHour)
    known.lastHour = Math.max(known.lastHour, row.lastHour)
  }

  /** A row with a text of 128 bytes or more: no plate. @returns its bytes, 0 when it is not whole */
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
    const table = this.memory.bytes(this.regionTable, 256 * 16).slice()
    return Array.from({ length: this.memory.exports.stagedRegions() }, (_, i) =>
      decoder.decode(table.subarray(i * 16 + 1, i * 16 + 1 + table[i * 16]!)),
    )
  }
}

async function inPieces(total: number, work: (from: number, to: number) => void): Promise<void> {
  for (let from = 0; from < total; from += PIECE) {
    work(from, Math.min(from + PIECE, total))
    if ((from / PIECE) % 16 === 15) await turn()
  }
}

/** Lets others have their turn on the event loop. */
const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve)
  })

const encoder = new TextEncoder()
const decoder = new TextDecoder()
