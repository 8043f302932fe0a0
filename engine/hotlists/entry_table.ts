import type { ListPlates } from '../../wasm/mod.js'
import type { HotListEntry } from './hotlist.js'

/** Every canonical line begins with this (hotlist_entries.ts); the plate follows, which needs no escapes. */
const LINE_BEGIN = Buffer.from('{"plate":"')
const QUOTE = 0x22
const LINE_END = 0x0a

/**
 * The entries of a list, kept as their canonical text: a tenth of the memory of objects, and it moves between threads
 * without being copied. An entry is parsed when a read matches its plate.
 */
export class EntryTable implements ListPlates {
  private readonly bytes: Buffer

  /**
   * @param text canonical: the lines of one plate follow each other, by the start of their times, which do not overlap
   * @param starts where the first line of each plate begins, and the end of the text
   */
  constructor(
    readonly text: Uint8Array<ArrayBuffer>,
    readonly starts: Uint32Array<ArrayBuffer>,
  ) {
    this.bytes = Buffer.from(text.buffer, text.byteOffset, text.length)
  }

  /** Finds the plates of a text. @throws Error naming the line that is not an entry */
  static of(text: Uint8Array<ArrayBuffer>): EntryTable {
    const bytes = Buffer.from(text.buffer, text.byteOffset, text.length)
    let starts = new Uint32Array(1_024)
    let plates = 0
    let lines = 0
    let plate: Buffer | undefined
    for (let at = 0; at < bytes.length; ) {
      lines += 1
      const end = bytes.indexOf(LINE_END, at)
      const from = at + LINE_BEGIN.length
      const quote = bytes.indexOf(QUOTE, from)
      if (end < 0 || quote <= from || quote > end || bytes.compare(LINE_BEGIN, 0, LINE_BEGIN.length, at, from) !== 0)
        throw new Error(`line ${lines} of its content is not an entry`)
      const next = bytes.subarray(from, quote)
      if (!plate?.equals(next)) {
        // One more place than plates: the end.
        if (plates + 1 === starts.length) {
          const larger = new Uint32Array(starts.length * 2)
          larger.set(starts)
          starts = larger
        }
        starts[plates++] = at
        plate = next
      }
      at = end + 1
    }
    starts[plates] = bytes.length
    return new EntryTable(text, starts.slice(0, plates + 1))
  }

  /** Plates on the list, each counted once. */
  get length(): number {
    return this.starts.length - 1
  }

  at(index: number): string | undefined {
    const from = this.starts[index]! + LINE_BEGIN.length
    return index < 0 || index >= this.length
      ? undefined
      : this.bytes.toString('latin1', from, this.bytes.indexOf(QUOTE, from))
  }

  /** The entry of a plate that is in force at `ts`, event time, ms: at most one is. */
  inForce(index: number, ts: number): HotListEntry | undefined {
    // Binary search for the last line that begins no later: a list may have any number of times for one plate.
    let [from, to] = [this.starts[index]!, this.starts[index + 1]!]
    let found: HotListEntry | undefined
    while (from < to) {
      const middle = this.lineStart(Math.floor((from + to - 1) / 2), from)
      const end = this.bytes.indexOf(LINE_END, middle) + 1
      const entry = this.parse(index, middle, end)
      if ((entry.from ?? -Infinity) <= ts) {
        found = entry
        from = end
      } else to = middle
    }
    return found && (found.until === undefined || ts < found.until) ? found : undefined
  }

  /** Where the line begins that contains byte `at`; `least` begins one. */
  private lineStart(at: number, least: number): number {
    if (at <= least) return least
    return Math.max(least, this.bytes.lastIndexOf(LINE_END, at - 1) + 1)
  }

  /** An unreadable entry still gives a hit: its plate is on the list. */
  private parse(index: number, from: number, to: number): HotListEntry {
    try {
      return JSON.parse(this.bytes.toString('utf8', from, to)) as HotListEntry
    } catch {
      return { plate: this.at(index)!, reason: 'the entry cannot be read' }
    }
  }
}
