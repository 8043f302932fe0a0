import { AlprError } from '../errors.js'
import type { HotListEntry } from './hotlist.js'
import { entryLine, MAX_REASON, MAX_REGION, mergeEntries } from './hotlist_entries.js'
import { MAX_PLATE } from './listed_plate.js'

/** Most entries of a list, and most bytes of its canonical text. */
export const MAX_ENTRIES = 10_000_000
export const MAX_TEXT_BYTES = 2_000_000_000

/** Lines are stored in pieces of this many bytes. */
const PIECE_BYTES = 2_097_152
/** Entries are put into a bucket for each possible beginning of a plate: three of the 36 characters, or fewer. */
const RANKS = 37
const BUCKETS = RANKS ** 3
const NORMALISED = new RegExp(`^[A-Z0-9]{1,${MAX_PLATE}}$`)
/** Every canonical line begins with this; the plate follows, which needs no escapes. */
const PLATE_AT = '{"plate":"'.length
const QUOTE = 0x22
const LINE_END = 0x0a
/** Much longer than a line can be. */
const OUT_BYTES = 131_072

/** A line of the text: bytes `start` to `end` of a piece. */
interface Line {
  plate: string
  piece: Buffer
  start: number
  end: number
}

/**
 * Takes the entries of a list in any order and gives its canonical text, sorted and merged. Memory is about the size of
 * the text, outside of V8's heap: the objects of five million entries would need several times as much.
 *
 *     bucket   first three characters of the plate    heads    number of its last entry, or -1
 *     entry    its line in a piece                    starts   piece * PIECE_BYTES + offset
 *                                                     nexts    the entry before it in the bucket, or -1
 */
export class EntrySorter {
  #pieces: Buffer[] = []
  #used = PIECE_BYTES
  #bytes = 0
  #heads = new Int32Array(BUCKETS).fill(-1)
  #starts = new Float64Array(1_024)
  #nexts = new Int32Array(1_024)
  #count = 0
  #cutReasons = 0
  #merged = 0

  /** @param list names the list in errors */
  constructor(private readonly list: string) {}

  /** Entries added. */
  get count(): number {
    return this.#count
  }

  /** Entries of the text that `pieces` gave. */
  get merged(): number {
    return this.#merged
  }

  /** Entries of which a part of the reason was cut off; known once `pieces` has ended. */
  get cutReasons(): number {
    return this.#cutReasons
  }

  /** @throws ALPR_ERR_HOTLIST_INVALID when a field is not valid, or the list is too large */
  add(entry: HotListEntry): void {
    if (!NORMALISED.test(entry.plate)) throw this.#invalid(`"${entry.plate.slice(0, 40)}" is not a normalised plate`)
    if ((entry.region?.length ?? 0) > MAX_REGION) throw this.#invalid(`a region has more than ${MAX_REGION} characters`)
    if (this.#count >= MAX_ENTRIES) throw this.#invalid(`it has more than ${MAX_ENTRIES} entries`)
    if (entry.reason.length > MAX_REASON) this.#cutReasons += 1
    const reason = entry.reason.length > MAX_REASON ? `${entry.reason.slice(0, MAX_REASON - 1)}…` : entry.reason
    const { plate, region, from, until } = entry
    const line = entryLine({ plate, reason, region, from, until })
    // A character has at most three bytes in UTF-8.
    if (this.#used + line.length * 3 > PIECE_BYTES) {
      this.#pieces.push(Buffer.allocUnsafeSlow(PIECE_BYTES))
      this.#used = 0
    }
    const bytes = this.#pieces.at(-1)!.write(line, this.#used)
    this.#bytes += bytes
    if (this.#bytes > MAX_TEXT_BYTES) throw this.#invalid(`its text has more than ${MAX_TEXT_BYTES} bytes`)
    if (this.#count === this.#starts.length) this.#grow()
    const bucket = bucketOf(plate)
    this.#starts[this.#count] = (this.#pieces.length - 1) * PIECE_BYTES + this.#used
    this.#nexts[this.#count] = this.#heads[bucket]!
    this.#heads[bucket] = this.#count
    this.#count += 1
    this.#used += bytes
  }

  /** The canonical text in pieces of some 100 kB. Frees the entries: it can be asked for once. */
  *pieces(): Generator<Uint8Array> {
    let out = Buffer.allocUnsafe(OUT_BYTES)
    let used = 0
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const lines = this.#linesOf(bucket)
      for (let from = 0; from < lines.length; ) {
        let to = from + 1
        while (to < lines.length && lines[to]!.plate === lines[from]!.plate) to += 1
        for (const { piece, start, end } of to === from + 1 ? [lines[from]!] : this.#joined(lines.slice(from, to))) {
          if (used + end - start > OUT_BYTES) {
            yield out.subarray(0, used)
            out = Buffer.allocUnsafe(OUT_BYTES)
            used = 0
          }
          used += piece.copy(out, used, start, end)
          this.#merged += 1
        }
        from = to
      }
    }
    this.#pieces = []
    if (used > 0) yield out.subarray(0, used)
  }

  /** The lines of a bucket, sorted by plate. */
  #linesOf(bucket: number): Line[] {
    const lines: Line[] = []
    for (let entry = this.#heads[bucket]!; entry !== -1; entry = this.#nexts[entry]!) {
      const piece = this.#pieces[Math.floor(this.#starts[entry]! / PIECE_BYTES)]!
      const start = this.#starts[entry]! % PIECE_BYTES
      const plate = piece.toString('latin1', start + PLATE_AT, piece.indexOf(QUOTE, start + PLATE_AT))
      lines.push({ plate, piece, start, end: piece.indexOf(LINE_END, start) + 1 })
    }
    return lines.sort((a, b) => (a.plate < b.plate ? -1 : a.plate > b.plate ? 1 : 0))
  }

  /** Lines of one plate, merged. */
  #joined(lines: readonly Line[]): Line[] {
    const texts = lines.map(({ piece, start, end }) => piece.toString('utf8', start, end))
    const { entries, cutReasons } = mergeEntries(texts.map((text) => JSON.parse(text) as HotListEntry))
    this.#cutReasons += cutReasons
    return entries.map((entry) => {
      const piece = Buffer.from(entryLine(entry))
      return { plate: entry.plate, piece, start: 0, end: piece.length }
    })
  }

  #grow(): void {
    const starts = new Float64Array(this.#starts.length * 2)
    starts.set(this.#starts)
    this.#starts = starts
    const nexts = new Int32Array(this.#nexts.length * 2)
    nexts.set(this.#nexts)
    this.#nexts = nexts
  }

  #invalid(reason: string): AlprError {
    return new AlprError('ALPR_ERR_HOTLIST_INVALID', { list: this.list, reason })
  }
}

/** Grows with the order of the texts. */
const bucketOf = (plate: string): number =>
  (rankOf(plate.charCodeAt(0)) * RANKS + rankOf(plate.charCodeAt(1))) * RANKS + rankOf(plate.charCodeAt(2))

/** 1 to 10 for digits, 11 to 36 for letters; 0 beyond the end of the plate. */
const rankOf = (code: number): number => (code >= 65 ? code - 54 : code >= 48 ? code - 47 : 0)
