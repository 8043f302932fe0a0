import type { Hit } from '../../engine/mod.js'

/**
 * A hit in the ring: the fields that filters and the delay meter need, and the WebSocket frame, built once and shared
 * by all consoles.
 */
export interface HitEntry {
  kind: 'hit'
  seq: number
  frame: Buffer
  facts: Pick<Hit, 'list' | 'camera' | 'priority' | 'lat' | 'lon' | 'tsLast'>
}

/**
 * Sequences up to `seq` that the stream lost before the gateway saw them, in their order, so that consoles report it.
 */
export interface GapEntry {
  kind: 'gap'
  seq: number
  frame: Buffer
}

export type RingEntry = HitEntry | GapEntry

/**
 * The newest part of stream HITS in memory, shared by all consoles. Every entry ever pushed has a position (0, 1, 2
 * ...). A console remembers only the position it reads next, so a slow console costs no memory. A full ring evicts its
 * oldest entries; a console that still needs them reads them from the stream.
 *
 *     position:   base            base+1   ...      end-1
 *     entries: [ oldest kept ][          ][ ... ][ newest ]
 *     seq:        > baseSeq    strictly rising
 *
 * Limits: `maxEntries`, and `maxBytes` of frames.
 */
export class Ring {
  #entries: RingEntry[] = []
  /** Entries before this index are evicted. The array is cut rarely, so that eviction costs nothing per push. */
  #head = 0
  #base = 0
  #bytes = 0
  #baseSeq: number

  /** @param baseSeq the ring will hold everything after this sequence */
  constructor(
    baseSeq: number,
    private readonly maxEntries = 4_096,
    private readonly maxBytes = 16_777_216,
  ) {
    this.#baseSeq = baseSeq
  }

  /** The ring holds everything that the stream had after this sequence. */
  get baseSeq(): number {
    return this.#baseSeq
  }
  /** The last sequence pushed; `baseSeq` while the ring is empty. */
  get last(): number {
    return this.#entries.length > this.#head ? this.#entries[this.#entries.length - 1]!.seq : this.#baseSeq
  }
  get size(): number {
    return this.#entries.length - this.#head
  }
  /** The position of the next entry. */
  get end(): number {
    return this.#base + this.size
  }

  push(entry: RingEntry): void {
    this.#entries.push(entry)
    this.#bytes += entry.frame.length
    while (this.size > this.maxEntries || (this.#bytes > this.maxBytes && this.size > 1)) this.#evict()
    if (this.#head > 1_024 && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head)
      this.#head = 0
    }
  }

  /** The entry at a position; undefined if it is not there yet. @throws RangeError if it was evicted */
  at(position: number): RingEntry | undefined {
    if (position < this.#base) throw new RangeError(`position ${position} was evicted, the oldest is ${this.#base}`)
    return this.#entries[this.#head + position - this.#base]
  }

  /** Whether the position has not been evicted. */
  has(position: number): boolean {
    return position >= this.#base
  }

  /** The position of the first entry after `seq`. Valid for `seq >= baseSeq` only. */
  positionAfter(seq: number): number {
    let low = this.#head
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#entries[middle]!.seq <= seq) low = middle + 1
      else high = middle
    }
    return this.#base + low - this.#head
  }

  #evict(): void {
    const entry = this.#entries[this.#head]!
    this.#baseSeq = entry.seq
    this.#bytes -= entry.frame.length
    this.#head++
    this.#base++
  }
}
