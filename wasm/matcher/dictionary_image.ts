import { CHARACTERS } from '../classes.js'
import { CODE_OF_CLASS } from './alphabet.js'
import { BLOCK, ENTRY_BYTES, HEADER_BYTES, LONG_BYTES, LONG_CHUNK, MAX_FRESH, MAX_LONG_CHUNKS } from './layout.js'
import type { MatcherMemory, MatcherModule } from './matcher_module.js'
import type { BuiltPlates } from './plate_builder.js'

/** A dictionary as it lies in a memory, without the host's part: what a thread that takes the memory over must know. */
export interface DictionaryImage {
  /** Address of its header. */
  header: number
  /** Scratch memory of its writer: codes of one plate; records of a block. */
  codes: number
  blocks: number
  /** Plates in blocks. */
  plates: number
  hour0: number
  regionNames: string[]
  /** Rows of long plates for which there was no room. */
  lacking: number
}

/** Bytes that a dictionary of these plates takes, roughly: to choose a memory for it. */
export const sizeOf = (built: BuiltPlates): number =>
  built.planesBytes + built.blocks * (BLOCK * 6 + ENTRY_BYTES) + built.largeCapacity * 8 + (1 << 21)

/**
 * Copies the result of a builder into another memory, and gives the builder's back.
 * @throws ALPR_ERR_DICTIONARY_MEMORY
 */
export function writeDictionary(module: MatcherModule, memory: MatcherMemory, built: BuiltPlates): DictionaryImage {
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
  const longs = memory.place(MAX_LONG_CHUNKS * 4)
  const codes = memory.place(64)
  // Planes last: appended blocks follow them.
  const planes = copied(built.planes, built.planesBytes)
  const entries = memory.view(directory, built.blocks * ENTRY_BYTES)
  for (let block = 0; block < built.blocks; block++)
    entries.setUint32(block * ENTRY_BYTES, entries.getUint32(block * ENTRY_BYTES, true) + planes, true)
  const held = new Uint32Array(memory.memory.buffer, large, built.largeCapacity * 2).reduce(
    (sum, word, i) => sum + (i % 2 === 0 && word !== 0 ? 1 : 0),
    0,
  )
  const words = [directory, built.blocks, lasts, firsts, regions, counts, large, built.largeCapacity, fresh]
  const view = memory.view(header, HEADER_BYTES)
  const all = [...words, 0, built.hour0, held, longs, 0]
  all.forEach((word, i) => view.setUint32(i * 4, word, true))
  module.close(built.memory)
  const { exports } = memory
  exports.openDictionary(header)
  const regionNames = [...built.regionNames]
  for (const { plate, region, count, firstHour, lastHour } of built.long) {
    if (!roomForLong(memory)) throw new Error('there are more long plates than the builder allows')
    let number = regionNames.indexOf(region.slice(0, 15))
    if (number < 0) number = regionNames.length < 256 ? regionNames.push(region.slice(0, 15)) - 1 : 0
    writeCodes(memory, codes, plate)
    exports.appendLong(codes, plate.length, number, count, firstHour, lastHour)
  }
  const { blocks, plates, hour0, lacking } = built
  return { header, codes, blocks, plates, hour0, regionNames, lacking }
}

/** Makes room for one more long plate. @returns whether there is room */
export function roomForLong(memory: MatcherMemory): boolean {
  const { exports } = memory
  if (exports.longsNow() % LONG_CHUNK !== 0) return true
  const chunk = memory.tryPlace(LONG_CHUNK * LONG_BYTES)
  return chunk !== 0 && exports.addLongChunk(chunk) !== 0
}

/** @param plate `[A-Z0-9]` */
export function writeCodes(memory: MatcherMemory, at: number, plate: string): void {
  const codes = memory.bytes(at, plate.length)
  for (let i = 0; i < plate.length; i++) codes[i] = CODE_OF_CLASS[CHARACTERS.indexOf(plate[i]!)]!
}
